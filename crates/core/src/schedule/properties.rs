//! What holds for every schedule with any valid settings, parts and warm-up included.

#![allow(clippy::unwrap_used)]

use burn::lr_scheduler::LrScheduler as _;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Per, RunLength, ScheduleSettings};

/// Ascending whole numbers from 1.
fn ascending(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<usize>> {
    vec(1..200_usize, range).prop_map(|gaps| {
        let sums = gaps.iter().scan(0, |sum, gap| {
            *sum += gap;
            Some(*sum)
        });
        sums.collect()
    })
}

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64]
}

fn gamma() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), 1e-6..1.0_f64]
}

/// The schedules that can be a part of another one, and need no key of their own.
fn at_defaults() -> Vec<&'static str> {
    let mut all = ScheduleSettings::all();
    all.retain(|settings| settings.check().is_ok() && !settings.depends_on_run());
    all.iter().map(ScheduleSettings::name).collect()
}

/// A schedule that is not made of others, without the common keys.
fn simple() -> impl Strategy<Value = Value> {
    let units = || 1..500_usize;
    let with_name = |name: &'static str| {
        move |mut value: Value| {
            value["name"] = name.into();
            value
        }
    };
    prop_oneof![
        (0.0..3.0_f64).prop_map(|f| json!({"factor": f})).prop_map(with_name("constant")),
        (ascending(0..5), vec(0.0..3.0_f64, 5))
            .prop_map(|(b, f)| json!({"factors": &f[..=b.len()], "boundaries": b}))
            .prop_map(with_name("piecewise_constant")),
        (units(), gamma())
            .prop_map(|(s, g)| json!({"step_size": s, "gamma": g}))
            .prop_map(with_name("step")),
        (ascending(1..5), gamma())
            .prop_map(|(m, g)| json!({"milestones": m, "gamma": g}))
            .prop_map(with_name("multi_step")),
        (units(), gamma(), any::<bool>())
            .prop_map(|(s, g, b)| json!({"step_size": s, "gamma": g, "staircase": b}))
            .prop_map(with_name("exponential")),
        (units(), 1e-6..1e6_f64, any::<bool>())
            .prop_map(|(s, k, b)| json!({"step_size": s, "decay_rate": k, "staircase": b}))
            .prop_map(with_name("inverse_time")),
        of(1e-6..1e6_f64)
            .prop_map(|t| t.map_or(json!({}), |t| json!({"timescale": t})))
            .prop_map(with_name("inverse_sqrt")),
        (0.0..3.0_f64, 0.0..3.0_f64)
            .prop_map(|(a, b)| json!({"start_factor": a, "end_factor": b}))
            .prop_map(with_name("linear")),
        (1e-3..9.0_f64, fraction(), units(), any::<bool>())
            .prop_map(
                |(p, f, l, c)| json!({"power": p, "final_factor": f, "length": l, "cycle": c})
            )
            .prop_map(with_name("polynomial")),
        fraction().prop_map(|f| json!({"final_factor": f})).prop_map(with_name("cosine")),
        (units(), prop_oneof![Just(1.0), 1.01..9.0_f64], gamma(), fraction())
            .prop_map(|(t, m, q, f)| {
                json!({"t_0": t, "t_mult": m, "restart_factor": q, "final_factor": f})
            })
            .prop_map(with_name("cosine_restarts")),
        (0.0..=0.5_f64, select(vec!["cos", "linear"]), 1.0..1e3_f64, 1.0..1e6_f64, any::<bool>())
            .prop_map(|(p, a, d, e, t)| {
                json!({"pct_start": p, "anneal_strategy": a, "div_factor": d,
                    "final_div_factor": e, "three_phase": t})
            })
            .prop_map(with_name("one_cycle")),
        (fraction(), units(), of(units()), select(vec!["triangular", "triangular2", "exp_range"]))
            .prop_map(|(b, up, down, mode)| {
                let gamma = if mode == "exp_range" { 0.99 } else { 1.0 };
                json!({"base_factor": b, "step_size_up": up, "mode": mode, "gamma": gamma,
                    "step_size_down": down})
            })
            .prop_map(with_name("cyclic")),
        (fraction(), select(vec!["sqrt", "linear", "cosine"]), fraction())
            .prop_map(|(d, g, f)| json!({"decay_fraction": d, "decay": g, "final_factor": f}))
            .prop_map(with_name("warmup_stable_decay")),
        fraction().prop_map(|f| json!({"final_factor": f})).prop_map(with_name("rex")),
        (1.0..1e6_f64, 0..8_u32)
            .prop_map(|(k, power)| json!({"condition_number": k, "cycle_length": 1 << power}))
            .prop_map(with_name("chebyshev")),
        // All of them, those above too, as they are by default.
        select(at_defaults()).prop_map(|name| json!({"name": name})),
    ]
}

