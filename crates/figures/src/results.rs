//! The results of an evaluation as tables.

use super::numbers::{count, percent, significant};
use super::table::{Emphasis, Look, emphasized_table, table};
use converge_metrics::{ClassificationReport, ConfusionMatrix, RegressionScores};

/// Where the width is not known, confusion matrices of more classes become lists.
const MOST_CLASSES: usize = 20;
/// The length of a list of confusions.
const MOST_CONFUSIONS: usize = 15;
/// Significant digits of scores.
const DIGITS: usize = 4;

/// Precision, recall, F1 and support of every class, then their averages.
///
/// Classes without a name in `class_names` go by their index.
pub fn classification_report_table(
    look: Look,
    report: &ClassificationReport,
    class_names: &[String],
) -> String {
    let score = |value: f64| format!("{value:.3}");
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (class, scores) in report.per_class.iter().enumerate() {
        rows.push(vec![
            class_name(class_names, class),
            score(scores.precision),
            score(scores.recall),
            score(scores.f1),
            count(scores.support),
        ]);
    }
    let classes = rows.len();
    let averages =
        [("macro average", report.macro_average), ("weighted average", report.weighted_average)];
    for (name, scores) in averages {
        rows.push(vec![
            name.to_owned(),
            score(scores.precision),
            score(scores.recall),
            score(scores.f1),
            count(report.samples),
        ]);
    }
    let header = ["class", "precision", "recall", "F1", "support"].map(str::to_owned);
    emphasized_table(look, 2, &header, &rows, |row, _| {
        if row >= classes { Emphasis::Strong } else { Emphasis::None }
    })
}

