//! Groups of parameters: which of them are frozen, decay, or have a rate or an optimizer of their own.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module as _, ParamGroup, ParamId};
use burn::optim::ModuleOptimizer;

use super::TrainError;
use super::checkpoint::{StoredOptimizer, shapes};
use super::norms::{Parameter, parameters};
use crate::experiment::{Experiment, GroupSettings};
use crate::models::Model;
use crate::optim::{Conductor, OptimizerSettings};
use crate::schedule::Schedule;
use converge_data::caught::caught;

/// A group, and the parameters whose last group it is.
struct Members<'a> {
    settings: &'a GroupSettings,
    parameters: Vec<Parameter>,
}

/// The groups of `experiment`; an error where no parameter of `model` fits.
fn members<'a>(model: &Model, experiment: &'a Experiment) -> Result<Vec<Members<'a>>, TrainError> {
    let all = parameters(model);
    let fits = |group: &GroupSettings, one: &Parameter| one.name.contains(&group.parameters);
    if let Some(group) =
        experiment.groups.iter().find(|group| !all.iter().any(|one| fits(group, one)))
    {
        let names = all.into_iter().map(|parameter| parameter.name).collect();
        return Err(TrainError::EmptyGroup { group: group.parameters.clone(), names });
    }
    let mut groups: Vec<Members> =
        experiment.groups.iter().map(|settings| Members { settings, parameters: vec![] }).collect();
    for parameter in all {
        let last = groups.iter_mut().rev().find(|group| fits(group.settings, &parameter));
        if let Some(group) = last {
            group.parameters.push(parameter);
        }
    }
    Ok(groups)
}

fn ids<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> ParamGroup {
    ParamGroup::from_ids(parameters.into_iter().map(|parameter| parameter.id).collect())
}

fn paths<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> Vec<(ParamId, &'a str)> {
    parameters.into_iter().map(|parameter| (parameter.id, parameter.name.as_str())).collect()
}

/// `model` with the parameters frozen that `experiment` freezes.
pub(super) fn freeze(model: Model, experiment: &Experiment) -> Result<Model, TrainError> {
    let groups = members(&model, experiment)?;
    let frozen = groups.iter().filter(|group| group.settings.frozen);
    Ok(frozen.fold(model, |model, group| model.freeze_group(ids(&group.parameters))))
}

/// The optimizer of `experiment` for `model`, with its `stored` state, and what conducts it.
pub(super) fn optimizer(
    model: &Model,
    experiment: &Experiment,
    stored: Option<StoredOptimizer>,
) -> Result<(ModuleOptimizer, Conductor), TrainError> {
    let (optimizer, conductor) = new_optimizer(model, experiment)?;
    let Some(stored) = stored else { return Ok((optimizer, conductor)) };
    // The state after any step has the shapes that all states have.
    let (example, conductor_of_example) = new_optimizer(model, experiment)?;
    let needed = caught(|| shapes(conductor_of_example.first_state(example, model)));
    let needed = needed.and_then(|needed| needed).unwrap_or_default();
    let optimizer = stored.load(
        |record| optimizer.load_record(record),
        ModuleOptimizer::to_record,
        |name| needed.get(name).cloned(),
    )?;
    Ok((optimizer, conductor))
}

/// The optimizer of `experiment` for `model`, without state, and what conducts it.
fn new_optimizer(
    model: &Model,
    experiment: &Experiment,
) -> Result<(ModuleOptimizer, Conductor), TrainError> {
    let (settings, wrappers) = (&experiment.optimizer, &experiment.wrappers);
    let (mut optimizer, conductor) = settings.conducted(wrappers);
    let spares_vectors = !experiment.regularization.biases_and_norms;
    // `settings` without weight decay, where vectors are to have none.
    let bare = |settings: &OptimizerSettings| {
        let bare = settings.with_weight_decay(0.0).filter(|bare| bare != settings);
        bare.filter(|_| spares_vectors)
    };
    if let Some(bare) = bare(settings) {
        let all = parameters(model);
        let vectors = paths(all.iter().filter(|parameter| parameter.is_vector));
        optimizer = bare.join(optimizer, &conductor, &vectors, wrappers);
    }
    for Members { settings: group, parameters } in members(model, experiment)? {
        let mut own = group.optimizer.as_ref().unwrap_or(settings).clone();
        if let Some(decay) = group.weight_decay {
            own = own.with_weight_decay(decay).ok_or_else(|| TrainError::NoWeightDecay {
                group: group.parameters.clone(),
                optimizer: own.name(),
            })?;
        } else if group.optimizer.is_none() {
            continue;
        }
        optimizer = own.join(optimizer, &conductor, &paths(&parameters), wrappers);
        if let (None, Some(bare)) = (group.weight_decay, bare(&own)) {
            let vectors = paths(parameters.iter().filter(|parameter| parameter.is_vector));
            optimizer = bare.join(optimizer, &conductor, &vectors, wrappers);
        }
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
    let mut scheduler = ModuleLrScheduler::new(schedule.clone());
    if let Some((group, rate)) = slower {
        scheduler = scheduler.with_group(group, schedule.at_rate(rate));
    }
    for Members { settings: group, parameters } in members(model, experiment)? {
        let of_optimizer = group.optimizer.as_ref().map(OptimizerSettings::learning_rate);
        if let Some(rate) = group.learning_rate.or(of_optimizer) {
            scheduler = scheduler.with_group(ids(&parameters), schedule.at_rate(rate));
        }
    }
    Ok(scheduler)
}
