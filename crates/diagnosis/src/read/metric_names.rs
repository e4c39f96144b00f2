//! Names of metrics: which way is better, and which one people look at first.

use super::names::{Role, any};

/// What a name without a loss in it says.
pub(super) fn metric(words: &[String]) -> Role {
    let has = |of: &[&str]| any(words, of);
    let metric = |higher, rank| Role::Metric { higher, rank, objective: false };
    let objective = |rank| Role::Metric { higher: false, rank, objective: true };
    let starts = |prefix: &str| words.iter().any(|word| word.starts_with(prefix));
    if has(&["lprob", "logprob", "logits", "q", "grad", "td"]) {
        return Role::Other;
    }
    if has(&["error", "err", "errors"]) {
        let squared = has(&["squared", "mean", "absolute"]);
        return if squared { objective(3) } else { metric(false, 3) };
    }
    if has(&["wer"]) {
        return metric(false, 1);
    }
    if has(&["cer", "eer", "ter", "fid", "hd95", "ece"]) {
        return metric(false, 2);
    }
    if has(&["logloss", "mlogloss", "binary_logloss"]) || starts("multi_logloss") {
        return objective(0);
    }
    if has(&["rmse", "mse", "rmsle"]) {
        return objective(4);
    }
    if has(&[
        "mae",
        "mape",
        "l1",
        "l2",
        "bce",
        "smape",
        "msle",
        "crossentropy",
        "deviance",
        "huber",
    ]) {
        return objective(3);
    }
    if has(&["entropy"]) && has(&["cross"]) {
        return objective(2);
    }
    if has(&["perplexity", "ppl", "perp", "bpc", "bpb", "brier", "merror", "error1"]) {
        return metric(false, 3);
    }
    if starts("acc") || has(&["top1", "准确率", "correct", "exact"]) || starts("prec@") {
        let narrow = u8::from(has(&["fg", "top5", "5", "3", "10", "bg"]));
        return metric(true, 3 * narrow);
    }
    if starts("map") || has(&["ap"]) {
        let strict =
            has(&["95", "map50-95"]) || !starts("map50") && !has(&["5", "50", "75", "ap50"]);
        return metric(true, if strict { 1 } else { 2 });
    }
    if starts("f1") || has(&["fscore", "fbeta", "micro", "macro"]) {
        return metric(true, 1);
    }
    if has(&["mcc", "matthews", "kappa", "bleu", "rouge", "meteor", "cider", "chrf"])
        || starts("rouge")
    {
        return metric(true, 1);
    }
    if starts("auc") || starts("auroc") || has(&["roc", "auprc"]) {
        return metric(true, 2);
    }
    if has(&[
        "io",
        "iou",
        "miou",
        "jaccard",
        "r2",
        "spearman",
        "pearson",
        "spearmanr",
        "psnr",
        "ssim",
    ]) || starts("dice")
    {
        return metric(true, 2);
    }
    if has(&[
        "reward", "rewards", "return", "returns", "ret", "ndcg", "mrr", "hits", "success", "rew",
    ]) {
        return metric(true, 3);
    }
    if starts("precision") || starts("recall") || has(&["specificity", "sensitivity", "prec"]) {
        return metric(true, 4);
    }
    if has(&["score", "correlation", "confidence", "accuracy"]) {
        return metric(true, 4);
    }
    Role::Other
}
