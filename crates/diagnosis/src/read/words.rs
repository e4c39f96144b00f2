//! The words of a name, and those that say which data a value was measured on.

/// The data that a value was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Split {
    /// Data that the weights are fitted to.
    Train,
    /// Data held out while it trains.
    Validation,
    /// Data held out to the end; logged every epoch, people use it to validate.
    Test,
}

const TRAIN: &[&str] = &["train", "training", "tr", "trn", "learn", "fit", "训练"];
const VALIDATION: &[&str] = &[
    "val",
    "valid",
    "validation",
    "validate",
    "validating",
    "eval",
    "evaluation",
    "dev",
    "vali",
    "vl",
    "heldout",
    "holdout",
    "cv",
    "验证",
];
const TEST: &[&str] = &["test", "testing", "tst", "te", "ts", "测试"];
/// The split that a word stands for.
pub(super) fn split_of(word: &str) -> Option<Split> {
    if TRAIN.contains(&word) {
        Some(Split::Train)
    } else if VALIDATION.contains(&word) {
        Some(Split::Validation)
    } else if TEST.contains(&word) {
        Some(Split::Test)
    } else {
        None
    }
}

/// The words of a name, small: split at signs, at capitals, and where a known word is glued on.
pub(super) fn words(name: &str) -> Vec<String> {
    let name = name.replace("mAP", "map").replace("mIoU", "miou").replace("IoU", "iou");
    let mut words: Vec<String> = vec![];
    let mut word = String::new();
    let mut before = ' ';
    for c in name.chars() {
        let camel = c.is_uppercase() && before.is_lowercase();
        if (!c.is_alphanumeric() || camel) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words.into_iter().flat_map(unglued).collect()
}

/// `trainloss` is two words.
fn unglued(word: String) -> Vec<String> {
    const HEADS: &[&str] = &[
        "training",
        "train",
        "validation",
        "valid",
        "val",
        "eval",
        "testing",
        "test",
        "dev",
        "训练",
        "验证",
        "测试",
    ];
    const TAILS: &[&str] = &[
        "loss",
        "losses",
        "acc",
        "accuracy",
        "err",
        "error",
        "auc",
        "f1",
        "mse",
        "mae",
        "rmse",
        "cost",
        "iou",
        "miou",
        "dice",
        "ppl",
        "score",
        "map",
        "perplexity",
        "lr",
        "损失",
        "准确率",
        "r2",
    ];
    for head in HEADS {
        if let Some(tail) = word.strip_prefix(head)
            && TAILS.contains(&tail)
        {
            return vec![(*head).to_owned(), tail.to_owned()];
        }
    }
    for tail in ["loss", "acc"] {
        if let Some(head) = word.strip_suffix(tail) {
            let known = ["total", "avg", "mean", "gen", "disc", "box", "cls", "obj", "g", "d"];
            if known.contains(&head) || split_of(head).is_some() {
                return vec![head.to_owned(), tail.to_owned()];
            }
        }
    }
    vec![word]
}

/// Whether a name is only that of a split: `train`, `val`.
pub(super) fn is_bare_split(name: &str) -> bool {
    let words = words(name);
    !words.is_empty() && words.iter().all(|word| split_of(word).is_some())
}
