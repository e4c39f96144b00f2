//! What a column is, told by its name alone: rules that hold for the names of many tools.

use super::metric_names::metric;
use super::vocabulary::{
    CRITERIA, DISCRIMINATOR, FILLERS, GENERATOR, LOSS, NOT_A_CURVE, PARTS, SIDE, TIMES,
};
use super::words::{Split, split_of, words};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A loss. The rank is 0 for the loss itself and rises with every word that says that it is
    /// only a part or another one.
    Loss {
        /// 0 for the loss itself.
        rank: u8,
        /// Whether it is one of the parts of the loss of a detector, which sum to the whole.
        part: bool,
    },
    /// A metric.
    Metric {
        /// Whether a higher value is better.
        higher: bool,
        /// 0 for the one that people look at first.
        rank: u8,
        /// Whether training can minimise it, so that it stands for the loss where there is none.
        objective: bool,
    },
    /// The learning rate; of a group of parameters where it is numbered.
    LearningRate(Option<u8>),
    /// Counts epochs.
    Epoch,
    /// Counts steps, iterations or updates.
    Step,
    /// Counts batches within an epoch.
    Batch,
    /// Counts rows.
    Index,
    /// Anything else.
    Other,
}

/// What a name says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    /// The data, where the name says so.
    pub(super) split: Option<Split>,
    /// What it holds.
    pub(super) role: Role,
    /// Whether it is the value of a step beside that of the epoch.
    pub(super) per_step: bool,
    /// The words without those of the split: equal for a metric of training and of validation.
    pub(super) core: String,
}

/// What `name` says.
pub(super) fn meaning(name: &str) -> Meaning {
    // Stable-Baselines3 files its counters under `time/`.
    let mut words = words(name.strip_prefix("time/").unwrap_or(name));
    let mut split = None;
    words.retain(|word| {
        let found = split_of(word);
        // Of two, as in `test/val_loss`, the last says more.
        split = found.or(split);
        found.is_none()
    });
    // `train_loss_step` of Lightning, `batch_loss` of Keras and of this program.
    let per_step = words.len() > 1
        && (words.last().is_some_and(|word| word == "step")
            || words.first().is_some_and(|word| word == "batch"));
    let core = words
        .iter()
        .filter(|word| !matches!(word.as_str(), "epoch" | "step" | "avg" | "mean" | "metrics"))
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    Meaning { split, role: role(&words, split), per_step, core }
}

/// Whether one of `words` is one `of` these.
pub(super) fn any(words: &[String], of: &[&str]) -> bool {
    words.iter().any(|word| of.contains(&word.as_str()))
}

fn role(words: &[String], split: Option<Split>) -> Role {
    if words.is_empty() {
        return if split.is_none() { Role::Index } else { Role::Other };
    }
    if let Some(counter) = counter_behind(words) {
        return counter;
    }
    if let Some(role) = learning_rate(words).or_else(|| axis(words)) {
        return if split == Some(Split::Test) { Role::Other } else { role };
    }
    if any(words, TIMES) || any(words, &["grad", "gradient", "norm", "gnorm", "momentum"]) {
        return Role::Other;
    }
    if any(words, LOSS) {
        return loss(words);
    }
    // `l_mos`, `L_G`.
    if words.len() == 2 && words.first().is_some_and(|word| word == "l") {
        return Role::Loss { rank: 4, part: false };
    }
    if let Some(role) = adversarial(words) {
        return role;
    }
    if any(words, NOT_A_CURVE) {
        return Role::Other;
    }
    metric(words)
}

/// `validation loss at iteration` names the number of the iteration.
fn counter_behind(words: &[String]) -> Option<Role> {
    let place = words.iter().rposition(|word| matches!(word.as_str(), "at" | "after" | "for"))?;
    let behind = words.get(place + 1..).filter(|behind| place > 0 && !behind.is_empty())?;
    axis(behind)
}

fn learning_rate(words: &[String]) -> Option<Role> {
    let joined = words.join(" ");
    if any(
        words,
        &[
            "decay",
            "mult",
            "multiplier",
            "scale",
            "factor",
            "min",
            "max",
            "final",
            "to",
            "reducing",
        ],
    ) {
        return None;
    }
    let named =
        joined.contains("learning rate") || any(words, &["lr", "lrs", "learningrate", "学习率"]);
    let numbered = words.iter().find_map(|word| word.strip_prefix("lr")?.parse::<u8>().ok());
    if numbered.is_some() {
        return Some(Role::LearningRate(numbered));
    }
    if named {
        let group =
            words.iter().find_map(|word| word.strip_prefix("pg").unwrap_or("").parse().ok());
        return Some(Role::LearningRate(group));
    }
    (joined == "rate").then_some(Role::LearningRate(None))
}

