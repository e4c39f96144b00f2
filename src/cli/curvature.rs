//! `converge curvature`: how the loss is bent around the checkpoints of a run.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::measured::{Kept, TimedProgress, train_command, write_figure, write_file, written};
use super::options::{DataOptions, DeviceOption, RunArgument};
use super::printer::{Printer, message};
use super::progress::Downloads;
use super::signals::{self, Stopped};
use super::train_result::plural;
use converge_core::explore::curvature::{
    Curvature, CurvatureError, Options, density_figure, epochs_figure, measure,
};
use converge_core::train::{Session, StopRequest, StoredRun as _};
use converge_data::Origin;
use converge_figures::{Look, numbers, table};
use converge_record::{RunDirectory, Which};

/// Measure how the loss is bent around the checkpoints of a run
///
/// The largest and the smallest eigenvalue of the Hessian of the training loss, its trace and the
/// density of its eigenvalues, and how far the learning rate is from the edge of stability. The run is
/// not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge curvature latest
  converge curvature latest --checkpoint best --density-probes 10
  converge curvature artifacts/mnist-20261122-101500 --samples 2000")]
pub(super) struct CurvatureArgs {
    #[command(flatten)]
    run: RunArgument,
    /// The checkpoint: `best`, `last` or the number of an epoch [default: all that are kept]
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<Which>,
    /// Training samples that the loss is a mean over, at most
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = positive)]
    samples: usize,
    /// Products with the Hessian for its extreme eigenvalues, at most
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = positive)]
    products: usize,
    /// Random vectors for the trace
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = positive)]
    probes: usize,
    /// Random vectors for the density of the eigenvalues, of 30 products each; 0 for none
    #[arg(long, value_name = "N", default_value_t = 2)]
    density_probes: usize,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
    /// The directory to write into: a directory per run, with figures and numbers
    #[arg(long, value_name = "DIR", default_value = "artifacts/curvature")]
    output: PathBuf,
}

fn positive(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().map_err(|error| error.to_string())?;
    if number > 0 { Ok(number) } else { Err("it must be at least 1".to_owned()) }
}

/// What `curvature --json` prints, and `curvature.json` has.
#[derive(Serialize)]
struct Told<'a> {
    run: PathBuf,
    experiment: &'a str,
    optimizer: &'a str,
    data: &'a str,
    origin: Origin,
    samples: usize,
    weights: usize,
    checkpoints: &'a [Curvature],
    findings: Vec<String>,
    set: Option<Vec<String>>,
    files: Vec<PathBuf>,
}

impl CurvatureArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let run = RunDirectory::open(&self.run.path()?)?;
        let epochs = match self.checkpoint {
            Some(which) => vec![run.checkpoint(which)?.state.epochs_done],
            None => run.checkpoints().epochs()?,
        };
        let mut session = Session::new(&self.device.name(), self.data_options.load_options()?)?;
        session.downloads = Box::new(Downloads::new());
        let prepared = session.prepare_run(&run)?;
        if prepared.data.is_synthetic() {
            printer.warning("THIS IS SYNTHETIC DATA: a loss on the real data is bent otherwise");
        }
        let options = Options {
            samples: self.samples,
            products: self.products,
            probes: self.probes,
            density_probes: self.density_probes,
            seed: 0,
        };
        let each = options.total_products(&prepared.experiment);
        let total = each * epochs.len();
        let gradients = 2 * total * self.samples.min(prepared.training.len());
        message(&format!(
            "{} with about {each} products with the Hessian each: what {} epochs of training cost",
            plural(epochs.len(), "checkpoint"),
            numbers::significant(gradients as f64 / prepared.training.len().max(1) as f64, 2),
        ));

        let name =
            run.path().file_name().map_or_else(|| "run".into(), std::ffi::OsStr::to_os_string);
        let directory = self.output.join(&name);
        let of = (run.path(), &run.record.started, self.device.name(), &options);
        let (kept, measured) = Kept::open::<Vec<Curvature>>(&directory, &of)?;
        let mut measured = measured.unwrap_or_default();
        let stop = StopRequest::default();
        signals::catch(stop.clone())?;
        let mut progress = TimedProgress::new("curvature");
        for (index, &epoch) in epochs.iter().enumerate() {
            if measured.iter().any(|one| one.epoch == epoch) {
                continue;
            }
            let checkpoint = run.checkpoint(Which::Epoch(epoch))?;
            let part = format!("epoch {epoch}");
            let result = measure(&prepared, &checkpoint, &options, &stop, &mut |products| {
                progress.at((index * each + products).min(total), total, &part);
            });
            if matches!(result, Err(CurvatureError::Stopped)) {
                progress.finish();
                message("stopped; the same command goes on from here");
                return Err(Stopped.into());
            }
            measured.push(result?);
            kept.keep(&measured)?;
        }
        progress.finish();
        measured.retain(|one| epochs.contains(&one.epoch));
        measured.sort_by_key(|one| one.epoch);
        let Some(last) = measured.last() else { bail!("the run keeps no checkpoint") };

        let name = name.to_string_lossy();
        let mut told = Told {
            run: run.path().to_owned(),
            experiment: &prepared.experiment.name,
            optimizer: prepared.experiment.optimizer.name(),
            data: &prepared.data.title,
            origin: prepared.data.origin,
            samples: self.samples.min(prepared.training.len()),
            weights: run.record.parameters,
            checkpoints: &measured,
            findings: findings(last),
            set: advice(last).map(|rate| vec![format!("optimizer.learning_rate={rate}")]),
            files: vec![],
        };
        let mut files = vec![];
        if measured.len() > 1 {
            write_figure(&directory, &epochs_figure(&name, &measured), &mut files)?;
        }
        if let Some(figure) = density_figure(&name, last) {
            write_figure(&directory, &figure, &mut files)?;
        }
        write_file(&directory, "curvature.csv", csv(&measured).as_bytes(), &mut files)?;
        files.push(directory.join("curvature.json"));
        told.files.clone_from(&files);
        let json = serde_json::to_vec_pretty(&told)?;
        write_file(&directory, "curvature.json", &json, &mut vec![])?;
        printer.result(&told, || text(Look::detect(), &told))
    }
}