/// How often each true class (rows) was predicted as each class (columns).
///
/// Correct predictions are in brackets. Where the matrix does not fit the width, or is of more
/// than 20 classes and the width is not known, the most frequent confusions are listed instead.
pub fn confusion_matrix_table(
    look: Look,
    matrix: &ConfusionMatrix,
    class_names: &[String],
) -> String {
    let names: Vec<String> =
        (0..matrix.classes()).map(|class| class_name(class_names, class)).collect();
    let mut header = vec!["true \\ predicted".to_owned()];
    // Room for the brackets keeps names above the digits.
    header.extend(abbreviations(&names).into_iter().map(|name| format!("{name} ")));
    let row = |(class, counts): (usize, &Vec<u64>)| {
        let cell = |(predicted, &times): (usize, &u64)| match (predicted == class, times) {
            (true, _) => format!("[{times}]"),
            (false, 0) => "· ".to_owned(),
            (false, _) => format!("{times} "),
        };
        let cells = counts.iter().enumerate().map(cell);
        std::iter::once(names[class].clone()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = matrix.rows().iter().enumerate().map(row).collect();

    let widest = |table: &str| table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let any_width = Look { width: None, ..look };
    let fits = match look.width {
        Some(width) => {
            let plain = Look { styled: false, ..any_width };
            widest(&emphasized_table(plain, 1, &header, &rows, |_, _| Emphasis::None))
                <= usize::from(width)
        }
        None => names.len() <= MOST_CLASSES,
    };
    if !fits {
        return confusions_table(look, matrix, &names);
    }
    emphasized_table(any_width, 1, &header, &rows, |row, column| match column.checked_sub(1) {
        Some(predicted) if predicted == row => Emphasis::Strong,
        Some(predicted) if matrix.rows()[row][predicted] == 0 => Emphasis::Faint,
        _ => Emphasis::None,
    })
}

/// The most frequent confusions, each with its fraction of the true class.
fn confusions_table(look: Look, matrix: &ConfusionMatrix, names: &[String]) -> String {
    let mut confusions: Vec<(u64, u64, usize, usize)> = Vec::new();
    for (class, counts) in matrix.rows().iter().enumerate() {
        let support = counts.iter().sum();
        for (predicted, &times) in counts.iter().enumerate() {
            if predicted != class && times > 0 {
                confusions.push((times, support, class, predicted));
            }
        }
    }
    if confusions.is_empty() {
        return "no confusions: every prediction is right".to_owned();
    }
    confusions
        .sort_by_key(|&(times, _, class, predicted)| (std::cmp::Reverse(times), class, predicted));
    confusions.truncate(MOST_CONFUSIONS);
    let row = |(times, support, class, predicted): (u64, u64, usize, usize)| {
        let fraction = percent(times as f64 / support as f64);
        vec![names[class].clone(), names[predicted].clone(), count(times), fraction]
    };
    let rows: Vec<Vec<String>> = confusions.into_iter().map(row).collect();
    table(look, &["true", "predicted as", "samples", "of the class"], &rows)
}

/// The scores of a regression, one per row; `unit` is that of the target, empty for none.
pub fn regression_table(look: Look, scores: &RegressionScores, unit: &str) -> String {
    let squared = if unit.is_empty() { String::new() } else { format!("({unit})²") };
    let row = |name: &str, value: f64, unit: &str| {
        vec![name.to_owned(), significant(value, DIGITS), unit.to_owned()]
    };
    let rows = [
        row("mean squared error", scores.mse, &squared),
        row("root mean squared error", scores.rmse, unit),
        row("mean absolute error", scores.mae, unit),
        row("R²", scores.r2, ""),
    ];
    table(look, &["score", "value", "unit"], &rows)
}

fn class_name(names: &[String], class: usize) -> String {
    names.get(class).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| class.to_string())
}

/// The shortest beginnings of `names`, of 4 to 8 characters, that tell them apart; where none do,
/// their indices.
fn abbreviations(names: &[String]) -> Vec<String> {
    let distinct = |short: &Vec<String>| {
        let mut sorted: Vec<&String> = short.iter().collect();
        sorted.sort();
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    };
    (4..=8)
        .map(|length| names.iter().map(|name| name.chars().take(length).collect()).collect())
        .find(distinct)
        .unwrap_or_else(|| (0..names.len()).map(|class| class.to_string()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().copied().map(str::to_owned).collect()
    }

    fn matrix() -> ConfusionMatrix {
        ConfusionMatrix::new(&[0, 0, 0, 1, 1, 2], &[0, 0, 1, 1, 1, 0], 3).unwrap()
    }

    #[test]
    fn the_diagonal_of_a_confusion_matrix_is_in_brackets() {
        let table =
            confusion_matrix_table(Look::PLAIN, &matrix(), &names(&["airplane", "bird", "cat"]));
        let expected = "\
true \\ predicted airp  bird  cat
airplane           [2]    1    ·
bird                ·    [2]   ·
cat                 1     ·   [0]";
        assert_eq!(table, expected);
    }

    #[test]
    fn a_matrix_that_does_not_fit_becomes_a_list_of_confusions() {
        let look = Look { width: Some(50), ..Look::PLAIN };
        let targets = [0, 0, 0, 1, 1, 2];
        let matrix = ConfusionMatrix::new(&targets, &[0, 0, 1, 1, 1, 0], 12).unwrap();
        let table = confusion_matrix_table(look, &matrix, &[]);
        assert!(table.starts_with("true"), "{table}");
        assert!(table.contains("33.33%"), "{table}");
        assert!(!table.contains('['), "{table}");

        let right = ConfusionMatrix::new(&[0, 1], &[0, 1], 30).unwrap();
        let table = confusion_matrix_table(Look::PLAIN, &right, &[]);
        assert_eq!(table, "no confusions: every prediction is right");
    }

    #[test]
    fn names_are_abbreviated_as_far_as_they_stay_apart() {
        assert_eq!(abbreviations(&names(&["truck", "trucker", "cat"])), ["truck", "trucke", "cat"]);
        assert_eq!(abbreviations(&names(&["class number 1", "class number 2"])), ["0", "1"]);
        assert_eq!(abbreviations(&[]), Vec::<String>::new());
    }

    #[test]
    fn the_report_has_every_class_and_both_averages() {
        let table = classification_report_table(Look::PLAIN, &matrix().report(), &[]);
        let expected = "\
class             precision  recall     F1  support
0                     0.667   0.667  0.667        3
1                     0.667   1.000  0.800        2
2                     0.000   0.000  0.000        1
macro average         0.444   0.556  0.489        6
weighted average      0.556   0.667  0.600        6";
        assert_eq!(table, expected);
    }

    #[test]
    fn regression_scores_have_units() {
        let scores = RegressionScores { samples: 3, mse: 0.25, rmse: 0.5, mae: 0.4, r2: 0.9 };
        let table = regression_table(Look::PLAIN, &scores, "100,000 $");
        assert!(table.contains("(100,000 $)²"), "{table}");
        assert!(table.contains("0.5000"), "{table}");
    }
}
