//! What `early-stopping` claims: runs over-fit, and criteria stop in order of their thresholds.

use super::criteria::{Family, Judged};
use super::training::Curves;
use crate::Claim;
use crate::training::mean;
use converge_diagnosis::Criterion;

pub(super) fn check(curves: &[Curves], families: &[Family]) -> Vec<Claim> {
    let over_fits = |run: &Curves| {
        let (best, end) = (run.best(run.epochs()), run.epochs() - 1);
        run.validation[end] > 1.05 * run.validation[best]
            && run.training[end] < 0.5 * run.training[best]
    };
    let over_fitted = curves.iter().filter(|run| over_fits(run)).count();
    let mut claims = vec![Claim::that(
        "every run over-fits: the validation loss ends 5% above its least, the training loss at less than half of \
         what it was there",
        format!("{over_fitted} of {} runs", curves.len()),
        over_fitted == curves.len(),
    )];
    for family in families {
        let inversions = family.judged.windows(2).flat_map(|pair| {
            pair[0].epochs.iter().zip(&pair[1].epochs).filter(|(fast, slow)| slow < fast)
        });
        claims.push(Claim::at_most(
            format!("{}: a larger threshold never stops earlier (exceptions)", family.name),
            inversions.count() as f64,
            0.0,
        ));
    }
    let late = families[0].judged.iter().flat_map(|judged| {
        let Criterion::Patience { patience, .. } = judged.criterion else { return vec![] };
        let runs = judged.epochs.iter().zip(curves);
        runs.filter(|(epochs, run)| {
            **epochs < run.epochs() && **epochs != run.best(**epochs) + 1 + patience
        })
        .collect()
    });
    claims.push(Claim::at_most(
        "patience p stops p epochs after the best one (exceptions)",
        late.count() as f64,
        0.0,
    ));
    let ends = |slow: bool, value: fn(&Judged) -> f64| {
        let chosen = families
            .iter()
            .filter_map(|family| if slow { family.judged.last() } else { family.judged.first() });
        mean(&chosen.map(value).collect::<Vec<_>>())
    };
    claims.push(Claim::that(
        "slow criteria keep better weights than fast ones, as Prechelt found (mean over families and runs)",
        format!(
            "test loss {:.2}% beyond the best after {:.0} epochs, {:.2}% after {:.0}",
            100.0 * ends(true, Judged::mean_excess),
            ends(true, Judged::mean_epoch),
            100.0 * ends(false, Judged::mean_excess),
            ends(false, Judged::mean_epoch)
        ),
        ends(true, Judged::mean_excess) <= ends(false, Judged::mean_excess),
    ));
    claims
}
