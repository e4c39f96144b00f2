//! What TensorBoard shows as texts and pictures: the experiment, the run, the surest mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use converge_record::{EvaluationRecord, MistakenInput, RunRecord};

use super::for_plugin;
use super::messages::{Dimension, STRING, Tensor, TensorShape, Value};

/// The experiment and the run, in Markdown.
pub(super) fn texts(record: &RunRecord, experiment: &str) -> Vec<Value> {
    // Four blanks make a line code, whatever stands in it.
    let code: Vec<String> = experiment.lines().map(|line| format!("    {line}")).collect();
    let data = &record.data;
    let synthetic = if data.is_synthetic() { "**SYNTHETIC DATA**: " } else { "" };
    let rows = [
        ("experiment", record.experiment.clone()),
        ("data", format!("{synthetic}{} ({})", data.title, data.description)),
        ("training samples", record.training_samples.to_string()),
        ("validation samples", record.validation_samples.to_string()),
        ("parameters", record.parameters.to_string()),
        ("seed", record.seed.map_or_else(String::new, |seed| seed.to_string())),
        ("device", record.device.clone()),
        ("converge", record.versions.converge.clone()),
        ("Burn", record.versions.burn.clone()),
        ("started", record.started.clone()),
    ];
    let rows = rows.into_iter().map(|(name, value)| [name.to_owned(), value]);
    vec![text("experiment", code.join("\n")), text("run", table(["run", ""], rows))]
}

/// The surest mistakes: a table, and of pictures each as one.
pub(super) fn mistakes(evaluation: &EvaluationRecord) -> Vec<Value> {
    if evaluation.mistakes.is_empty() {
        return vec![];
    }
    let class = |index: usize| {
        let name = evaluation.class_names.get(index);
        name.cloned().unwrap_or_else(|| index.to_string())
    };
    let mut pictures = vec![];
    let rows: Vec<[String; 6]> = (1..)
        .zip(&evaluation.mistakes)
        .map(|(place, mistake)| {
            let shown = match &mistake.input {
                MistakenInput::Text(text) => text.clone(),
                MistakenInput::Png(png) => {
                    let tag = format!("mistakes/{place:02}");
                    pictures.extend(picture(&tag, png));
                    tag
                }
            };
            let probability = format!("{:.4}", mistake.probability.0);
            let (index, place) = (mistake.index.to_string(), place.to_string());
            [place, index, class(mistake.truth), class(mistake.prediction), probability, shown]
        })
        .collect();
    let header = ["", "sample", "class", "taken for", "probability", "input"];
    let mut values = vec![text("mistakes", table(header, rows))];
    values.append(&mut pictures);
    values
}

/// A text under `tag`.
fn text(tag: &str, markdown: String) -> Value {
    let shape = TensorShape { dim: vec![] };
    let string_val = vec![markdown.into_bytes()];
    let tensor =
        Tensor { dtype: STRING, tensor_shape: Some(shape), string_val, ..Tensor::default() };
    for_plugin(tag, "text", vec![], tensor)
}

/// A picture under `tag`, as the plugin wants it: width, height, the file. Nothing if `base64` is no
/// PNG file.
fn picture(tag: &str, base64: &str) -> Option<Value> {
    let png = BASE64.decode(base64).ok()?;
    // Its first part begins with both sizes, after a signature, a length and a name.
    let side = |at: usize| Some(u32::from_be_bytes(png.get(at..at + 4)?.try_into().ok()?));
    let (width, height) = (side(16)?, side(20)?);
    let string_val = vec![width.to_string().into_bytes(), height.to_string().into_bytes(), png];
    let shape = TensorShape { dim: vec![Dimension { size: 3 }] };
    let tensor =
        Tensor { dtype: STRING, tensor_shape: Some(shape), string_val, ..Tensor::default() };
    Some(for_plugin(tag, "images", vec![], tensor))
}

/// A table in Markdown.
fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&header.map(str::to_owned)) + &line(&header.map(|_| "---".to_owned()));
    for row in rows {
        text += &line(&row.map(|cell| cell.replace(['\n', '\r'], " ").replace('|', "\\|")));
    }
    text
}
