//! What a trained model scores on the test split of its data set.
//!
//! [`Trained`] is a checkpoint of a run, loaded; [`evaluate`] scores it. The command `evaluate`
//! prints an [`Evaluation`], cross-validation takes one of every fold.

mod baseline;
mod mistakes;
mod trained;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

pub use baseline::Baseline;
pub use trained::Trained;

use crate::device::DeviceError;
use crate::models::Model;
use crate::train::{TrainError, same_source, where_they_were};
use baseline::least_squares;
use converge_data::{
    DataError, DataSet, DownloadProgress, LoadOptions, Origin, Parts, Preprocessing, Samples,
    Targets, Task,
};
use converge_metrics::classification::{
    cross_entropy, predicted_classes, top_k_accuracy, two_class_logits,
};
use converge_metrics::{
    ClassificationReport, ConfusionMatrix, MetricsError, RegressionScores, roc_auc,
};
use converge_record::{DataRecord, Difference, EvaluationRecord, Mistake, NamedScore, Number};
use mistakes::surest_mistakes;

/// The scores of a checkpoint on the test split.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// The directory of the run.
    pub run: PathBuf,
    /// The epoch that the weights are from.
    pub epoch: usize,
    /// The name of the device that computed.
    pub device: String,
    /// The title of the data set.
    pub data: String,
    /// Real or synthetic.
    pub origin: Origin,
    /// All that is known of the data.
    #[serde(skip)]
    pub data_record: DataRecord,
    /// Wrong predictions of classes, the surest first.
    #[serde(skip)]
    pub mistakes: Vec<Mistake>,
    /// What tells the data from those of the run, where others were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_data: Option<String>,
    /// The scores.
    #[serde(flatten)]
    pub scores: Scores,
}

/// Scores, as the task has them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scores {
    /// Of predicted classes.
    Classification {
        /// The mean cross-entropy, in nats.
        loss: f64,
        /// Accuracy, precision, recall and F1.
        #[serde(flatten)]
        report: ClassificationReport,
        /// The area under the ROC curve, in `[0, 1]`: of two classes, where both occur.
        #[serde(skip_serializing_if = "Option::is_none")]
        auroc: Option<f64>,
        /// The fraction of samples whose class is among the five most probable ones: of more than
        /// five classes.
        #[serde(skip_serializing_if = "Option::is_none")]
        top_5_accuracy: Option<f64>,
        /// How often each class was predicted as each.
        confusion_matrix: ConfusionMatrix,
        /// The names of the classes, by class index.
        class_names: Vec<String>,
    },
    /// Of predicted values.
    Regression {
        /// The errors, in the unit of the targets, and R².
        scores: RegressionScores,
        /// The closed-form least-squares solution on the same splits, for linear models.
        least_squares: Option<Baseline>,
    },
}

impl Evaluation {
    /// As it is kept in the directory of the run.
    pub fn record(&self) -> EvaluationRecord {
        let samples = self.scores.samples();
        let data = self.data_record.clone();
        let mut record = EvaluationRecord::new(self.epoch, "test", &self.device, data, samples);
        record.other_data.clone_from(&self.other_data);
        record.metrics = self.scores.named();
        if let Scores::Classification { confusion_matrix, class_names, .. } = &self.scores {
            record.class_names.clone_from(class_names);
            record.confusion_matrix = confusion_matrix.rows().to_vec();
            record.mistakes.clone_from(&self.mistakes);
        }
        record
    }
}

impl Scores {
    /// How many samples were scored.
    pub fn samples(&self) -> usize {
        match self {
            Self::Classification { report, .. } => report.samples as usize,
            Self::Regression { scores, .. } => scores.samples,
        }
    }

