//! Decay at milestones: γ^n after n of them, as `torch.optim.lr_scheduler.MultiStepLR`.

use super::about::schedule;
use super::{GAMMA, Moment, Shape};
use converge_settings::checks::{Checked, ensure};
use converge_settings::ranges::COUNT;

schedule! {
    /// The rate is multiplied by `gamma` at every milestone.
    pub struct MultiStep {
        /// m: the first unit after each decay, ascending.
        milestones: Vec<usize> = vec![],
        /// γ: the factor of one decay.
        gamma: f64 = 0.1 => GAMMA,
    }
    per: Epoch,
    formula: "γ^n, where n counts the milestones m ≤ t",
    source: "torch.optim.lr_scheduler.MultiStepLR",
    use_when: "To repeat recipes such as ResNet on CIFAR-10, with decays at 50 and 75 % of the run",
    check |schedule| check_ascending("milestones", &schedule.milestones)
}

impl Shape for MultiStep {
    fn factor(&self, moment: Moment) -> f64 {
        let elapsed = moment.elapsed();
        let passed = self.milestones.iter().filter(|&&milestone| milestone <= elapsed).count();
        self.gamma.powf(passed as f64)
    }
}

/// `units` are at least one, each above the one before.
pub(super) fn check_ascending(key: &str, units: &[usize]) -> Checked {
    let ascending = units.windows(2).all(|pair| pair.first() < pair.last());
    ensure(
        !units.is_empty() && ascending,
        key,
        format!("{units:?}"),
        "a list of at least one whole number, each above the one before",
    )?;
    units.iter().try_for_each(|unit| COUNT.check(key, unit))
}
