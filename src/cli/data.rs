//! `converge data`: the data sets and published weights there are; fetches and verifies them.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::options::DataOptions;
use super::printer::Printer;
use super::progress::Downloads;
use converge_core::models::mobilenet_v2::PublishedWeights;
use converge_data::LoadOptions;
use converge_data::catalogue::{self, Entry, Place};
use converge_figures::{Look, numbers, table};

/// List, fetch and verify data sets and pretrained weights
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge data                      what there is, and where it is
  converge data fetch cifar10        download it into the cache
  converge data verify mnist         read it whole and check its checksums

Data sets are looked for in --data-dir or $CONVERGE_DATA, then in the cache ($CONVERGE_CACHE), then
at their official address, or at $CONVERGE_MIRROR instead.")]
pub(super) struct DataArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    data_options: DataOptions,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the data sets and weights (what `data` alone does)
    List,
    /// Download a data set or weights into the cache
    #[command(
        after_help = "Examples:\n  converge data fetch cifar10\n  converge data fetch imagenet-v2"
    )]
    Fetch {
        /// The data set or the weights
        name: String,
    },
    /// Read a data set whole and check its checksums
    #[command(after_help = "Example:\n  converge data verify mnist")]
    Verify {
        /// The data set
        name: String,
    },
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    title: &'static str,
    licence: Option<&'static str>,
    download_bytes: u64,
    place: Option<String>,
}

impl Listed {
    fn new(entry: &Entry) -> Self {
        Self {
            name: entry.name,
            title: entry.title,
            licence: entry.licence,
            download_bytes: entry.files.iter().filter_map(|file| file.bytes).sum(),
            place: match &entry.place {
                Place::Directory(path) | Place::Cache(path) => Some(path.display().to_string()),
                Place::Nowhere => None,
                Place::Drawn => Some("drawn by code".to_owned()),
                Place::Own => Some("your own: set `data.path`".to_owned()),
            },
        }
    }

    /// The weights, and the file that holds them; an error where that file is damaged.
    fn of_weights(weights: &'static PublishedWeights, options: &LoadOptions) -> Result<Self> {
        let place = weights.set.find_file(options)?;
        let by_hand = weights.set.files.is_empty().then(|| "no address: put it by hand".to_owned());
        Ok(Self {
            name: weights.name,
            title: weights.set.title,
            licence: Some(weights.set.licence),
            download_bytes: weights.set.files.iter().filter_map(|file| file.bytes).sum(),
            place: place.map(|path| path.display().to_string()).or(by_hand),
        })
    }

    fn row(&self) -> Vec<String> {
        let size = if self.download_bytes == 0 {
            String::new()
        } else {
            numbers::bytes(self.download_bytes)
        };
        let place = self.place.clone();
        vec![
            self.name.to_owned(),
            self.title.to_owned(),
            size,
            place.unwrap_or_else(|| format!("not here: converge data fetch {}", self.name)),
        ]
    }
}

#[derive(Serialize)]
struct Verification {
    name: String,
    folder: String,
    training_samples: usize,
    test_samples: usize,
    files: Vec<converge_data::SourceFile>,
}

impl DataArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let options = self.data_options.load_options()?;
        let look = Look::detect();
        match self.action.unwrap_or(Action::List) {
            Action::List => {
                let entries = catalogue::entries(&options)?;
                let mut listed: Vec<Listed> = entries.iter().map(Listed::new).collect();
                for weights in PublishedWeights::all() {
                    listed.push(Listed::of_weights(weights, &options)?);
                }
                let rows: Vec<Vec<String>> = listed.iter().map(Listed::row).collect();
                printer.result(&listed, || {
                    table(look, &["name", "data set or weights", "download", "where"], &rows)
                })
            }
            Action::Fetch { name } => {
                let progress = &mut Downloads::new();
                let place = if PublishedWeights::all().iter().any(|known| known.name == name) {
                    PublishedWeights::obtain(&name, true, &options, progress)?.1
                } else {
                    catalogue::fetch(&name, &options, progress)?
                };
                printer.result(&place, || format!("{name} is in {}", place.display()))
            }
            Action::Verify { name } => {
                let Some(found) = catalogue::verify(&name, &options, &mut Downloads::new())? else {
                    bail!(
                        "{name} is not on this machine; `converge data fetch {name}` downloads it, \
                         `--data-dir DIR` names a folder that holds it"
                    );
                };
                let verification = Verification {
                    name,
                    folder: found.folder.display().to_string(),
                    training_samples: found.training_samples,
                    test_samples: found.test_samples,
                    files: found.files,
                };
                printer.result(&verification, || {
                    let rows: Vec<Vec<String>> = verification
                        .files
                        .iter()
                        .map(|file| {
                            let verdict = match file.official {
                                Some(true) => "official",
                                Some(false) => "whole, but NOT the official file",
                                None => "whole; no official checksum is published",
                            };
                            let name = file.path.file_name().unwrap_or_default();
                            vec![
                                name.to_string_lossy().into_owned(),
                                numbers::bytes(file.bytes),
                                file.sha256.chars().take(16).collect(),
                                verdict.to_owned(),
                            ]
                        })
                        .collect();
                    let mut text = table(look, &["file", "size", "SHA-256", "verdict"], &rows);
                    text += &format!(
                        "\n{}: {} training and {} test samples in {}",
                        verification.name,
                        numbers::count(verification.training_samples as u64),
                        numbers::count(verification.test_samples as u64),
                        verification.folder
                    );
                    text
                })
            }
        }
    }
}
