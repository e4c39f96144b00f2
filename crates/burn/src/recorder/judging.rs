//! What an epoch says of the training: whether it is the best, what should be told, whether to go on.

use converge_diagnosis::own_run;
use converge_diagnosis::verdict::Finding;
use converge_record::{Best, Status, Stop};

use super::Recorder;
use crate::notice::Notice;
use crate::rules::StopWhen;

impl Recorder {
    /// The best epoch: as early stopping sees it, or else by the validation loss, or by the training
    /// loss.
    pub(super) fn best(&self) -> Option<Best> {
        if let Some(settings) = &self.rules.early_stopping {
            let (epoch, monitor) = (self.early_stopping.best_epoch, settings.monitor.clone());
            return self.early_stopping.best.map(|value| Best { epoch, monitor, value });
        }
        let of = |monitor: &str| {
            let values =
                self.history.iter().filter_map(|row| Some((row.epoch, row.metric(monitor)?)));
            let finite = values.filter(|(_, value)| value.is_finite());
            let (epoch, value) = finite.min_by(|a, b| a.1.total_cmp(&b.1))?;
            Some(Best { epoch, monitor: monitor.to_owned(), value })
        };
        of("val_loss").or_else(|| of("loss"))
    }

    /// Tells what should be known, and stops by it where that is wanted.
    pub(super) fn notice(&mut self, epoch: usize) {
        let history = own_run::history(&self.history, Status::Running);
        let Some(finding) = self.findings.news(&history) else { return };
        let Finding { name, message, .. } = &finding;
        if let Some((rule, reason)) = StopWhen::of_notice(name)
            && self.rules.stop_when.contains(&rule)
        {
            self.stop.get_or_insert_with(|| Stop::new(reason, message.trim_end_matches('.')));
        }
        self.tell(Notice::of(epoch, finding));
    }

    /// Judges the epoch by early stopping.
    pub(super) fn judge(&mut self, epoch: usize) {
        let Some(settings) = &self.rules.early_stopping else { return };
        let Some(row) = self.history.last() else { return };
        if let Some(value) = row.metric(&settings.monitor) {
            let stop = self.early_stopping.judge(settings, epoch, value);
            self.stop = self.stop.take().or(stop);
        } else {
            let names: Vec<String> =
                row.metrics.iter().map(|(name, _)| format!("`{name}`")).collect();
            let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!(
                "Early stopping watches `{}`, which is not among the metrics of this training: {there}.",
                settings.monitor
            );
            self.tell_once("unknown_metric", epoch, message);
        }
    }

    pub(super) fn tell_once(&mut self, name: &str, epoch: usize, message: String) {
        if self.notices.iter().all(|notice| notice.name != name) {
            self.tell(Notice { epoch, name: name.to_owned(), message, change: None });
        }
    }

    fn tell(&mut self, notice: Notice) {
        (self.rules.tell)(&notice);
        self.notices.push(notice);
    }
}
