//! What was measured of single parameters and layers, as heat maps over time.

use converge_record::{Column, Measure, StepRow};
use serde_json::{Value, json};

use super::{Chart, number, text};

/// The most cells of a map, and the most columns: a screen has no more.
const MOST_CELLS: usize = 6000;
const MOST_COLUMNS: usize = 300;

/// A heat map for each measure that `rows` have.
pub(crate) fn heat_maps(rows: &[StepRow]) -> Vec<Chart> {
    Measure::ALL.into_iter().filter_map(|measure| heat_map(rows, measure)).collect()
}

fn heat_map(rows: &[StepRow], measure: Measure) -> Option<Chart> {
    // A later stage of a run has more columns, never fewer.
    let columns = rows.last()?.parts.iter().map(|(column, _)| column).enumerate();
    let parts: Vec<(usize, &Column)> =
        columns.filter(|(_, column)| column.measure == measure).collect();
    let measured: Vec<&StepRow> = rows
        .iter()
        .filter(|row| {
            row.parts.iter().any(|(column, value)| value.is_some() && column.measure == measure)
        })
        .collect();
    if parts.is_empty() || measured.is_empty() {
        return None;
    }
    let most = (MOST_CELLS / parts.len()).clamp(20, MOST_COLUMNS);
    let bucket = measured.len().div_ceil(most);
    let buckets: Vec<&[&StepRow]> = measured.chunks(bucket).collect();
    let scale = Scale::of(measure);
    let x: Vec<Value> = buckets.iter().map(|rows| number(middle(rows))).collect();
    let (mut z, mut extremes) = (vec![], vec![]);
    for part in &parts {
        let cells: Vec<Cell> = buckets.iter().map(|rows| Cell::of(rows, *part, scale)).collect();
        z.push(cells.iter().map(|cell| rough(cell.shade)).collect::<Vec<_>>());
        extremes.push(
            cells
                .iter()
                .map(|cell| cell.told.iter().map(|&value| rough(value)).collect())
                .collect::<Vec<Value>>(),
        );
    }
    let (title, unit) = words(measure);
    let mut chart = Chart {
        title: format!("{title} over time"),
        caption: String::new(),
        log_x: None,
        log_y: None,
        curves: 0,
        height: 130 + 22 * parts.len().clamp(3, 40),
        data: vec![json!({
            "type": "heatmap",
            "x": x,
            "y": parts.iter().map(|(_, column)| text(&column.part)).collect::<Vec<_>>(),
            "z": z,
            "customdata": extremes,
            "colorscale": "Viridis",
            "colorbar": scale.color_bar(unit),
            "hoverongaps": false,
            "hovertemplate": "%{y}<br>step %{x}<br>mean %{customdata[0]}<br>least %{customdata[1]}\
                              <br>greatest %{customdata[2]}<extra></extra>",
        })],
        layout: json!({
            "xaxis": { "title": { "text": "optimizer step" } },
            "yaxis": { "type": "category", "autorange": "reversed" },
        }),
    };
    if bucket > 1 {
        chart.say(&format!(
            "A cell is {bucket} measured steps: its colour is their {}, and their least and greatest \
             values are shown where you point.",
            if scale == Scale::Log { "geometric mean" } else { "mean" }
        ));
    }
    if scale == Scale::Log {
        chart.say("The colours are logarithmic; what is zero is blank.");
    }
    Some(chart)
}

/// How values become shades.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Log,
    Fraction,
}

impl Scale {
    fn of(measure: Measure) -> Self {
        match measure {
            Measure::GradientNorm | Measure::ParameterNorm | Measure::UpdateRatio => Self::Log,
            Measure::DeadUnits | Measure::SaturatedUnits => Self::Fraction,
        }
    }

    /// What is averaged.
    fn shade(self, value: f64) -> f64 {
        if self == Self::Log { value.log10() } else { value }
    }

