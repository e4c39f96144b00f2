//! Contenders over several experiments: performance profiles (Dolan and Moré, "Benchmarking
//! optimization software with performance profiles", Mathematical Programming 91, 2002).
//!
//! A problem is one experiment with one seed, the cost of a contender on it the epochs t until its
//! target, ∞ where it does not come there. With the ratio r = t / (the least t of all contenders), the
//! profile ρ(τ) is the fraction of problems with r ≤ τ: ρ(1) of them the contender is the first on,
//! ρ(∞) it comes to the target on at all.

use serde::Serialize;

use converge_figures::figure::{Axis, Figure, Layer, Panel, Plot};
use converge_figures::numbers::significant;
use converge_figures::{Look, table};

use super::Judgement;

/// Profiles are averaged up to this ratio, as the score of `AlgoPerf` (Dahl et al., 2023, section
/// 4.6).
const WORST_RATIO: f64 = 4.0;

/// One contender over all problems.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contestant {
    /// Its name.
    pub label: String,
    /// Its ratios on the problems whose target it came to, from the least.
    pub ratios: Vec<f64>,
    /// The mean of its profile over ratios from 1 to 4: 1 for one that is the first everywhere.
    pub score: f64,
}

/// The profiles of all contenders, the highest score first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profiles {
    /// How many problems there are.
    pub problems: usize,
    /// The contenders.
    pub contestants: Vec<Contestant>,
}

impl Profiles {
    /// The profiles over `races`, which have the same contenders.
    pub fn of(races: &[Judgement]) -> Self {
        let mut contestants: Vec<Contestant> = vec![];
        let mut problems = 0;
        for race in races {
            problems += race.seeds;
            for seed in 0..race.seeds {
                let epochs = |one: &super::Standing| one.first_at_target.get(seed).copied()?;
                let Some(least) = race.standings.iter().filter_map(epochs).min() else { continue };
                for standing in &race.standings {
                    let Some(epochs) = epochs(standing) else { continue };
                    let ratio = epochs as f64 / least as f64;
                    match contestants.iter_mut().find(|one| one.label == standing.label) {
                        Some(known) => known.ratios.push(ratio),
                        None => contestants.push(Contestant {
                            label: standing.label.clone(),
                            ratios: vec![ratio],
                            score: 0.0,
                        }),
                    }
                }
            }
        }
        for standing in races.iter().flat_map(|race| &race.standings) {
            let label = &standing.label;
            if contestants.iter().all(|one| one.label != *label) {
                contestants.push(Contestant { label: label.clone(), ratios: vec![], score: 0.0 });
            }
        }
        for one in &mut contestants {
            one.ratios.sort_by(f64::total_cmp);
            // The area below steps: each ratio adds 1/n from there on.
            let area: f64 = one.ratios.iter().map(|ratio| (WORST_RATIO - ratio).max(0.0)).sum();
            one.score = area / (WORST_RATIO - 1.0) / problems as f64;
        }
        contestants.sort_by(|a, b| b.score.total_cmp(&a.score));
        Self { problems, contestants }
    }

    /// ρ(`ratio`) of a contender.
    fn at(&self, one: &Contestant, ratio: f64) -> f64 {
        one.ratios.iter().filter(|&&own| own <= ratio).count() as f64 / self.problems as f64
    }

    /// The profiles as steps.
    pub fn figure(&self) -> Figure {
        let all = || self.contestants.iter().flat_map(|one| &one.ratios);
        let end = all().copied().fold(2.0, f64::max) * 1.1;
        let x = Axis::log("epochs to the target, as a multiple of the fastest contender's");
        let y = Axis::linear("fraction of problems");
        let mut plot = Plot::new("Performance profiles", x, y);
        for (series, one) in self.contestants.iter().enumerate() {
            let mut points = vec![(1.0, self.at(one, 1.0))];
            for &ratio in one.ratios.iter().filter(|&&ratio| ratio > 1.0) {
                let before = points.last().map_or(0.0, |&(_, height)| height);
                points.extend([(ratio, before), (ratio, self.at(one, ratio))]);
            }
            points.push((end, self.at(one, end)));
            plot = plot.with(Layer::line(&one.label, series, points));
        }
        Figure {
            name: "profile".to_owned(),
            title: "How often is who how far behind?".to_owned(),
            caption: "A problem is one experiment with one seed.".to_owned(),
            columns: 1,
            panels: vec![Panel::Plot(plot)],
        }
    }

