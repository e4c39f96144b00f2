//! What the zoo trains on: small problems of every kind of model, from parts of real data.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use converge_data::{DataSettings, Inputs, LoadOptions, NoProgress, Parts, Samples, Targets};

use super::Result;
use super::faults::Fault;

/// A problem, and the healthy training of it.
pub(super) struct Problem {
    pub(super) name: &'static str,
    /// `[data]`, `[model]`, `[training]` and `[optimizer]`.
    text: String,
    /// Whether its data are real.
    pub(super) real: bool,
    /// The rate that suits it.
    pub(super) rate: f64,
    /// Epochs that bring a healthy run to its floor.
    pub(super) epochs: usize,
    /// The loss of the best constant answer, where it is known before.
    pub(super) guessing: Option<f64>,
    pub(super) model: Model,
    /// Whether its data are there with other labels and sorted, too.
    pub(super) relabelled: bool,
}

/// What can be wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Linear,
    Mlp,
    Cnn,
    Lstm,
    Factors,
}

impl Problem {
    /// The experiment of a run with `fault`.
    pub(super) fn experiment(&self, fault: &Fault) -> String {
        format!("name = \"{}\"\n{}", self.name, self.text.replace("{data}", fault.data))
    }
}

/// Data sets in `folder` as they are, with labels drawn anew, and sorted by class.
pub(super) const AS_THEY_ARE: &str = "plain";
pub(super) const OTHER_LABELS: &str = "shuffled-labels";
pub(super) const SORTED: &str = "sorted";

/// Digits that are trained and validated on, ratings, and reviews of each class.
const DIGITS: usize = 3000;
const RATINGS: usize = 20_000;
const REVIEWS: usize = 700;

/// All problems, their data written into `folder`.
pub(super) fn all(folder: &Path) -> Result<Vec<Problem>> {
    let found = LoadOptions::from_environment(None)?.directory;
    let at = |name: &str| found.as_ref().map(|data| data.join(name)).filter(|path| path.exists());
    let digits = digits(folder)?;
    let ratings = at("ml-100k").map(|path| ratings(folder, &path)).transpose()?.is_some();
    let reviews = at("aclImdb").map(|path| reviews(folder, &path)).transpose()?.is_some();
    let housing = at("california-housing").is_some();
    at("california-housing").map(|path| districts(folder, &path)).transpose()?;
    let problem = |name, model, real, rate, epochs, guessing, data: &str, rest: &str| Problem {
        name,
        text: format!(
            "[data]\n{data}\n{rest}\nlearning_rate = {rate}\n[training]\nbatch_size = 32\n"
        ),
        real,
        rate,
        epochs,
        guessing,
        model,
        relabelled: !matches!(name, "line" | "housing"),
    };
    let mnist = "name = \"mnist\"\nvalidation_fraction = 0.3\nvalidation_split = \"random\"";
    let own = |name: &str, file: &str, otherwise: &str, real: bool| {
        if real {
            format!("name = \"{name}\"\npath = \"{}/{{data}}/{file}\"", folder.display())
        } else {
            otherwise.to_owned()
        }
    };
    let ratings_data =
        own("ratings", "ratings.csv", "name = \"ratings\"\nsource = \"synthetic\"", ratings);
    let reviews_data = own(
        "text",
        "reviews.csv",
        "name = \"imdb\"\nsource = \"synthetic\"",
        reviews,
    ) + "\nvocabulary_size = 1000\nlength = 20\nvalidation_fraction = 0.3\nvalidation_split = \"random\"";
    Ok(vec![
        problem(
            "line",
            Model::Linear,
            false,
            0.01,
            30,
            None,
            "name = \"regression\"\nsamples = 1000\nnoise = 3.0\nvalidation_fraction = 0.2",
            "[model]\nname = \"linear\"\n[optimizer]\nname = \"sgd\"",
        ),
        problem(
            "housing",
            Model::Mlp,
            housing,
            0.001,
            30,
            None,
            "name = \"housing\"\nvalidation_fraction = 0.5",
            "[model]\nname = \"mlp\"\nhidden = [32]\n[optimizer]\nname = \"adam\"",
        ),
        problem(
            "digits",
            Model::Mlp,
            digits,
            0.001,
            20,
            Some(10_f64.ln()),
            mnist,
            "[model]\nname = \"mlp\"\nhidden = [32]\n[optimizer]\nname = \"adam\"",
        ),
        problem(
            "digits by convolution",
            Model::Cnn,
            digits,
            0.001,
            15,
            Some(10_f64.ln()),
            mnist,
            "[model]\nname = \"cnn\"\nchannels = [4, 8]\nhidden = [16]\n[optimizer]\nname = \"adam\"",
        ),
        problem(
            "reviews",
            Model::Lstm,
            reviews,
            0.002,
            16,
            Some(2_f64.ln()),
            &reviews_data,
            "[model]\nname = \"lstm\"\nembedding = 8\nhidden = 16\n[optimizer]\nname = \"adam\"",
        ),
        problem(
            "ratings",
            Model::Factors,
            ratings,
            0.1,
            20,
            None,
            &(ratings_data + "\nvalidation_fraction = 0.2"),
            "[model]\nname = \"matrix_factorization\"\nfactors = 8\n[optimizer]\nname = \"sgd\"",
        ),
    ])
}

