//! Charts as plotly.js takes them: what is drawn, without colours.
//!
//! Colours, smoothing and logarithmic axes are the business of the page's script, since the reader
//! changes them: a trace says in its `meta` which colour of the theme it has (`color`, or none for a
//! neutral one), how strong that is (`alpha`), and whether it is what smoothing fades (`raw`), makes
//! (`smooth`) or changes (`mean`). Values have six significant digits.

mod confusion;
mod curves;
mod parts;
mod times;

use converge_figures::html::escape;
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use confusion::confusion_matrix;
pub(crate) use curves::{by_epoch, by_step, other_series};
pub(crate) use parts::heat_maps;
pub(crate) use times::{Spent, step_times};

use crate::downsample::envelope;

/// About how many points of a long curve are drawn.
pub(crate) const MOST_POINTS: usize = 2000;
/// The most points of a curve that is drawn with its points and never smoothed.
const SHORT: usize = 60;
/// The most epochs that are all marked on an axis.
const MOST_TICKS: f64 = 12.0;
/// The ratio of the greatest to the least value from which an axis is logarithmic at first.
const WIDE: f64 = 1e3;

/// A chart with its caption.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Chart {
    /// What it shows.
    #[serde(skip)]
    pub title: String,
    /// What to know of it, as sentences.
    #[serde(skip)]
    pub caption: String,
    /// Whether the x axis can be logarithmic, and is at first; `None` where it cannot be.
    pub log_x: Option<bool>,
    /// The same of the y axis.
    pub log_y: Option<bool>,
    /// How many curves it has.
    #[serde(skip)]
    curves: usize,
    /// Its height in pixels.
    pub height: usize,
    /// The traces.
    pub data: Vec<Value>,
    /// The layout.
    pub layout: Value,
}

impl Chart {
    /// An empty chart of curves over `x`.
    pub(crate) fn curves(title: &str, x: &str, y: &str) -> Self {
        Self {
            title: title.to_owned(),
            caption: String::new(),
            log_x: Some(false),
            log_y: Some(false),
            curves: 0,
            height: 340,
            data: vec![],
            layout: json!({
                "xaxis": { "title": { "text": text(x) } },
                // The heading says it already.
                "yaxis": { "title": { "text": if title == y { String::new() } else { text(y) } } },
                "hovermode": "x unified",
                "showlegend": false,
            }),
        }
    }

    /// Adds a curve in the colour `color` of the theme; long ones are drawn as their [`envelope`], and
    /// the caption says so.
    pub(crate) fn add(&mut self, name: &str, color: usize, x: &[f64], y: &[f64]) {
        self.add_within(name, color, x, y, MOST_POINTS);
    }

    /// The same in `most` points or so.
    pub(crate) fn add_within(
        &mut self,
        name: &str,
        color: usize,
        x: &[f64],
        y: &[f64],
        most: usize,
    ) {
        let drawn = envelope(x, y, most);
        if drawn.bucket > 1 && !self.caption.contains("buckets") {
            self.say(&format!(
                "{} points are drawn in buckets of {}, each with its least and its greatest value; \
                 smoothing takes their means.",
                converge_figures::numbers::count(x.len() as u64),
                drawn.bucket
            ));
        }
        let gaps = y.iter().filter(|y| !y.is_finite()).count();
        if gaps > 0 {
            let (values, are) = if gaps == 1 { ("value", "is") } else { ("values", "are") };
            self.say(&format!("{gaps} {values} of `{name}` {are} not finite, and not drawn."));
        }
        // What is long is smoothed, and a short curve shows its points.
        let is_long = drawn.x.len() > SHORT;
        let trace = |kind: &str, x: &[f64], y: &[f64]| {
            json!({
                "type": "scatter",
                "mode": if is_long { "lines" } else { "lines+markers" },
                "name": text(name),
                "legendgroup": text(name),
                "showlegend": kind != "smooth",
                "uid": format!("{}-{kind}", self.data.len()),
                "x": numbers(x),
                "y": numbers(y),
                "meta": { "color": color, kind: true },
                "line": { "dash": dash(color) },
            })
        };
        if is_long {
            let traces =
                [trace("raw", &drawn.x, &drawn.y), trace("smooth", &drawn.mean_x, &drawn.mean_y)];
            self.data.extend(traces);
        } else {
            self.data.push(trace("whole", &drawn.x, &drawn.y));
        }
        self.curves += 1;
        self.layout["showlegend"] = json!(self.curves > 1);
        if is_wide(y) {
            self.log_y = self.log_y.map(|_| true);
        }
    }