    fn color_bar(self, unit: &str) -> Value {
        let title = json!({ "text": unit, "side": "right" });
        match self {
            Self::Log => json!({ "title": title, "tickprefix": "10<sup>", "ticksuffix": "</sup>",
                                 "thickness": 12 }),
            Self::Fraction => json!({ "title": title, "tickformat": ".0%", "thickness": 12 }),
        }
    }
}

/// A bucket of one part.
struct Cell {
    shade: f64,
    /// The mean, the least and the greatest value.
    told: [f64; 3],
}

impl Cell {
    /// Of the `column` that is mostly found at the place `at`.
    fn of(rows: &[&StepRow], (at, column): (usize, &Column), scale: Scale) -> Self {
        let value = |row: &&StepRow| match row.parts.get(at) {
            Some((found, value)) if found == column => *value,
            _ => row.measured(column.measure, &column.part),
        };
        let values: Vec<f64> = rows.iter().filter_map(value).collect();
        let shades = values.iter().map(|&value| scale.shade(value));
        let shades: Vec<f64> = shades.filter(|shade| shade.is_finite()).collect();
        let shade = shades.iter().sum::<f64>() / shades.len() as f64;
        let mean = if scale == Scale::Log { 10_f64.powf(shade) } else { shade };
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { shade, told: [mean, least, greatest] }
    }
}

/// A number with three significant digits: no eye sees more in a colour.
fn rough(value: f64) -> Value {
    number(format!("{value:.2e}").parse().unwrap_or(value))
}

fn middle(rows: &[&StepRow]) -> f64 {
    rows.get(rows.len() / 2).map_or(f64::NAN, |row| row.step as f64)
}

fn words(measure: Measure) -> (&'static str, &'static str) {
    match measure {
        Measure::GradientNorm => ("Gradient norms by parameter", "‖g‖"),
        Measure::ParameterNorm => ("Parameter norms", "‖w‖"),
        Measure::UpdateRatio => ("Update ratios by parameter", "‖Δw‖ / ‖w‖"),
        Measure::DeadUnits => ("Dead units by layer", "share of units"),
        Measure::SaturatedUnits => ("Saturated units by layer", "share of units"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn row(step: usize, value: Option<f64>) -> StepRow {
        let column = Column { measure: Measure::GradientNorm, part: "output.<b>".into() };
        StepRow {
            epoch: 1,
            step,
            loss: 1.0,
            learning_rate: 0.1,
            gradient_norm: None,
            parameter_norm: None,
            update_ratio: None,
            gradient_cosine: None,
            step_seconds: 0.1,
            parts: vec![(column, value)],
        }
    }

    #[test]
    fn a_cell_has_the_geometric_mean_and_the_extremes_of_its_steps() {
        // 600 measured steps in 300 columns: 1 and 100 alternate, whose geometric mean is 10.
        let rows: Vec<StepRow> =
            (1..=600).map(|step| row(step, Some([100.0, 1.0][step % 2]))).collect();
        let charts = heat_maps(&rows);
        assert_eq!(charts.len(), 1);
        let trace = &charts[0].data[0];
        assert_eq!(trace["z"][0].as_array().unwrap().len(), 300);
        assert_eq!(trace["z"][0][7], 1);
        assert_eq!(trace["customdata"][0][7].to_string(), "[10,1,100]");
        assert_eq!(trace["y"][0], "output.&lt;b&gt;");
        assert!(charts[0].caption.starts_with("A cell is 2 measured steps"));
    }

    #[test]
    fn steps_that_were_not_measured_take_no_room_and_zeros_are_blank() {
        let rows = [row(1, Some(0.0)), row(2, None), row(3, Some(1.0))];
        let chart = heat_maps(&rows).remove(0);
        assert_eq!(chart.data[0]["x"].to_string(), "[1,3]");
        assert_eq!(chart.data[0]["z"].to_string(), "[[null,0]]");
        assert!(heat_maps(&[row(1, None)]).is_empty());
    }
}