fn csv(measured: &[Curvature]) -> String {
    let mut text = "epoch,learning_rate,loss,gradient_norm,largest,largest_bound,smallest,\
                    smallest_bound,trace,trace_error,edge_largest,edge_limit,edge_ratio\n"
        .to_owned();
    for one in measured {
        let optional =
            |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let edge = |value: fn(&converge_core::explore::curvature::Edge) -> f64| {
            optional(one.edge.as_ref().map(value))
        };
        text += &format!(
            "{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
            one.epoch,
            one.learning_rate,
            one.loss,
            one.gradient_norm,
            one.largest.value,
            one.largest.bound,
            one.smallest.value,
            one.smallest.bound,
            one.trace,
            optional(one.trace_error),
            edge(|edge| edge.largest.value),
            edge(|edge| edge.limit),
            edge(|edge| edge.ratio),
        );
    }
    text
}

/// The share of the largest eigenvalue beyond which a negative one counts.
const BENDS_DOWN: f64 = 0.05;

/// What the curvature says, in sentences.
fn findings(last: &Curvature) -> Vec<String> {
    let number = |value| numbers::significant(value, 3);
    let mut findings = vec![];
    let (largest, smallest) = (last.largest.value, last.smallest.value);
    let certain = smallest + last.smallest.bound < 0.0;
    findings.push(if certain && smallest < -BENDS_DOWN * largest {
        format!(
            "The loss bends down as well as up (smallest eigenvalue {}): this is no minimum but a \
             saddle, or training has only begun.",
            number(smallest)
        )
    } else if certain {
        format!(
            "The smallest eigenvalue, {}, is small beside the largest, {}: the floor of a valley, \
             flat to within {} %.",
            number(smallest),
            number(largest),
            number(100.0 * (smallest / largest).abs())
        )
    } else {
        "No direction bends down as far as can be measured: the loss is a bowl here, on this \
         sample; how far its bottom is, the length of the gradient tells."
            .to_owned()
    });
    if let Some(edge) = &last.edge {
        let seen = if edge.preconditioned { ", preconditioned as the optimizer does," } else { "" };
        let ratio = number(edge.ratio);
        findings.push(if edge.ratio > 1.2 {
            format!(
                "The largest eigenvalue{seen} is {ratio} times what the rate bears: steps along it \
                 overshoot, and only noise or curvature further out keeps them in."
            )
        } else if edge.ratio > 0.8 {
            format!(
                "Training is at the edge of stability: the largest eigenvalue{seen} is {ratio} of \
                 what the rate bears. Large steps do so by themselves; a higher rate would only \
                 settle elsewhere."
            )
        } else {
            format!(
                "The rate is inside the edge of stability: the largest eigenvalue{seen} is {ratio} \
                 of what it bears."
            )
        });
    }
    if last.product_error > 0.05 {
        findings.push(format!(
            "Products are only good to {} %: kinks of the activations, or gradients near nothing. \
             Take the numbers for their order of magnitude.",
            number(100.0 * last.product_error)
        ));
    }
    findings
}

/// Another rate, where the edge says that this one is far off.
fn advice(last: &Curvature) -> Option<String> {
    let edge = last.edge.filter(|edge| edge.ratio > 1.2)?;
    // Half way to the edge, with two digits.
    Some(format!("{:.1e}", 0.5 * last.learning_rate / edge.ratio))
        .and_then(|text| text.parse::<f64>().ok())
        .map(|rate| rate.to_string())
}

fn text(look: Look, told: &Told) -> String {
    let number = |value| numbers::significant(value, 3);
    let row = |one: &Curvature| {
        let edge = one.edge.map(|edge| number(edge.ratio)).unwrap_or_default();
        let error = one.trace_error.map(|error| format!(" ± {}", numbers::significant(error, 2)));
        vec![
            one.epoch.to_string(),
            number(one.loss),
            number(one.gradient_norm),
            number(one.largest.value),
            number(one.smallest.value),
            number(one.trace) + &error.unwrap_or_default(),
            edge,
        ]
    };
    let rows: Vec<Vec<String>> = told.checkpoints.iter().map(row).collect();
    let header = ["epoch", "loss", "gradient", "largest", "smallest", "trace", "of the edge"];
    let mut text = format!(
        "{} on {} training samples\n\n{}\n\n",
        told.run.display(),
        told.samples,
        table(look, &header, &rows)
    );
    for finding in &told.findings {
        text += &format!("{finding}\n");
    }
    if let Some(set) = &told.set {
        let experiment = told.run.join("experiment.toml").display().to_string();
        text += &format!("try: {}\n", train_command(&experiment, set));
    }
    text + &written(&told.files)
}
