//! Hyper-parameters, as TensorBoard's plugin `hparams` compares runs by them.
//!
//! Names and numbers of fields are those of `tensorboard/plugins/hparams/plugin_data.proto` and
//! `api.proto`; what the plugin is told stands in the metadata of a value that is empty.

use std::collections::BTreeMap;
use std::path::PathBuf;

use converge_record::{RecordError, RunRecord, Status};
use prost::{Message, Oneof};

use super::messages::{Dimension, FLOAT, Tensor, TensorShape, Value};
use super::{epoch_tag, for_plugin};

#[derive(Clone, PartialEq, Message)]
struct PluginData {
    #[prost(oneof = "Told", tags = "2, 3, 4")]
    told: Option<Told>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Told {
    #[prost(message, tag = "2")]
    Experiment(Experiment),
    #[prost(message, tag = "3")]
    SessionStart(SessionStart),
    #[prost(message, tag = "4")]
    SessionEnd(SessionEnd),
}

#[derive(Clone, PartialEq, Message)]
struct Experiment {
    #[prost(double, tag = "3")]
    time_created: f64,
    #[prost(message, repeated, tag = "4")]
    hparams: Vec<HparamInfo>,
    #[prost(message, repeated, tag = "5")]
    metrics: Vec<MetricInfo>,
    #[prost(string, tag = "6")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct HparamInfo {
    #[prost(string, tag = "1")]
    name: String,
    /// A text (1), a flag (2) or a number (3).
    #[prost(int32, tag = "4")]
    data_type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct MetricInfo {
    #[prost(message, optional, tag = "1")]
    name: Option<MetricName>,
    #[prost(string, tag = "3")]
    display_name: String,
    /// Of training (1) or of validation (2).
    #[prost(int32, tag = "5")]
    dataset_type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct MetricName {
    /// The folder below that of the session.
    #[prost(string, tag = "1")]
    group: String,
    #[prost(string, tag = "2")]
    tag: String,
}

#[derive(Clone, PartialEq, Message)]
struct SessionStart {
    #[prost(btree_map = "string, message", tag = "1")]
    hparams: BTreeMap<String, Hparam>,
    #[prost(double, tag = "5")]
    start_time: f64,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
struct Hparam {
    #[prost(oneof = "Kind", tags = "2, 3, 4")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Flag(bool),
}

#[derive(Clone, PartialEq, Message)]
struct SessionEnd {
    /// Success (1), failure (2).
    #[prost(int32, tag = "1")]
    status: i32,
    #[prost(double, tag = "2")]
    end_time: f64,
}

/// What is compared, and the hyper-parameters of the run of `record`, which stand in `experiment`, a
/// file and its text.
pub(super) fn start(
    record: &RunRecord,
    (path, experiment): &(PathBuf, String),
) -> Result<Vec<Value>, RecordError> {
    let table: toml::Table =
        experiment.parse().map_err(|error| RecordError::damaged(path, error))?;
    let mut hparams = BTreeMap::new();
    flatten(&table, "", &mut hparams);
    let infos = hparams.iter().map(|(name, hparam)| HparamInfo {
        name: name.clone(),
        data_type: match hparam.kind {
            Some(Kind::Number(_)) => 3,
            Some(Kind::Flag(_)) => 2,
            _ => 1,
        },
    });
    let started = record.started_at().map_or(0.0, |time| time.as_duration().as_secs_f64());
    let experiment = Experiment {
        time_created: started,
        hparams: infos.collect(),
        metrics: metrics(record),
        name: record.experiment.clone(),
    };
    let session = SessionStart { hparams, start_time: started };
    Ok(vec![
        told("_hparams_/experiment", Told::Experiment(experiment)),
        told("_hparams_/session_start_info", Told::SessionStart(session)),
    ])
}

/// How the run of `record` ended.
pub(super) fn end(record: &RunRecord, now: f64) -> Value {
    let status = if record.status == Status::Completed { 1 } else { 2 };
    told("_hparams_/session_end_info", Told::SessionEnd(SessionEnd { status, end_time: now }))
}

/// The metrics that runs are compared by.
fn metrics(record: &RunRecord) -> Vec<MetricInfo> {
    let classifies = !record.data.class_names.is_empty();
    let names: &[&str] = if classifies { &["loss", "accuracy"] } else { &["loss", "rmse", "r2"] };
    let mut folders = vec![("train", "training", 1)];
    if record.validation_samples > 0 {
        folders.insert(0, ("validation", "validation", 2));
    }
    let metric = |(group, of, dataset_type): (&str, &str, i32), name: &str| MetricInfo {
        name: Some(MetricName { group: group.to_owned(), tag: epoch_tag(name) }),
        display_name: format!("{of} {name}"),
        dataset_type,
    };
    folders
        .into_iter()
        .flat_map(|folder| names.iter().map(move |name| metric(folder, name)))
        .collect()
}

/// Adds the keys of `table`, with its `section` in front, to `hparams`.
fn flatten(table: &toml::Table, section: &str, hparams: &mut BTreeMap<String, Hparam>) {
    for (key, value) in table {
        let name = format!("{section}{key}");
        let kind = match value {
            toml::Value::Table(table) => {
                flatten(table, &format!("{name}."), hparams);
                continue;
            }
            toml::Value::Integer(number) => Kind::Number(*number as f64),
            toml::Value::Float(number) => Kind::Number(*number),
            toml::Value::Boolean(flag) => Kind::Flag(*flag),
            toml::Value::String(text) => Kind::Text(text.clone()),
            other => Kind::Text(other.to_string()),
        };
        hparams.insert(name, Hparam { kind: Some(kind) });
    }
}

/// What the plugin is told under `tag`, beside an empty tensor.
fn told(tag: &str, told: Told) -> Value {
    let content = PluginData { told: Some(told) }.encode_to_vec();
    let shape = TensorShape { dim: vec![Dimension { size: 0 }] };
    let empty = Tensor { dtype: FLOAT, tensor_shape: Some(shape), ..Tensor::default() };
    for_plugin(tag, "hparams", content, empty)
}