    /// Adds only the means of the buckets of a curve, where the extremes of many would cover all.
    pub(crate) fn add_means(
        &mut self,
        name: &str,
        color: usize,
        x: &[f64],
        y: &[f64],
        most: usize,
    ) {
        let drawn = envelope(x, y, most);
        self.data.push(json!({
            "type": "scatter",
            "mode": "lines",
            "name": text(name),
            "x": numbers(&drawn.mean_x),
            "y": numbers(&drawn.mean_y),
            "meta": { "color": color, "mean": true, "alpha": 0.7 },
            "line": { "dash": dash(color), "width": 1.2 },
        }));
        if is_wide(y) {
            self.log_y = self.log_y.map(|_| true);
        }
    }

    /// Adds a sentence to the caption.
    pub(crate) fn say(&mut self, sentence: &str) {
        if !self.caption.is_empty() {
            self.caption.push(' ');
        }
        self.caption.push_str(sentence);
    }

    /// Marks every epoch on the x axis, where they are `epochs` and that is few enough.
    pub(crate) fn tick_epochs(&mut self, epochs: f64) {
        if epochs <= MOST_TICKS {
            self.layout["xaxis"]["dtick"] = json!(1);
        }
    }

    /// Lets the y axis begin with zero.
    pub(crate) fn begin_with_zero(&mut self) {
        self.layout["yaxis"]["rangemode"] = json!("tozero");
    }

    /// Marks a place on the x axis.
    pub(crate) fn mark(&mut self, x: f64, name: &str) {
        self.layout["shapes"] = json!([{
            "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
            "line": { "width": 1, "dash": "dot" },
        }]);
        self.layout["annotations"] = json!([{
            "x": x, "xref": "x", "y": 0, "yref": "paper", "yanchor": "bottom", "showarrow": false,
            "text": text(name),
        }]);
    }
}

/// `text` for plotly.js, which reads some tags and entities in its texts.
pub(crate) fn text(text: &str) -> String {
    escape(text)
}

/// Lines beyond the colours there are have another dash.
pub(crate) fn dash(color: usize) -> &'static str {
    ["solid", "dash", "dot", "dashdot"][color / 7 % 4]
}

/// Whether `y` spans so much that only a logarithmic axis shows it.
fn is_wide(y: &[f64]) -> bool {
    let finite = || y.iter().copied().filter(|y| y.is_finite());
    let least = finite().fold(f64::INFINITY, f64::min);
    least > 0.0 && finite().fold(0.0, f64::max) / least > WIDE
}

/// Numbers with six significant digits; what is not finite is `null`, a gap.
pub(crate) fn numbers(values: &[f64]) -> Value {
    values.iter().map(|value| number(*value)).collect()
}

/// A number as JSON has it.
pub(crate) fn number(value: f64) -> Value {
    const WHOLE: f64 = 9e15;
    if !value.is_finite() {
        Value::Null
    } else if value.fract() == 0.0 && value.abs() < WHOLE {
        json!(value as i64)
    } else {
        json!(format!("{value:.5e}").parse::<f64>().unwrap_or(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_what_is_not_finite_is_a_gap() {
        let written = numbers(&[1.0, 0.123_456_789, f64::NAN, f64::INFINITY, -2.5e-7]).to_string();
        assert_eq!(written, "[1,0.123457,null,null,-2.5e-7]");
    }

    #[test]
    fn names_with_html_are_text() {
        let mut chart = Chart::curves("t", "<i>x</i>", "y");
        assert_eq!(chart.layout["showlegend"], false);
        chart.add("<img src=x onerror=alert(1)>", 0, &[1.0], &[2.0]);
        assert_eq!(chart.data[0]["name"], "&lt;img src=x onerror=alert(1)&gt;");
        assert_eq!(chart.layout["xaxis"]["title"]["text"], "&lt;i&gt;x&lt;/i&gt;");
    }

    #[test]
    fn a_curve_over_many_magnitudes_begins_on_a_logarithmic_axis() {
        let mut chart = Chart::curves("t", "x", "y");
        chart.add("a", 0, &[1.0, 2.0], &[1.0, 5.0]);
        assert_eq!(chart.log_y, Some(false));
        chart.add("b", 1, &[1.0, 2.0], &[1.0, 5e9]);
        assert_eq!(chart.log_y, Some(true));
    }

    #[test]
    fn a_long_curve_says_how_it_is_drawn() {
        let x: Vec<f64> = (0..10_000).map(f64::from).collect();
        let mut chart = Chart::curves("t", "x", "y");
        chart.add("loss", 0, &x, &x);
        assert!(chart.caption.starts_with("10,000 points are drawn in buckets of 10,"));
        assert_eq!(chart.data[0]["y"].as_array().map(Vec::len), Some(2000));
        assert_eq!(chart.data[1]["y"].as_array().map(Vec::len), Some(1000));
    }
}
