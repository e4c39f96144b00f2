//! Step decay: γ^⌊t / s⌋, as `torch.optim.lr_scheduler.StepLR`.

use super::about::settings;
use super::{Moment, Shape, check_gamma};
use converge_settings::checks::{Checked, count};

settings! {
    /// The rate is multiplied by `gamma` every `step_size` units.
    pub struct Step {
        /// s: units between two decays.
        step_size: usize = 30,
        /// γ: the factor of one decay.
        gamma: f64 = 0.1,
    }
    per: Epoch,
    formula: "γ^⌊t / s⌋",
    source: "torch.optim.lr_scheduler.StepLR",
    use_when: "To repeat older recipes, such as ImageNet with a tenth every 30 epochs",
}

impl Shape for Step {
    fn check(&self) -> Checked {
        count("step_size", self.step_size)?;
        check_gamma(self.gamma)
    }

    fn factor(&self, moment: Moment) -> f64 {
        self.gamma.powf((moment.elapsed() / self.step_size.max(1)) as f64)
    }
}
