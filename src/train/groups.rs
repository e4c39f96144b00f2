//! Groups of parameters: which of them are frozen, decay, or have a rate or an optimizer of their own.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module as _, ParamGroup};
use burn::optim::{ModuleOptimizer, OptimizerRecord};

use super::TrainError;
use super::norms::{Parameter, parameters};
use crate::experiment::{Experiment, GroupSettings};
use crate::models::Model;
use crate::optim::{Conductor, OptimizerSettings};
use crate::schedule::Schedule;

/// `model` with the groups frozen that `experiment` freezes; an error for a group without members.
pub(super) fn freeze(model: Model, experiment: &Experiment) -> Result<Model, TrainError> {
    let all = parameters(&model);
    experiment.groups.iter().try_fold(model, |model, group| {
        let members = members(&all, group)?;
        Ok(if group.frozen { model.freeze_group(members) } else { model })
    })
}

/// The optimizer of `experiment` for `model`, with the state of `record`, and what conducts it.
pub(super) fn optimizer(
    model: &Model,
    experiment: &Experiment,
    record: Option<OptimizerRecord>,
) -> Result<(ModuleOptimizer, Conductor), TrainError> {
    let (settings, wrappers) = (&experiment.optimizer, &experiment.wrappers);
    let (mut optimizer, conductor) = settings.conducted(wrappers);
    let all = parameters(model);
    let vectors = all.iter().filter(|parameter| parameter.is_vector).map(|vector| vector.id);
    let vectors = ParamGroup::from_ids(vectors.collect());
    if !experiment.regularization.biases_and_norms
        && let Some(without_decay) = settings.with_weight_decay(0.0)
        && without_decay != *settings
    {
        optimizer = without_decay.join(optimizer, &conductor, vectors, wrappers);
    }
    for group in experiment.groups.iter().filter(|group| !group.frozen) {
        let own = group.optimizer.as_ref().unwrap_or(settings);
        let own = match group.weight_decay {
            Some(decay) => own.with_weight_decay(decay).ok_or_else(|| {
                TrainError::NoWeightDecay { group: group.parameters.clone(), optimizer: own.name() }
            })?,
            None => own.clone(),
        };
        if group.optimizer.is_some() || group.weight_decay.is_some() {
            optimizer = own.join(optimizer, &conductor, members(&all, group)?, wrappers);
        }
    }
    if let Some(record) = record {
        optimizer = optimizer.load_record(record);
    }
    Ok((optimizer, conductor))
}

/// The rates of `schedule`, of the parameters that are `slower` in a stage, and of the groups that
/// have a base rate of their own.
pub(super) fn scheduler(
    model: &Model,
    experiment: &Experiment,
    schedule: &Schedule,
    slower: Option<(ParamGroup, f64)>,
) -> Result<ModuleLrScheduler, TrainError> {
    let all = parameters(model);
    let mut scheduler = ModuleLrScheduler::new(schedule.clone());
    if let Some((group, rate)) = slower {
        scheduler = scheduler.with_group(group, schedule.at_rate(rate));
    }
    for group in experiment.groups.iter().filter(|group| !group.frozen) {
        let of_optimizer = group.optimizer.as_ref().map(OptimizerSettings::learning_rate);
        if let Some(rate) = group.learning_rate.or(of_optimizer) {
            scheduler = scheduler.with_group(members(&all, group)?, schedule.at_rate(rate));
        }
    }
    Ok(scheduler)
}

/// The parameters that `group` means.
fn members(all: &[Parameter], group: &GroupSettings) -> Result<ParamGroup, TrainError> {
    let found: Vec<_> = all
        .iter()
        .filter(|parameter| parameter.name.contains(&group.parameters))
        .map(|parameter| parameter.id)
        .collect();
    if found.is_empty() {
        return Err(TrainError::EmptyGroup {
            group: group.parameters.clone(),
            names: all.iter().map(|parameter| parameter.name.clone()).collect(),
        });
    }
    Ok(ParamGroup::from_ids(found))
}
