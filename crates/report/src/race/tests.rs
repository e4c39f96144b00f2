#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::*;

/// Numbers that look random and follow from where they begin: `SplitMix64` (Steele, Lea and Flood,
/// 2014), twelve of which make a normal one.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    fn next(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn entry(label: &str, curves: &[&[f64]]) -> Entry {
    let run = |(seed, curve): (u64, &&[f64])| SeedRun {
        seed,
        curve: curve.to_vec(),
        seconds_per_epoch: 2.0,
        diverged: false,
    };
    Entry { label: label.to_owned(), runs: (1..).zip(curves).map(run).collect() }
}

fn scores(label: &str, scores: &[f64]) -> Entry {
    let curves: Vec<[f64; 1]> = scores.iter().map(|&score| [score]).collect();
    let curves: Vec<&[f64]> = curves.iter().map(<[f64; 1]>::as_slice).collect();
    entry(label, &curves)
}

#[test]
fn copies_of_one_contender_are_called_different_in_no_more_than_one_race_in_twenty() {
    let mut normal = Normal(18);
    for (contenders, seeds) in [(2, 3), (2, 5), (4, 3), (6, 4)] {
        const RACES: usize = 1000;
        let wrong = (0..RACES).filter(|_| {
            let shared: Vec<f64> = (0..seeds).map(|_| normal.next()).collect();
            let entries: Vec<Entry> = (0..contenders)
                .map(|index| {
                    let own: Vec<f64> =
                        shared.iter().map(|seed| 1.0 + seed + 0.2 * normal.next()).collect();
                    scores(&index.to_string(), &own)
                })
                .collect();
            let judged = Judgement::of("copies", "val_loss", false, &entries, None);
            judged.pairs.iter().any(|pair| pair.real)
        });
        // 5 % and two and a half standard errors.
        let wrong = wrong.count();
        assert!(wrong <= 67, "{contenders} contenders, {seeds} seeds: {wrong} of {RACES}");
    }
}

#[test]
fn a_real_difference_is_found_through_seeds_that_differ_by_more() {
    let seeds = [1.0, 3.0, 2.0, 5.0];
    let noise = [0.01, -0.02, 0.015, 0.0];
    let better: Vec<f64> =
        seeds.iter().zip(noise).map(|(seed, noise)| seed - 0.3 + noise).collect();
    let entries = [scores("sgd", &seeds), scores("adam", &better)];
    let judged = Judgement::of("mnist", "val_loss", false, &entries, None);
    assert_eq!(judged.standings[0].label, "adam");
    let pair = &judged.pairs[0];
    assert!(pair.real && pair.interval.unwrap()[1] < 0.0, "{pair:?}");
    assert!(
        judged.quote.ends_with("is ahead (2.451 ± 1.7 over 4 seeds), better than sgd."),
        "{}",
        judged.quote
    );
    // More is better: the other way round.
    let judged = Judgement::of("mnist", "val_accuracy", true, &entries, None);
    assert_eq!((judged.standings[0].label.as_str(), judged.pairs[0].real), ("sgd", true));
}

#[test]
fn what_cannot_be_told_apart_says_how_many_seeds_would_do() {
    let entries = [scores("a", &[1.0, 1.2, 0.9]), scores("b", &[1.1, 1.15, 1.05])];
    let judged = Judgement::of("mnist", "val_loss", false, &entries, None);
    let sentence = &judged.pairs[0].sentence;
    assert!(
        sentence.starts_with("`a` and `b` cannot be told apart with 3 seeds; about 2"),
        "{sentence}"
    );
    assert!(judged.quote.ends_with(", but not to be told apart from b."), "{}", judged.quote);
    let one = [scores("a", &[1.0]), scores("b", &[2.0])];
    let judged = Judgement::of("mnist", "val_loss", false, &one, None);
    assert!(judged.pairs[0].sentence.ends_with("one seed says nothing of the spread."));
    let same = [scores("a", &[1.0, 2.0]), scores("b", &[1.0, 2.0])];
    let judged = Judgement::of("mnist", "val_loss", false, &same, None);
    assert!(judged.pairs[0].sentence.contains("came to the same val_loss with 2 seeds"));
    assert!(!judged.pairs[0].real);
}

#[test]
fn the_target_is_the_score_of_the_first_or_what_was_given() {
    let entries = [
        entry("sgd", &[&[3.0, 2.0, 1.0], &[3.0, 2.0, 1.5], &[3.0, 1.2, 1.25]]),
        entry("adam", &[&[1.0, 0.5, 0.9], &[2.0, 1.25, 0.9], &[3.0, 0.5, 0.9]]),
    ];
    let judged = Judgement::of("mnist", "val_loss", false, &entries, None);
    assert_eq!((judged.target, judged.target_of.as_deref()), (Some(3.7 / 3.0), Some("sgd")));
    let [adam, sgd] = &judged.standings[..] else { panic!("two") };
    assert_eq!(
        (adam.label.as_str(), adam.reached(), adam.epochs_to_target),
        ("adam", 3, Some(2.0))
    );
    assert_eq!(adam.seconds_to_target, Some(4.0));
    assert_eq!((sgd.reached(), sgd.epochs_to_target), (2, Some(3.0)));
    let given = Judgement::of("mnist", "val_loss", false, &entries, Some(0.95));
    assert_eq!(given.target_of, None);
    assert_eq!((given.standings[1].reached(), given.standings[1].epochs_to_target), (0, None));
    assert_eq!(given.standings[0].epochs_to_target, Some(2.0));
}

#[test]
fn who_diverged_comes_after_who_did_not_and_who_never_learnt_comes_last() {
    let mut broken = scores("lion", &[0.1, 0.1, 0.1]);
    broken.runs[1].diverged = true;
    let entries = [
        Entry { label: "lbfgs".to_owned(), runs: vec![] },
        broken,
        scores("adam", &[1.0, 1.1, 1.0]),
    ];
    let judged = Judgement::of("mnist", "val_loss", false, &entries, None);
    let labels: Vec<&str> = judged.standings.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["adam", "lion", "lbfgs"]);
    assert_eq!(judged.standings[1].scores, [Some(0.1), None, Some(0.1)]);
    assert_eq!(judged.pairs.len(), 1);
    assert!(judged.csv().unwrap().starts_with("contender,seed,epoch,val_loss\nadam,1,1,1\n"));
    assert!(judged.text(converge_figures::Look::PLAIN).contains("lion"));
}
