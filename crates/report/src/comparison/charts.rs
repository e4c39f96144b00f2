//! The curves of several trainings over each other, and their scores against what differs.

use converge_diagnosis::{History, Series};
use serde_json::{Value, json};

use super::keys::short;
use super::welch::Sample;
use super::{Comparison, Group};
use crate::chart::{Chart, dash, number, numbers, text};
use crate::training::Training;

/// About how many points all curves of a chart have together.
const MOST_POINTS: usize = 40_000;
/// The most entries that a legend is read with.
const MOST_IN_LEGEND: usize = 6;
/// The most letters that a legend has without taking more room than the curves.
const LONGEST_LEGEND: usize = 160;
/// The most curves whose values are shown together where one points.
const MOST_TOGETHER: usize = 8;

/// A series of a history.
type Which = fn(&History) -> Option<&Series>;

const BY_EPOCH: [(&str, Which); 3] = [
    ("metric", |history| Some(&history.metric.as_ref().or(history.train_metric.as_ref())?.series)),
    ("validation loss", |history| history.validation_loss.as_ref()),
    ("training loss", |history| history.train_loss.as_ref()),
];

/// Metric and losses by epoch: a curve for each group, with its mean and spread over seeds.
pub(super) fn by_epoch(comparison: &Comparison, trainings: &[&Training]) -> Vec<Chart> {
    let charts = BY_EPOCH.iter().filter_map(|(words, which)| {
        let curves: Vec<Option<&Series>> =
            trainings.iter().map(|training| which(&training.history)).collect();
        let mut names: Vec<&str> =
            curves.iter().flatten().map(|series| series.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let title = match names.as_slice() {
            [] => return None,
            [name] => name,
            _ => *words,
        };
        let counted = trainings.iter().filter_map(|one| one.history.x.as_deref());
        let mut counted: Vec<String> =
            counted.filter(|name| !name.is_empty()).map(str::to_lowercase).collect();
        counted.sort_unstable();
        counted.dedup();
        let axis = if counted.is_empty() { "point".to_owned() } else { counted.join(" or ") };
        let mut chart = Chart::curves(title, &axis, title);
        let ends = curves.iter().flatten().filter_map(|series| series.x.last());
        if axis == "epoch" {
            chart.tick_epochs(ends.copied().fold(0.0, f64::max));
        }
        let groups = &comparison.groups;
        for (color, group) in groups.iter().enumerate() {
            let of_group: Vec<&Series> =
                group.runs.iter().filter_map(|&run| *curves.get(run)?).collect();
            add_group(&mut chart, color, group, &of_group);
        }
        if groups.iter().any(|group| group.runs.len() > 1) {
            chart.say(
                "Thick: the mean over seeds, with a band of one standard deviation either way where \
                 two runs or more have a value; thin: the runs.",
            );
        }
        settle(&mut chart, groups.iter().map(|group| group.name.as_str()));
        Some(chart)
    });
    charts.collect()
}

fn add_group(chart: &mut Chart, color: usize, group: &Group, curves: &[&Series]) {
    let alone = curves.len() < 2;
    for series in curves {
        let mut trace = line(&group.name, color, &series.x, &series.y);
        if !alone {
            trace["line"]["width"] = json!(0.8);
            trace["meta"]["alpha"] = json!(0.45);
            trace["showlegend"] = json!(false);
            trace["hoverinfo"] = json!("skip");
        }
        chart.data.push(trace);
    }
    if alone {
        return;
    }
    let mean = mean_curve(curves);
    let edge = |sign: f64| -> (Vec<f64>, Vec<f64>) {
        let band = mean
            .iter()
            .filter_map(|(x, sample)| Some((*x, sample.mean + sign * sample.deviation?)));
        band.unzip()
    };
    for (sign, fill) in [(1.0, "none"), (-1.0, "tonexty")] {
        let (x, y) = edge(sign);
        let mut trace = line(&group.name, color, &x, &y);
        trace["mode"] = json!("lines");
        trace["line"]["width"] = json!(0);
        trace["fill"] = json!(fill);
        trace["showlegend"] = json!(false);
        trace["hoverinfo"] = json!("skip");
        chart.data.push(trace);
    }
    let (x, y): (Vec<f64>, Vec<f64>) = mean.iter().map(|(x, sample)| (*x, sample.mean)).unzip();
    let mut trace = line(&group.name, color, &x, &y);
    trace["line"]["width"] = json!(2.6);
    let told = mean
        .iter()
        .map(|(_, sample)| json!([number(sample.deviation.unwrap_or(f64::NAN)), sample.count]));
    trace["customdata"] = told.collect();
    trace["hovertemplate"] = json!("%{y} ± %{customdata[0]} (n = %{customdata[1]})");
    chart.data.push(trace);
}

fn line(name: &str, color: usize, x: &[f64], y: &[f64]) -> Value {
    json!({
        "type": "scatter",
        "mode": if x.len() < 2 { "markers" } else { "lines" },
        "name": text(name),
        "legendgroup": color.to_string(),
        "x": numbers(x),
        "y": numbers(y),
        "meta": { "color": color },
        "line": { "dash": dash(color) },
    })
}

/// At every place where a curve has a finite value, those of all of them.
fn mean_curve(curves: &[&Series]) -> Vec<(f64, Sample)> {
    let points = curves.iter().flat_map(|series| series.x.iter().zip(&series.y));
    let mut points: Vec<(f64, f64)> =
        points.filter(|(_, y)| y.is_finite()).map(|(x, y)| (*x, *y)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let places = points.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq());
    places
        .filter_map(|place| {
            let values: Vec<f64> = place.iter().map(|(_, y)| *y).collect();
            Some((place[0].0, Sample::of(&values)?))
        })
        .collect()
}

/// The training loss of every step of every run.
pub(super) fn by_step(comparison: &Comparison, trainings: &[&Training]) -> Option<Chart> {
    let mut chart = Chart::curves("training loss of every step", "optimizer step", "loss");
    let most = (MOST_POINTS / trainings.len().max(1)).clamp(200, 2000);
    for (training, run) in trainings.iter().zip(&comparison.runs) {
        let loss = training.history.steps.iter().find(|series| series.name == "loss");
        if let Some(series) = loss {
            if trainings.len() > MOST_IN_LEGEND {
                chart.add_means(&run.name, run.group, &series.x, &series.y, most);
            } else {
                chart.add_within(&run.name, run.group, &series.x, &series.y, most);
            }
        }
    }
    if trainings.len() > MOST_IN_LEGEND {
        chart.say("Of so many runs only the means of buckets are drawn, not their extremes.");
    }
    settle(&mut chart, comparison.runs.iter().map(|run| run.name.as_str()));
    (!chart.data.is_empty()).then_some(chart)
}

/// The score against each key that differs: what more than two keys do.
pub(super) fn slices(comparison: &Comparison) -> Vec<Chart> {
    let Some(score) = comparison.score.as_ref().filter(|_| comparison.keys.len() > 1) else {
        return vec![];
    };
    let keys = comparison.keys.iter().enumerate().filter(|(_, key)| *key != "log");
    let chart = |(place, key): (usize, &String)| {
        let scored = || comparison.runs.iter().filter(|run| run.score.is_some());
        let values: Vec<&str> =
            scored().map(|run| run.values[place].as_deref().unwrap_or("none")).collect();
        let parsed: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
        let numeric = parsed.filter(|all| all.iter().all(|value| value.is_finite()));
        let is_wide = numeric.as_ref().is_some_and(|all| {
            let least = all.iter().copied().fold(f64::INFINITY, f64::min);
            least > 0.0 && all.iter().copied().fold(0.0, f64::max) / least >= 8.0
        });
        let y: Vec<f64> = scored().filter_map(|run| run.score).collect();
        let names: Vec<String> = scored()
            .map(|run| format!("{}: {}", text(&run.name), text(&comparison.groups[run.group].name)))
            .collect();
        let mut chart = Chart::curves(&short(key, &comparison.keys), key, &score.name);
        chart.height = 260;
        chart.log_x = numeric.is_some().then_some(is_wide);
        chart.layout["hovermode"] = json!("closest");
        if numeric.is_none() {
            chart.layout["xaxis"]["type"] = json!("category");
        }
        let x = numeric.map_or_else(
            || values.iter().map(|value| Value::from(text(value))).collect(),
            |all| numbers(&all),
        );
        chart.data.push(json!({
            "type": "scatter", "mode": "markers", "x": x, "y": numbers(&y), "text": names,
            "meta": { "color": 0, "alpha": 0.7 }, "marker": { "size": 9 },
            "hovertemplate": "%{text}<br>%{y}<extra></extra>",
        }));
        chart
    };
    keys.map(chart).collect()
}

/// What many curves need: values of one at a time where one points, and no legend beside the table
/// of groups, which has the colours too.
fn settle<'a>(chart: &mut Chart, names: impl Iterator<Item = &'a str> + Clone) {
    let (count, letters) = (names.clone().count(), names.map(str::len).sum::<usize>());
    if count > MOST_TOGETHER {
        chart.layout["hovermode"] = json!("closest");
    }
    let legible = count <= MOST_IN_LEGEND && letters <= LONGEST_LEGEND;
    chart.layout["showlegend"] = json!(legible);
    chart.height = 420;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_of_the_curves_that_have_a_value_there() {
        let series =
            |x: &[f64], y: &[f64]| Series { name: "loss".into(), x: x.to_vec(), y: y.to_vec() };
        let (a, b) =
            (series(&[1.0, 2.0, 3.0], &[4.0, 2.0, 1.0]), series(&[1.0, 2.0], &[6.0, f64::NAN]));
        let mean = mean_curve(&[&a, &b]);
        assert_eq!(mean.len(), 3);
        assert_eq!((mean[0].1.mean, mean[0].1.count), (5.0, 2));
        // √((1² + 1²) / 1)
        assert_eq!(mean[0].1.deviation, Some(2_f64.sqrt()));
        assert_eq!((mean[1].1.mean, mean[1].1.count, mean[1].1.deviation), (2.0, 1, None));
    }
}