fn axis(words: &[String]) -> Option<Role> {
    const EPOCH: &[&str] =
        &["epoch", "epochs", "ep", "epoch(s)", "round", "episode", "generation", "轮"];
    const STEP: &[&str] = &[
        "step",
        "steps",
        "iter",
        "iters",
        "iteration",
        "iterations",
        "it",
        "update",
        "updates",
        "itr",
        "niter",
        "kimg",
        "globalstep",
        "timesteps",
        "tree",
    ];
    const BATCH: &[&str] = &["batch", "batches", "minibatch", "mb"];
    const INDEX: &[&str] = &["index", "idx", "id", "unnamed", "row", "no"];
    const BESIDE: &[&str] = &[
        "global", "current", "cur", "curr", "trainer", "n", "num", "the", "number", "no", "nr",
        "idx", "i", "of", "at", "after", "end", "x", "train", "training", "in", "on", "for",
        "model",
    ];
    if words == ["total", "timesteps"] {
        return Some(Role::Step);
    }
    if words.len() == 1 && any(words, &["n", "x", "t"]) {
        return Some(Role::Index);
    }
    let is = |of: &[&str]| {
        any(words, of)
            && words.iter().all(|word| {
                of.contains(&word.as_str())
                    || BESIDE.contains(&word.as_str())
                    || INDEX.contains(&word.as_str())
            })
    };
    // How many there are to be is no counter: `num_epochs`, `epochs`.
    let plural_alone = words.len() == 2
        && words.first().is_some_and(|word| matches!(word.as_str(), "num" | "n"))
        && any(words, &["epochs", "epoch", "steps", "iters", "iterations", "batches"]);
    if plural_alone {
        return None;
    }
    if is(EPOCH) {
        Some(Role::Epoch)
    } else if is(STEP) {
        Some(Role::Step)
    } else if is(BATCH) {
        Some(Role::Batch)
    } else if words.iter().all(|word| INDEX.contains(&word.as_str()) || word == "0") {
        Some(Role::Index)
    } else {
        None
    }
}

fn loss(words: &[String]) -> Role {
    // A `loss value` is a loss; a `value loss` is that of a critic.
    let words = match words {
        [before @ .., last] if last == "value" => before,
        words => words,
    };
    let rest: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !LOSS.contains(word) && !FILLERS.contains(word))
        .collect();
    if rest.iter().any(|word| NOT_A_CURVE.contains(word)) {
        return Role::Other;
    }
    let is = |of: &[&str]| rest.iter().any(|word| of.contains(word));
    let part = !rest.is_empty() && rest.iter().all(|word| PARTS.contains(word));
    // A likelihood beside a loss is a second loss.
    let spoken = words.iter().any(|word| matches!(word.as_str(), "loss" | "losses" | "损失"));
    let rank = if rest.is_empty() {
        u8::from(!spoken)
    } else if is(DISCRIMINATOR) {
        5
    } else if is(SIDE) && !part {
        6
    } else if is(GENERATOR) {
        3
    } else if rest.iter().all(|word| CRITERIA.contains(word)) && !part {
        2
    } else {
        4
    };
    Role::Loss { rank, part }
}

