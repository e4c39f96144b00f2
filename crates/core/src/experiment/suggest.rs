//! The nearest valid word to a mistyped one.

/// What other libraries call our keys, and what people abbreviate.
const SYNONYMS: &[(&str, &str)] = &[
    ("lr", "learning_rate"),
    ("rate", "learning_rate"),
    ("wd", "weight_decay"),
    ("decay", "weight_decay"),
    ("l2", "weight_decay"),
    ("eps", "epsilon"),
    ("rho", "alpha"),
    ("beta_1", "betas"),
    ("beta_2", "betas"),
    ("beta1", "betas"),
    ("beta2", "betas"),
    ("max_epochs", "epochs"),
    ("num_epochs", "epochs"),
    ("n_epochs", "epochs"),
    ("bs", "batch_size"),
    ("batch", "batch_size"),
    ("random_state", "seed"),
    ("random_seed", "seed"),
    ("accumulate_grad_batches", "gradient_accumulation"),
    ("clipnorm", "global_norm"),
    ("global_clipnorm", "global_norm"),
    ("max_norm", "global_norm"),
    ("clipvalue", "value"),
    ("validation_split", "validation_fraction"),
    ("val_split", "validation_fraction"),
    ("restore_best_weights", "restore_best"),
    ("hidden_size", "hidden"),
    ("hidden_sizes", "hidden"),
    ("kernel", "kernel_size"),
    ("filters", "channels"),
    ("total_iters", "length"),
    ("t_max", "length"),
    ("decay_steps", "step_size"),
    ("eta_min", "final_factor"),
    ("end_learning_rate", "final_factor"),
    ("t_mul", "t_mult"),
    ("m_mul", "restart_factor"),
    ("min_lr", "min_factor"),
    ("warmup_steps", "warmup"),
    ("warmup_epochs", "warmup"),
    ("warm_up", "warmup"),
    ("values", "factors"),
    ("schedulers", "parts"),
    ("multistep", "multi_step"),
    ("cosine_annealing", "cosine"),
    ("cosine", "cos"),
    ("sgdr", "cosine_restarts"),
    ("cosine_annealing_warm_restarts", "cosine_restarts"),
    ("noam", "inverse_sqrt"),
    ("wsd", "warmup_stable_decay"),
    ("plateau", "reduce_on_plateau"),
    ("reduce_lr_on_plateau", "reduce_on_plateau"),
    ("sequential", "sequence"),
    ("chained", "product"),
    ("acc", "accuracy"),
    ("val_acc", "val_accuracy"),
];

/// Longer words than any key are no typing mistakes.
const LONGEST: usize = 64;

/// Edits from `word` to `name`; a beginning of three letters or more counts as one.
fn edits(word: &str, name: &str) -> usize {
    if word.chars().count() >= 3 && name.starts_with(word) {
        return 1;
    }
    strsim::damerau_levenshtein(word, name)
}

/// The valid word that `word` most likely means, if there is one near enough: by a synonym, by
/// case and punctuation, by its beginning, or by an edit (Damerau-Levenshtein) of a third of its letters at most.
pub fn nearest<'a, S: AsRef<str>>(word: &str, valid: &'a [S]) -> Option<&'a str> {
    if word.chars().count() > LONGEST {
        return None;
    }
    let word = plain(word);
    let meant = SYNONYMS.iter().find(|(other, _)| *other == word).map(|&(_, ours)| ours);
    if let Some(exact) =
        meant.and_then(|ours| valid.iter().map(AsRef::as_ref).find(|name| *name == ours))
    {
        return Some(exact);
    }
    let allowed = (word.chars().count() / 3).max(1);
    valid
        .iter()
        .map(|name| (edits(&word, &plain(name.as_ref())), name.as_ref()))
        .filter(|&(edits, name)| edits <= allowed && edits < name.chars().count())
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, name)| name)
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_mistyped_word_finds_the_one_that_was_meant() {
        let keys = ["learning_rate", "momentum", "weight_decay"];
        assert_eq!(nearest("learning_rat", &keys), Some("learning_rate"));
        assert_eq!(nearest("learnign_rate", &keys), Some("learning_rate"));
        assert_eq!(nearest("weight-decay", &keys), Some("weight_decay"));
        assert_eq!(nearest("Momentum", &keys), Some("momentum"));
    }

    #[test]
    fn the_names_of_other_libraries_are_understood() {
        assert_eq!(nearest("lr", &["alpha", "learning_rate"]), Some("learning_rate"));
        assert_eq!(nearest("val_acc", &["loss", "val_loss", "val_accuracy"]), Some("val_accuracy"));
    }

    #[test]
    fn a_word_unlike_any_other_suggests_nothing() {
        assert_eq!(nearest("colour", &["momentum", "betas"]), None);
        assert_eq!(nearest("x", &["y"]), None);
        assert_eq!(nearest(&"a".repeat(100_000), &["a"]), None);
    }
}