    /// A table of the contenders and a line to quote.
    pub fn text(&self, look: Look) -> String {
        let percent = |fraction: f64| format!("{:.0} %", 100.0 * fraction);
        let row = |one: &Contestant| {
            let score = significant(one.score, 2);
            let at = [1.0, 2.0, f64::INFINITY].map(|ratio| percent(self.at(one, ratio)));
            std::iter::once(one.label.clone()).chain(at).chain([score]).collect()
        };
        let rows: Vec<Vec<String>> = self.contestants.iter().map(row).collect();
        let header = ["contender", "fastest", "within twice that", "at the target", "score"];
        let mut text = table(look, &header, &rows) + "\n\n";
        if let Some(first) = self.contestants.first() {
            text += &format!(
                "Over {} problems (an experiment with a seed) {} is the fastest to the target on {}, and \
                 comes there on {}.",
                self.problems,
                first.label,
                percent(self.at(first, 1.0)),
                percent(self.at(first, f64::INFINITY)),
            );
        }
        text
    }

    /// A row for each contender and problem whose target it came to.
    pub fn csv(&self) -> String {
        let mut text = "contender,ratio,fraction\n".to_owned();
        for one in &self.contestants {
            for &ratio in &one.ratios {
                let label = one.label.replace('"', "\"\"");
                text += &format!("\"{label}\",{ratio},{}\n", self.at(one, ratio));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, SeedRun};
    use super::*;

    fn race(contenders: &[(&str, &[&[f64]])]) -> Judgement {
        let run = |(seed, curve): (u64, &&[f64])| SeedRun {
            seed,
            curve: curve.to_vec(),
            seconds_per_epoch: 1.0,
            diverged: false,
        };
        let entries: Vec<Entry> = contenders
            .iter()
            .map(|(label, curves)| Entry {
                label: (*label).to_owned(),
                runs: (1..).zip(*curves).map(run).collect(),
            })
            .collect();
        Judgement::of("any", "val_loss", false, &entries, Some(1.0))
    }

    #[test]
    fn a_profile_is_the_fraction_of_problems_within_a_ratio_of_the_fastest() {
        // Epochs to the target: a 1 and 4, b 2 and never; then a 3, b 1, one seed that nobody solves.
        let races = [
            race(&[
                ("a", &[&[1.0, 0.5], &[2.0, 2.0, 2.0, 1.0]]),
                ("b", &[&[2.0, 0.9], &[2.0, 2.0]]),
            ]),
            race(&[("a", &[&[3.0, 2.0, 0.1], &[2.0]]), ("b", &[&[0.2], &[2.0]])]),
        ];
        let profiles = Profiles::of(&races);
        assert_eq!(profiles.problems, 4);
        let [a, b] = &profiles.contestants[..] else { panic!("two") };
        assert_eq!((a.label.as_str(), &a.ratios[..]), ("a", &[1.0, 1.0, 3.0][..]));
        assert_eq!((b.label.as_str(), &b.ratios[..]), ("b", &[1.0, 2.0][..]));
        // ρ of a is 1/2 up to 3 and 3/4 from there to 4; of b 1/4 up to 2, then 1/2.
        assert!((a.score - (0.5 * 2.0 + 0.75) / 3.0).abs() < 1e-12, "{}", a.score);
        assert!((b.score - (0.25 + 0.5 * 2.0) / 3.0).abs() < 1e-12, "{}", b.score);
        assert_eq!(profiles.csv().lines().nth(3), Some("\"a\",3,0.75"));
        assert!(profiles.text(Look::PLAIN).contains("a is the fastest to the target on 50 %"));
    }
}