    /// The scores under their names, the most telling first.
    fn named(&self) -> Vec<NamedScore> {
        let score = |name: &str, value, higher_is_better| NamedScore {
            name: name.to_owned(),
            value: Number(value),
            higher_is_better,
        };
        match self {
            Self::Classification { loss, report, auroc, top_5_accuracy, .. } => {
                let mut all = vec![
                    score("accuracy", report.accuracy, true),
                    score("f1", report.macro_average.f1, true),
                ];
                all.extend(auroc.map(|value| score("auroc", value, true)));
                all.extend(top_5_accuracy.map(|value| score("top_5_accuracy", value, true)));
                all.push(score("loss", *loss, false));
                all
            }
            Self::Regression { scores, .. } => vec![
                score("rmse", scores.rmse, false),
                score("mae", scores.mae, false),
                score("r2", scores.r2, true),
                score("mse", scores.mse, false),
            ],
        }
    }
}

/// Which data a model is scored on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TestData {
    /// The test split of the run's data; an error if the data are not those of the run.
    #[default]
    OfRun,
    /// The test split of the data found, whichever they are.
    Other,
}

/// Why a model could not be loaded or scored.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The run cannot be read, or a computation failed.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The data could not be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The predictions could not be scored.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The data are not those of the run.
    #[error(
        "{difference}. The test split may now hold samples that the model was trained on. Give the \
         folder of the run's data with `--data-dir`, or score other data on purpose with \
         `--data other`"
    )]
    OtherData {
        /// What differs.
        difference: String,
    },
    /// Other data have a class that the model cannot predict.
    #[error("the model knows no class `{class}`; it knows `{}`", known.join("`, `"))]
    UnknownClass {
        /// The class.
        class: String,
        /// The classes of the model.
        known: Vec<String>,
    },
    /// There is nothing to score on.
    #[error("the test split is empty; raise `data.test_fraction`")]
    NoTestSamples,
}

