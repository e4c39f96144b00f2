//! Step decay: γ^⌊t / s⌋, as `torch.optim.lr_scheduler.StepLR`.

use super::about::schedule;
use super::{GAMMA, Moment, Shape};
use converge_settings::ranges::COUNT;

schedule! {
    /// The rate is multiplied by `gamma` every `step_size` units.
    pub struct Step {
        /// s: units between two decays.
        step_size: usize = 30 => COUNT,
        /// γ: the factor of one decay.
        gamma: f64 = 0.1 => GAMMA,
    }
    per: Epoch,
    formula: "γ^⌊t / s⌋",
    source: "torch.optim.lr_scheduler.StepLR",
    use_when: "To repeat older recipes, such as ImageNet with a tenth every 30 epochs",
}

impl Shape for Step {
    fn factor(&self, moment: Moment) -> f64 {
        self.gamma.powf((moment.elapsed() / self.step_size.max(1)) as f64)
    }
}