/// Losses of adversarial networks, which many programs print as `G`, `D_A`, `G_GAN` and `G_L1`.
fn adversarial(words: &[String]) -> Option<Role> {
    const OF: &[&str] = &["gan", "l1", "a", "b", "total", "vgg", "feat", "real", "fake", "adv"];
    let (first, rest) = words.split_first()?;
    let known = rest.iter().all(|word| OF.contains(&word.as_str()));
    match first.as_str() {
        "g" if known => Some(Role::Loss { rank: 3, part: !rest.is_empty() }),
        "d" if known => Some(Role::Loss { rank: 5, part: false }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSS: Role = Role::Loss { rank: 0, part: false };

    #[test]
    fn a_loss_is_told_from_its_parts_and_from_what_only_sounds_like_it() {
        for name in [
            "loss",
            "train_loss",
            "Train Loss",
            "trainLoss",
            "training/loss",
            "main/loss",
            "Loss/train",
            "epoch_loss",
            "total_loss",
            "train_loss_epoch",
            "mean_loss",
            "loss_history",
            "train_losses",
            "Average loss",
            "损失",
        ] {
            assert_eq!(meaning(name).role, LOSS, "{name}");
        }
        let ranks =
            ["loss", "cost", "mse_loss", "G_loss", "char-loss", "D_loss", "kl_loss"].map(|name| {
                match meaning(name).role {
                    Role::Loss { rank, .. } => rank,
                    _ => u8::MAX,
                }
            });
        assert!(ranks.is_sorted() && ranks.iter().all(|rank| *rank < 10), "{ranks:?}");
        for name in
            ["best_loss", "loss_scale", "loss_weight", "val_loss_min", "loss_std", "lossless"]
        {
            assert_eq!(meaning(name).role, Role::Other, "{name}");
        }
        for name in ["train/box_loss", "val/cls_loss", "loss_rpn_cls", "dfl_loss"] {
            assert!(matches!(meaning(name).role, Role::Loss { part: true, .. }), "{name}");
        }
    }

    #[test]
    fn the_split_stands_before_behind_or_within_a_name() {
        let cases = [
            (
                Split::Train,
                "train_loss loss_train trainLoss Loss/train training_loss tr_loss train-rmse train/acc",
            ),
            (
                Split::Validation,
                "val_loss loss_val validation/main/loss Validation_Loss eval_loss valid_1's dev_acc valacc test/val_loss",
            ),
            (Split::Test, "test_loss testAcc Loss/test test-accuracy"),
        ];
        for (split, names) in cases {
            for name in names.split(' ') {
                assert_eq!(meaning(name).split, Some(split), "{name}");
            }
        }
        assert_eq!(meaning("loss").split, None);
        assert_eq!(meaning("val_accuracy").core, meaning("accuracy").core);
    }

    #[test]
    fn counters_and_rates_have_many_names() {
        for name in ["epoch", "Epoch", "epochs", "train_epoch", "round", "current_epoch", "轮"] {
            assert_eq!(meaning(name).role, Role::Epoch, "{name}");
        }
        for name in [
            "step",
            "global_step",
            "trainer/global_step",
            "iter",
            "iteration",
            "current_steps",
            "num_updates",
            "_step",
            "training_iteration",
            "validation loss at iteration",
        ] {
            assert_eq!(meaning(name).role, Role::Step, "{name}");
        }
        for name in ["", "Unnamed: 0", "index"] {
            assert_eq!(meaning(name).role, Role::Index, "{name}");
        }
        for name in [
            "num_epochs",
            "epoch_time",
            "total_steps",
            "step_time",
            "global_step/sec",
            "best_epoch",
        ] {
            assert_eq!(meaning(name).role, Role::Other, "{name}");
        }
        for name in [
            "lr",
            "learning_rate",
            "Learning Rate",
            "lr-Adam",
            "cur_lr",
            "epoch_lr",
            "rate",
            "train/learning_rate",
        ] {
            assert_eq!(meaning(name).role, Role::LearningRate(None), "{name}");
        }
        assert_eq!(meaning("x/lr1").role, Role::LearningRate(Some(1)));
        assert_eq!(meaning("lr/pg2").role, Role::LearningRate(Some(2)));
        assert_eq!(meaning("lr_decay").role, Role::Other);
    }

    #[test]
    fn metrics_say_which_way_is_better() {
        let higher = "acc accuracy val_categorical_accuracy top1 auc f1 mAP50 metrics/mAP_0.5:0.95 miou dice_coef bleu r2 precision recall episode_reward_mean psnr";
        let lower = "mse mae rmse error wer cer perplexity val_ppl fid brier mean_absolute_error";
        for (names, better) in [(higher, true), (lower, false)] {
            for name in names.split(' ') {
                let role = meaning(name).role;
                assert!(
                    matches!(role, Role::Metric { higher, .. } if higher == better),
                    "{name}: {role:?}"
                );
            }
        }
        for name in [
            "time",
            "eta",
            "grad_norm",
            "memory",
            "samples_per_second",
            "best_acc",
            "episode_reward_max",
            "td_error",
            "optimizer",
        ] {
            assert_eq!(meaning(name).role, Role::Other, "{name}");
        }
    }
}
