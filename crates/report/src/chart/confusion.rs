//! The confusion matrix as a picture.

use converge_record::EvaluationRecord;
use serde_json::{Value, json};

use super::{Chart, number, text};

/// The most classes whose counts are written into the cells.
const MOST_WRITTEN: usize = 12;

/// The confusion matrix of `evaluation`: the colour is the share of a true class, the number the count.
pub(crate) fn confusion_matrix(evaluation: &EvaluationRecord) -> Option<Chart> {
    let rows = &evaluation.confusion_matrix;
    if rows.is_empty() {
        return None;
    }
    let names: Vec<String> = labels(&evaluation.class_names);
    let shares: Vec<Vec<Value>> = rows
        .iter()
        .map(|row| {
            let all = row.iter().sum::<u64>() as f64;
            row.iter().map(|&count| number(count as f64 / all)).collect()
        })
        .collect();
    let template = if rows.len() <= MOST_WRITTEN { "%{text}" } else { "" };
    let mut chart = Chart {
        title: "Confusion matrix".to_owned(),
        caption: String::new(),
        log_x: None,
        log_y: None,
        curves: 0,
        height: (140 + 34 * rows.len()).clamp(320, 720),
        data: vec![json!({
            "type": "heatmap",
            "x": names,
            "y": names,
            "z": shares,
            "text": rows,
            "texttemplate": template,
            "zmin": 0,
            "zmax": 1,
            "colorscale": "Viridis",
            "colorbar": { "title": { "text": "share of the class", "side": "right" },
                          "tickformat": ".0%", "thickness": 12 },
            "hovertemplate": "%{y}, predicted as %{x}: %{text} (%{z:.2%})<extra></extra>",
        })],
        layout: json!({
            "xaxis": { "title": { "text": "predicted" }, "type": "category", "side": "bottom" },
            "yaxis": { "title": { "text": "true" }, "type": "category", "autorange": "reversed" },
        }),
    };
    chart.say("A row is a true class; the colour is its share, the number how many samples.");
    Some(chart)
}

/// Names for an axis, which takes two classes of one name for one class.
fn labels(names: &[String]) -> Vec<String> {
    let is_twice = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let label = |(index, name): (usize, &String)| {
        if is_twice(name) { format!("{} ({index})", text(name)) } else { text(name) }
    };
    names.iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_name_stay_apart() {
        let names = ["cat", "<dog>", "cat"].map(str::to_owned);
        assert_eq!(labels(&names), ["cat (0)", "&lt;dog&gt;", "cat (2)"]);
    }
}