/// A part of MNIST as IDX files; whether it is real.
fn digits(folder: &Path) -> Result<bool> {
    let settings: DataSettings = serde_json::from_value(serde_json::json!({"name": "mnist"}))?;
    let data =
        settings.load(Parts::Both, &LoadOptions::from_environment(None)?, &mut NoProgress)?;
    let real = !data.record().is_synthetic();
    let training = part(&data.training, DIGITS);
    let Targets::Classes(classes) = &training.targets else { return Err("no classes".into()) };
    let mut sorted: Vec<usize> = (0..classes.len()).collect();
    sorted.sort_by_key(|&index| classes[index]);
    let test = part(&data.test, 100);
    for (name, training) in [
        (AS_THEY_ARE, training.clone()),
        (
            OTHER_LABELS,
            Samples { targets: Targets::Classes(drawn_anew(classes)), ..training.clone() },
        ),
        (SORTED, training.select(&sorted)),
    ] {
        let to = folder.join(name).join("mnist");
        fs::create_dir_all(&to)?;
        for (prefix, samples) in [("train", &training), ("t10k", &test)] {
            let (Inputs::Bytes(bytes), Targets::Classes(classes)) =
                (&samples.inputs, &samples.targets)
            else {
                return Err("no images".into());
            };
            let count = (classes.len() as u32).to_be_bytes();
            let side = 28_u32.to_be_bytes();
            let images = [&[0, 0, 8, 3][..], &count, &side, &side, bytes].concat();
            let labels: Vec<u8> = classes.iter().map(|&class| class as u8).collect();
            let labels = [&[0, 0, 8, 1][..], &count, &labels].concat();
            fs::write(to.join(format!("{prefix}-images-idx3-ubyte")), images)?;
            fs::write(to.join(format!("{prefix}-labels-idx1-ubyte")), labels)?;
        }
    }
    Ok(real)
}

fn part(samples: &Samples, count: usize) -> Samples {
    samples.select(&(0..count.min(samples.len())).collect::<Vec<_>>())
}

/// The same values in another order, which has nothing to do with theirs.
fn drawn_anew<T: Copy>(values: &[T]) -> Vec<T> {
    let mut mixed = values.to_vec();
    let mut state = 1_u64;
    for at in (1..mixed.len()).rev() {
        // The generator of Knuth's MMIX.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        mixed.swap(at, (state >> 33) as usize % (at + 1));
    }
    mixed
}

/// The census of California as it is.
fn districts(folder: &Path, path: &Path) -> Result<()> {
    let to = folder.join(AS_THEY_ARE).join("california-housing");
    fs::create_dir_all(&to)?;
    fs::copy(path.join("cal_housing.data"), to.join("cal_housing.data"))?;
    Ok(())
}

/// The first ratings of `ml-100k`, which are in no order.
fn ratings(folder: &Path, path: &Path) -> Result<()> {
    let text = fs::read_to_string(path.join("u.data"))?;
    let rows: Vec<Vec<&str>> =
        text.lines().take(RATINGS).map(|line| line.split('\t').take(3).collect()).collect();
    let of_users: Vec<&str> = rows.iter().filter_map(|row| row.get(2).copied()).collect();
    let mixed = drawn_anew(&of_users);
    let mut sorted = of_users.iter().zip(&rows).collect::<Vec<_>>();
    sorted.sort_by_key(|(rating, _)| **rating);
    let line = |row: &[&str], rating: &str| format!("{},{},{rating}\n", row[0], row[1]);
    let plain: String = rows.iter().zip(&of_users).map(|(row, rating)| line(row, rating)).collect();
    let other: String = rows.iter().zip(&mixed).map(|(row, rating)| line(row, rating)).collect();
    let sorted: String = sorted.iter().map(|(rating, row)| line(row, rating)).collect();
    for (name, text) in [(AS_THEY_ARE, plain), (OTHER_LABELS, other), (SORTED, sorted)] {
        fs::write(folder.join(name).join("ratings.csv"), format!("user,item,rating\n{text}"))?;
    }
    Ok(())
}

/// The first film reviews of each class, one of each in turn.
fn reviews(folder: &Path, path: &Path) -> Result<()> {
    let mut texts: Vec<Vec<String>> = vec![];
    for class in ["neg", "pos"] {
        let entries = fs::read_dir(path.join("train").join(class))?;
        let mut files: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort();
        files.truncate(REVIEWS);
        texts.push(files.iter().map(fs::read_to_string).collect::<std::io::Result<_>>()?);
    }
    let row = |class: usize, text: &str| format!("{class},\"{}\"\n", text.replace('"', "\"\""));
    let mut in_turn = vec![];
    for (negative, positive) in texts[0].iter().zip(&texts[1]) {
        in_turn.extend([(0, negative), (1, positive)]);
    }
    let classes: Vec<usize> = in_turn.iter().map(|(class, _)| *class).collect();
    let mixed = drawn_anew(&classes);
    let mut sorted = in_turn.clone();
    sorted.sort_by_key(|(class, _)| *class);
    let written = |rows: &[(usize, &String)]| {
        let mut text = "label,text\n".to_owned();
        for (class, review) in rows {
            let _ = write!(text, "{}", row(*class, review));
        }
        text
    };
    let other: Vec<(usize, &String)> =
        mixed.into_iter().zip(in_turn.iter().map(|(_, text)| *text)).collect();
    for (name, rows) in [(AS_THEY_ARE, &in_turn), (OTHER_LABELS, &other), (SORTED, &sorted)] {
        fs::write(folder.join(name).join("reviews.csv"), written(rows))?;
    }
    Ok(())
}