/// With a warm-up, and counting in `per`.
fn with_common(
    schedule: impl Strategy<Value = Value>,
    per: &'static [&'static str],
) -> impl Strategy<Value = Value> {
    let warmup = prop_oneof![Just(0), 0..300_usize];
    (schedule, warmup, of(fraction()), select(per)).prop_map(
        |(mut schedule, warmup, start, per)| {
            schedule["warmup"] = warmup.into();
            schedule["per"] = per.into();
            if let Some(start) = start.filter(|_| warmup > 0) {
                schedule["warmup_start_factor"] = start.into();
            }
            schedule
        },
    )
}

const STEP: &[&str] = &["step"];
const EPOCH: &[&str] = &["epoch"];
const EITHER: &[&str] = &["step", "epoch"];

fn sequence(per: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let parts_per = if per == STEP { STEP } else { EITHER };
    let parts = ascending(1..4).prop_flat_map(move |m| {
        (Just(m.clone()), vec(with_common(simple(), parts_per), m.len() + 1))
    });
    let made = parts.prop_map(
        |(milestones, parts)| json!({"name": "sequence", "milestones": milestones, "parts": parts}),
    );
    with_common(made, per)
}

fn any_json() -> impl Strategy<Value = Value> {
    let product = vec(with_common(simple(), EITHER), 2..4)
        .prop_map(|parts| json!({"name": "product", "parts": parts}));
    prop_oneof![
        6 => with_common(simple(), EITHER),
        1 => with_common(product, EITHER),
        1 => sequence(STEP),
        1 => sequence(EPOCH),
    ]
}

fn any_schedule() -> impl Strategy<Value = ScheduleSettings> {
    any_json().prop_map(|json| {
        let settings: ScheduleSettings = serde_json::from_value(json).unwrap();
        settings.check().unwrap();
        settings
    })
}

fn any_length() -> impl Strategy<Value = RunLength> {
    (1..60_usize, 1..40_usize)
        .prop_map(|(steps_per_epoch, epochs)| RunLength { steps_per_epoch, epochs })
}

