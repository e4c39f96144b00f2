//! What holds of every log.

#![allow(clippy::unwrap_used)]

mod events;

use converge_diagnosis::read::{Choices, read_bytes};
use converge_diagnosis::{Log, Series};
use proptest::collection::vec;
use proptest::prelude::*;

fn read(bytes: Vec<u8>) -> Option<Log> {
    read_bytes("log", bytes, &Choices::default()).ok()
}

/// Every series of a log.
fn all(log: &Log) -> Vec<&Series> {
    let runs = log.runs.iter();
    runs.flat_map(|run| {
        let metrics = [run.metric.as_ref(), run.train_metric.as_ref()];
        let chosen =
            [run.train_loss.as_ref(), run.validation_loss.as_ref(), run.learning_rate.as_ref()];
        let metrics = metrics.into_iter().flatten().map(|metric| &metric.series);
        chosen.into_iter().flatten().chain(metrics).chain(&run.others)
    })
    .collect()
}

/// What [`Series`] promises.
fn is_sound(log: &Log) -> bool {
    let judged = |run: &converge_diagnosis::History| {
        run.train_loss.is_some() || run.validation_loss.is_some() || run.metric.is_some()
    };
    log.runs.iter().all(judged)
        && all(log).iter().all(|series| {
            series.x.len() == series.y.len()
                && !series.x.is_empty()
                && series.x.iter().all(|x| x.is_finite())
                && series.x.is_sorted()
        })
}

/// Pieces that logs are made of, and what breaks them.
fn piece() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "epoch",
        "step",
        "loss",
        "val_loss",
        "train",
        "acc",
        "lr",
        ",",
        ";",
        "\t",
        " ",
        "\n",
        "\r",
        "\u{8}",
        ":",
        "=",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "|",
        "%",
        "/",
        "-",
        ".",
        "0",
        "1",
        "17",
        "-1.5",
        "1e9",
        "1e999",
        "nan",
        "inf",
        "NaN",
        "Epoch 1/3\n",
        "3/3 [===]",
        "loss: ",
        "log_history",
        "\u{1b}[3",
        "ä",
        "损失",
        "<<<<<<<",
        "18446744073709551616",
        "learn: ",
        "remaining: ",
        " avg,",
        " rate,",
        "learning_rate",
        "a - loss__MIN",
        "\u{0}",
        "#",
    ];
    prop_oneof![9 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => ".{0,4}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        if let Some(log) = read(bytes) {
            prop_assert!(is_sound(&log));
        }
    }

    #[test]
    fn no_text_panics(pieces in vec(piece(), 0..120)) {
        if let Some(log) = read(pieces.concat().into()) {
            prop_assert!(is_sound(&log));
        }
    }

    #[test]
    fn no_events_panic(
        messages in vec(vec(any::<u8>(), 0..40), 1..6),
        scalars in vec((any::<u64>(), "(train|val|epoch|loss|_)*", any::<f32>(), any::<bool>()), 0..8),
        cut in 0..30_usize,
    ) {
        let mut bytes: Vec<u8> = messages.iter().flat_map(|data| events::record(data)).collect();
        for (step, tag, value, simple) in scalars {
            let scalar = if simple { events::Scalar::Simple } else { events::Scalar::Tensor };
            bytes.extend(events::event(step, &tag, value, scalar));
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        if let Some(log) = read(bytes) {
            prop_assert!(is_sound(&log));
        }
    }
}

/// A log with a counter, both losses, two metrics, a rate and text.
fn table(order: &[usize], values: &[[f64; 5]]) -> String {
    let names = ["epoch", "loss", "val_loss", "accuracy", "val_accuracy", "lr", "optimizer"];
    let mut rows = vec![names.map(str::to_owned)];
    for (epoch, [a, b, c, d, e]) in values.iter().enumerate() {
        let numbers = [epoch as f64, *a, *b, *c, *d, *e];
        let mut cells = numbers.map(|number| number.to_string()).to_vec();
        cells.push("Adam".to_owned());
        rows.push(cells.try_into().unwrap());
    }
    let line = |row: &[String; 7]| {
        order.iter().map(|place| row[*place].as_str()).collect::<Vec<_>>().join(",") + "\n"
    };
    rows.iter().map(line).collect()
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![9 => -1e6..1e6_f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

/// Text, so that values that are none equal themselves.
fn said(log: &Log) -> Vec<String> {
    log.runs
        .iter()
        .flat_map(|run| {
            let metrics = [&run.metric, &run.train_metric].map(|metric| format!("{metric:?}"));
            let chosen = [&run.train_loss, &run.validation_loss, &run.learning_rate]
                .map(|one| format!("{one:?}"));
            chosen.into_iter().chain(metrics).chain([format!("{:?}", run.x)])
        })
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_the_columns_makes_no_difference(
        order in Just((0..7).collect::<Vec<_>>()).prop_shuffle(),
        values in vec([number(), number(), number(), number(), number()], 1..20),
    ) {
        let ordered: Vec<usize> = (0..7).collect();
        let plain = read(table(&ordered, &values).into()).unwrap();
        let shuffled = read(table(&order, &values).into()).unwrap();
        prop_assert_eq!(said(&shuffled), said(&plain));
    }

    #[test]
    fn text_is_read_as_the_same_numbers_that_were_printed(
        values in vec((-1e6..1e6_f64, -1e6..1e6_f64), 3..40),
    ) {
        let text: String = values.iter().enumerate().map(|(epoch, (train, validation))| {
            format!("Epoch {epoch}: loss {train}, val_loss {validation}\n")
        }).collect();
        let log = read(text.into()).unwrap();
        let run = &log.runs[0];
        let (train, validation): (Vec<f64>, Vec<f64>) = values.into_iter().unzip();
        prop_assert_eq!(&run.train_loss.as_ref().unwrap().y, &train);
        prop_assert_eq!(&run.validation_loss.as_ref().unwrap().y, &validation);
    }
}
