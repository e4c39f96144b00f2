//! `converge optimizers`: the optimizers there are, and when to use which.

use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::printer::Printer;
use converge_core::optim::{OptimizerInfo, OptimizerSettings};
use converge_figures::{Look, table};

/// List the optimizers, or describe one
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge optimizers                       what there is, and when to use it
  converge optimizers adamw                 one, with its defaults
  converge train mnist --set optimizer.name=adamw")]
pub(super) struct OptimizersArgs {
    /// The optimizer to describe
    #[arg(value_parser = PossibleValuesParser::new(OptimizerSettings::NAMES), hide_possible_values = true)]
    name: Option<String>,
    /// Print all of them as a page in Markdown
    #[arg(long, conflicts_with = "name")]
    markdown: bool,
}

impl OptimizersArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let catalogue = OptimizerSettings::catalogue();
        if self.markdown {
            return printer.result(&catalogue, || page(&catalogue));
        }
        if let Some(found) = catalogue.iter().find(|info| Some(info.name) == self.name.as_deref()) {
            return printer.result(found, || description(found));
        }
        printer.result(&catalogue, || {
            let row = |info: &OptimizerInfo| {
                vec![
                    info.name.to_owned(),
                    info.state_per_parameter.to_owned(),
                    info.use_when.to_owned(),
                ]
            };
            let rows: Vec<Vec<String>> = catalogue.iter().map(row).collect();
            let header = ["optimizer", "state per parameter", "when to use it"];
            let mut text = table(Look::detect(), &header, &rows);
            text += "\n`converge optimizers NAME` shows the formula and the defaults of one";
            text
        })
    }
}

/// One optimizer for the terminal, its defaults as an experiment has them.
fn description(info: &OptimizerInfo) -> String {
    format!(
        "{}: {}\n\n  {}\n\nstate per parameter: {}\nsource: {}\n\n[optimizer]\nname = \"{0}\"\n{}",
        info.name,
        info.use_when,
        info.formula,
        info.state_per_parameter,
        info.source,
        info.default_lines().join("\n")
    )
}

/// All optimizers as a page in Markdown.
fn page(catalogue: &[OptimizerInfo]) -> String {
    let mut text = String::from(
        "# Optimizers\n\n\
         Made by `converge optimizers --markdown > docs/optimizers.md`. In the formulas g is the \
         gradient, w the weights, η the learning rate, λ the weight decay, m and v running means of \
         g and g², and a hat (m̂, v̂) corrects their start from 0. The file of each optimizer in \
         `crates/core/src/optim/` has the whole rule with every symbol named.\n\n\
         | optimizer | state per parameter | when to use it |\n|---|---|---|\n",
    );
    for info in catalogue {
        text += &format!(
            "| [`{}`](#{0}) | {} | {} |\n",
            info.name, info.state_per_parameter, info.use_when
        );
    }
    for info in catalogue {
        text += &format!(
            "\n## {}\n\n{}\n\nSource: {}. State per parameter: {}.\n\n```toml\n[optimizer]\nname = \
             \"{0}\"\n{}\n```\n",
            info.name,
            info.formula,
            info.source,
            info.state_per_parameter,
            info.default_lines().join("\n")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_documentation_is_up_to_date() {
        let page = page(&OptimizerSettings::catalogue());
        let kept = include_str!("../../docs/optimizers.md");
        assert_eq!(
            kept.trim_end(),
            page.trim_end(),
            "`converge optimizers --markdown` made another"
        );
    }

    #[test]
    fn a_described_optimizer_can_be_used_as_it_is_printed() {
        for info in OptimizerSettings::catalogue() {
            let text = description(&info);
            let section = text.split("[optimizer]\n").nth(1).unwrap_or_default();
            let read = toml::from_str::<OptimizerSettings>(section);
            assert_eq!(read.map(|settings| settings.check().is_ok()), Ok(true), "{section}");
        }
    }
}
