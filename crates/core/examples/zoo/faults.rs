//! What is done to the healthy training of a problem.

use super::problems::{AS_THEY_ARE, Model, OTHER_LABELS, Problem, SORTED};

/// A training of a problem.
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// What is set otherwise.
    pub(super) sets: Vec<String>,
    /// The folder of its data.
    pub(super) data: &'static str,
    /// The epoch after which it is judged.
    pub(super) cut: usize,
}

/// All trainings of `problem`.
pub(super) fn of(problem: &Problem) -> Vec<Fault> {
    let n = problem.epochs;
    let rate = |factor: f64| format!("optimizer.learning_rate={:e}", problem.rate * factor);
    let with = |name, sets: Vec<String>| Fault { name, sets, data: AS_THEY_ARE, cut: n };
    let one = |name, set: &str| with(name, vec![set.to_owned()]);
    let rates = |name, factor| with(name, vec![rate(factor)]);
    // A schedule that has come to its end at the cut and stays there.
    let until_cut = |name: &str, end: f64| {
        format!(
            "schedule={{name=\"sequence\",per=\"epoch\",milestones=[{n}],parts=[{name},{{name=\"linear\",\
             per=\"epoch\",start_factor={end},end_factor={end}}}]}}"
        )
    };
    let mut all = vec![
        with("healthy", vec![]),
        Fault { cut: n / 3, ..with("stopped early", vec![]) },
        Fault { cut: 2 * n, ..with("stopped late", vec![]) },
        rates("rate x 10", 10.0),
        rates("rate x 100", 100.0),
        rates("rate x 1000", 1000.0),
        rates("rate / 30", 1.0 / 30.0),
        rates("rate / 1000", 1.0 / 1000.0),
        with(
            "cosine to its end",
            vec![rate(2.0), until_cut("{name=\"cosine\",per=\"epoch\",final_factor=0.02}", 0.02)],
        ),
        with(
            "one cycle to its end",
            vec![rate(3.0), until_cut("{name=\"one_cycle\",per=\"epoch\"}", 4e-6)],
        ),
        with(
            "drop of a high rate",
            vec![rate(5.0), format!("schedule={{name=\"multi_step\",milestones=[{}]}}", n / 2)],
        ),
        one("exponential decay", "schedule={name=\"exponential\",per=\"epoch\",gamma=0.9}"),
        one("linear over all", "schedule={name=\"linear\"}"),
        one("cyclic rate", "schedule={name=\"cyclic\"}"),
        one("plateau schedule", "schedule={name=\"reduce_on_plateau\",patience=3}"),
        one("large batches", "training.batch_size=512"),
        with("few samples", vec!["data.validation_fraction=0.95".to_owned(), rate(2.0)]),
    ];
    if problem.relabelled {
        all.push(Fault {
            data: OTHER_LABELS,
            sets: vec!["training.batch_size=64".into()],
            ..with("shuffled labels", vec![])
        });
        all.push(Fault {
            data: SORTED,
            sets: vec!["training.shuffle=false".into()],
            ..with("sorted and not shuffled", vec![])
        });
    }
    if matches!(problem.model, Model::Mlp | Model::Cnn) {
        all.extend([
            one("zero initialisation", "model.initialization=zeros"),
            one("tiny initialisation", "model.initialization=tiny"),
            one("too small a model", "model.hidden=[1]"),
            with(
                "dead units",
                vec!["optimizer={name=\"sgd\",momentum=0.9}".to_owned(), rate(300.0)],
            ),
        ]);
    }
    if problem.model == Model::Mlp {
        let layers = vec!["16"; 20].join(",");
        all.extend([
            with(
                "twenty sigmoid layers",
                vec![
                    format!("model.hidden=[{layers}]"),
                    "model.activation=sigmoid".to_owned(),
                    "optimizer={name=\"sgd\",momentum=0.9}".to_owned(),
                    rate(10.0),
                ],
            ),
            one("batch normalisation", "model.batch_norm=true"),
            one("dropout", "model.dropout=0.5"),
            with("plain descent", vec!["optimizer={name=\"sgd\"}".to_owned(), rate(10.0)]),
            with(
                "large model and few samples",
                vec![
                    "model.hidden=[256,256]".to_owned(),
                    "data.validation_fraction=0.9".to_owned(),
                ],
            ),
        ]);
    }
    if problem.model == Model::Lstm {
        all.push(with(
            "exploding recurrent network",
            vec!["optimizer={name=\"sgd\"}".to_owned(), rate(10_000.0)],
        ));
        all.push(one("large recurrent network", "model.hidden=64"));
    }
    all
}