/// Scores `trained` on the test split of the data set that it was trained on, real data for real
/// data and the synthetic stand-in for the stand-in. `progress` is told how many samples are done,
/// and of how many.
///
/// The files have to be those of the run, told by their checksums, and the classes too, unless
/// [`TestData::Other`] is asked for; then classes are found by their names.
///
/// Classes are scored by the definitions of scikit-learn's `metrics` module, values by those of
/// [`RegressionScores`]; predicted ratings are first moved into the range of the ratings there can
/// be.
///
/// ```
/// # use converge_core::{device, experiment::Experiment, train::Session};
/// use converge_core::evaluation::{Scores, TestData, Trained, evaluate};
/// use converge_data::{LoadOptions, NoProgress};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (output, load) = (tempfile::tempdir()?, LoadOptions::from_environment(None)?);
/// # let experiment = Experiment::load("linear", &[])?;
/// # let session = Session::new(device::default_name(), load.clone())?;
/// # let run = session.train(experiment, output.path())?.run.path().to_owned();
/// // `run` is the directory of a run of the experiment `linear`.
/// let trained = Trained::load(&run, None, device::default_name())?;
/// let evaluation =
///     evaluate(&trained, TestData::OfRun, &load, &mut NoProgress, &mut |_, _| {})?;
///
/// let Scores::Regression { scores, least_squares } = evaluation.scores else { unreachable!() };
/// assert!(scores.r2 > 0.999);
/// // The data were drawn from a linear model: this training's goal is known in closed form.
/// assert!(least_squares.is_some_and(|optimum| optimum.relative_distance < 0.01));
/// # Ok(())
/// # }
/// ```
pub fn evaluate(
    trained: &Trained,
    which: TestData,
    options: &LoadOptions,
    downloads: &mut dyn DownloadProgress,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Evaluation, EvaluationError> {
    let settings = same_source(&trained.experiment.data, trained.run.record.data.origin)?;
    let options = &where_they_were(options, &trained.run.record.data);
    let needs_training_split = matches!(trained.model, Model::Linear(_));
    let parts = if needs_training_split { Parts::Both } else { Parts::Test };
    let mut data = settings.load(parts, options, downloads)?;
    let recorded = &trained.run.record.data;
    let mut difference = recorded.difference(&data.record());
    if let Some(Difference::Unknown(_)) = difference {
        // An older run did not record its test split: then the training split tells.
        data = settings.load(Parts::Both, options, downloads)?;
        difference = recorded.missing_from(&data.record());
    }
    let other_data = difference.map(Difference::into_sentence);
    let data_record = data.record();
    match (which, &other_data) {
        (TestData::OfRun, Some(difference)) => {
            return Err(EvaluationError::OtherData { difference: difference.clone() });
        }
        (TestData::Other, _) => translate_classes(&mut data, &recorded.class_names)?,
        (TestData::OfRun, None) => {}
    }
    let (title, origin) = (data.title.clone(), data.origin);
    let (scores, mistakes) = score(trained, data, progress)?;
    Ok(Evaluation {
        run: trained.run.path().to_owned(),
        epoch: trained.epoch,
        device: trained.device_name.clone(),
        data: title,
        origin,
        data_record,
        mistakes,
        other_data,
        scores,
    })
}

/// Makes the classes of the test split of `data` those of the model, called `known`.
fn translate_classes(data: &mut DataSet, known: &[String]) -> Result<(), EvaluationError> {
    let Targets::Classes(classes) = &mut data.test.targets else { return Ok(()) };
    let place = |name: &String| known.iter().position(|known| known == name);
    for class in classes {
        let name = data.class_names.get(*class as usize).cloned().unwrap_or_default();
        *class = place(&name)
            .ok_or_else(|| EvaluationError::UnknownClass { class: name, known: known.to_vec() })?
            as u32;
    }
    data.class_names = known.to_vec();
    Ok(())
}

fn score(
    trained: &Trained,
    data: DataSet,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(Scores, Vec<Mistake>), EvaluationError> {
    let test = Arc::new(data.test);
    let samples = test.len();
    if samples == 0 {
        return Err(EvaluationError::NoTestSamples);
    }
    progress(0, samples);
    let outputs = trained.outputs(Arc::clone(&test), &mut |done| progress(done, samples))?;
    match &test.targets {
        Targets::Classes(targets) => {
            let task = trained.experiment.data.task();
            Ok(classification(task, &test, targets, outputs, data.class_names)?)
        }
        Targets::Values(targets) => {
            let mut values = outputs;
            if let Preprocessing::Ratings(index) = &trained.preprocessing {
                for rating in &mut values {
                    *rating = index.clip(*rating);
                }
            }
            let scores = RegressionScores::new(targets, &values)?;
            let least_squares = least_squares(trained, data.training, &test)?;
            Ok((Scores::Regression { scores, least_squares }, vec![]))
        }
    }
}

/// The scores of `outputs`, row-major: logits of all classes, or one logit for the second of two; and
/// the surest mistakes.
fn classification(
    task: Task,
    test: &Samples,
    targets: &[u32],
    mut outputs: Vec<f32>,
    class_names: Vec<String>,
) -> Result<(Scores, Vec<Mistake>), MetricsError> {
    if task == Task::BinaryClassification {
        outputs = two_class_logits(&outputs);
    }
    let classes = outputs.len() / targets.len();
    let margins = || -> Vec<f32> { outputs.chunks(2).map(|row| row[1] - row[0]).collect() };
    let auroc = match (classes == 2).then(|| roc_auc(targets, &margins())).transpose() {
        Err(MetricsError::OneClass { .. }) => None,
        auroc => auroc?,
    };
    let top_5_accuracy =
        (classes > 5).then(|| top_k_accuracy(targets, &outputs, classes, 5)).transpose()?;
    let predicted = predicted_classes(&outputs, classes)?;
    let confusion_matrix = ConfusionMatrix::new(targets, &predicted, classes)?;
    let mistakes = surest_mistakes(test, targets, &outputs, &predicted);
    let scores = Scores::Classification {
        loss: cross_entropy(targets, &outputs, classes)?,
        report: confusion_matrix.report(),
        auroc,
        top_5_accuracy,
        confusion_matrix,
        class_names,
    };
    Ok((scores, mistakes))
}