proptest! {
    #[test]
    fn rates_are_finite_and_never_negative(
        settings in any_schedule(),
        length in any_length(),
        step in prop_oneof![0..3000_usize, any::<usize>()],
    ) {
        let rate = settings.build(0.1, length).learning_rate(step);
        prop_assert!(rate.is_finite() && rate >= 0.0, "{rate}");
    }

    #[test]
    fn a_schedule_taken_up_anywhere_goes_on_like_a_straight_one(
        settings in any_schedule(),
        length in any_length(),
        start in 0..300_usize,
    ) {
        let mut straight = settings.build(0.1, length);
        for _ in 0..start {
            straight.step();
        }
        let mut resumed = settings.build(0.1, length).at_step(start);
        let mut recorded = settings.build(0.1, length);
        recorded.load_record(straight.to_record());
        for _ in 0..20 {
            let rate = straight.step().to_bits();
            prop_assert_eq!(rate, resumed.step().to_bits());
            prop_assert_eq!(rate, recorded.step().to_bits());
        }
    }

    #[test]
    fn rates_per_epoch_change_between_epochs_only(
        json in with_common(simple(), EPOCH),
        length in any_length(),
    ) {
        let settings: ScheduleSettings = serde_json::from_value(json).unwrap();
        let schedule = settings.build(0.1, length);
        for epoch in 0..length.epochs {
            let rate = |step| schedule.learning_rate(epoch * length.steps_per_epoch + step);
            prop_assert_eq!(rate(0).to_bits(), rate(length.steps_per_epoch - 1).to_bits());
        }
    }

    #[test]
    fn a_warmup_climbs_to_the_first_rate_of_the_schedule_behind_it(
        json in simple(),
        warmup in 1..100_usize,
        per in select(vec![Per::Step, Per::Epoch]),
    ) {
        let build = |warmup: usize, epochs: usize| {
            let mut json = json.clone();
            json["warmup"] = warmup.into();
            json["per"] = serde_json::to_value(per).unwrap();
            if json["name"] == "inverse_sqrt" && json.get("timescale").is_none() {
                json["timescale"] = 10.into();
            }
            let settings: ScheduleSettings = serde_json::from_value(json).unwrap();
            settings.build(0.1, RunLength { steps_per_epoch: 3, epochs })
        };
        let unit = if per == Per::Step { 1 } else { 3 };
        // The warm-up in whole epochs, so that what follows is as long as a run without it.
        let warmup = 3 * warmup;
        let (with, without) =
            (build(warmup, 200 + warmup * unit / 3), build(0, 200));
        for step in 0..600 {
            let later = with.learning_rate(step + warmup * unit);
            prop_assert_eq!(later.to_bits(), without.learning_rate(step).to_bits());
        }
        let rates: Vec<f64> =
            (0..=warmup).map(|elapsed| with.learning_rate(elapsed * unit)).collect();
        prop_assert!(rates.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn a_plateau_only_ever_lowers_the_rate_and_stops_at_its_minimum(
        values in vec(prop_oneof![9 => 0.0..2.0_f64, 1 => any::<f64>()], 1..60),
        settings in (0.01..0.99_f64, 0..4_usize, 0.0..0.99_f64, 0..4_usize, fraction(), any::<bool>()),
    ) {
        let (factor, patience, threshold, cooldown, min_factor, relative) = settings;
        let json = json!({"name": "reduce_on_plateau", "factor": factor, "patience": patience,
            "threshold": threshold, "cooldown": cooldown, "min_factor": min_factor,
            "threshold_mode": if relative { "relative" } else { "absolute" }});
        let settings: ScheduleSettings = serde_json::from_value(json).unwrap();
        settings.check().unwrap();
        let schedule = settings.build(1.0, RunLength { steps_per_epoch: 1, epochs: values.len() });
        let mut reductions = vec![];
        for (epoch, value) in values.iter().enumerate() {
            let before = schedule.learning_rate(epoch);
            schedule.observe(epoch + 1, |_| Some(*value));
            let after = schedule.learning_rate(epoch + 1);
            prop_assert!(after <= before && after >= min_factor);
            if after < before {
                reductions.push(epoch);
            }
        }
        // Patience and cooldown lie between any two of them.
        let apart = |pair: &[usize]| pair[1] - pair[0] > patience + cooldown;
        prop_assert!(reductions.windows(2).all(apart));
    }

    #[test]
    fn milestones_are_hit_to_the_unit(milestones in ascending(1..5), gamma in 0.01..0.99_f64) {
        let json = json!({"name": "multi_step", "milestones": &milestones, "gamma": gamma,
            "per": "step"});
        let settings: ScheduleSettings = serde_json::from_value(json).unwrap();
        let schedule = settings.build(1.0, RunLength { steps_per_epoch: 1, epochs: 1000 });
        let expected = |decays: usize| gamma.powf(decays as f64).to_bits();
        for (index, &milestone) in milestones.iter().enumerate() {
            prop_assert_eq!(schedule.learning_rate(milestone - 1).to_bits(), expected(index));
            prop_assert_eq!(schedule.learning_rate(milestone).to_bits(), expected(index + 1));
        }
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_schedule(settings in any_schedule()) {
        let written = toml::to_string(&settings).unwrap();
        prop_assert_eq!(toml::from_str::<ScheduleSettings>(&written).unwrap(), settings);
    }

    #[test]
    fn ends_are_reached_exactly(final_factor in fraction(), length in any_length()) {
        for name in ["linear", "polynomial", "cosine", "rex", "warmup_stable_decay"] {
            let key = if name == "linear" { "end_factor" } else { "final_factor" };
            let settings: ScheduleSettings =
                serde_json::from_value(json!({"name": name, key: final_factor})).unwrap();
            let schedule = settings.build(1.0, length);
            prop_assert!((schedule.learning_rate(0) - 1.0).abs() < 1e-15);
            let end = schedule.learning_rate(length.steps_per_epoch * length.epochs);
            prop_assert!((end - final_factor).abs() < 1e-15, "{name}: {end}");
        }
    }
}
