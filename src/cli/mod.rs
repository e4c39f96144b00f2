//! The command line: one file per command, the only code that prints.
//!
//! Results go to stdout, progress and logs to stderr. Exit status: 0 done, 1 it failed, 2 wrong
//! usage, 130 or 143 stopped by Ctrl-C or SIGTERM, a run being saved.

mod classify;
mod compare;
mod completions;
mod cross_validate;
mod curvature;
mod data;
mod devices;
mod diagnose;
mod evaluate;
mod export;
mod export_log;
mod lab;
mod lab_progress;
mod lr_find;
mod measured;
mod optimizers;
mod options;
mod predict;
mod printer;
mod progress;
mod race;
mod report;
mod runs;
mod schedule;
mod schedules;
mod signals;
mod steady_terminal;
mod train;
mod train_result;
mod training_page;
mod watch;
mod width;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};

use printer::{Printer, is_broken_pipe};

/// Did this training converge, and if not, why, and what should I change?
///
/// Trains the classic models on real data, and records how they converge.
#[derive(Debug, Parser)]
#[command(name = "converge", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Examples:
  converge train cifar10                   train the main experiment
  converge evaluate artifacts/cifar10-…    score its best checkpoint on the test split
  converge diagnose latest                 did it converge, why not, what to change
  converge report latest                   a page with all that a run recorded
  converge compare artifacts/*             what differs, and whether that is luck
  converge watch                           follow runs in the browser while they train
  converge lr-find mnist                   a learning rate, found by trying
  converge race mnist --optimizers sgd,adam  which is better, and whether that is luck
  converge runs                            list the runs there are
  converge lab all                         every classic experiment on convergence")]
struct Cli {
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::TrainArgs),
    Diagnose(diagnose::DiagnoseArgs),
    Report(report::ReportArgs),
    Compare(compare::CompareArgs),
    Watch(watch::WatchArgs),
    LrFind(lr_find::LrFindArgs),
    Curvature(curvature::CurvatureArgs),
    Race(race::RaceArgs),
    Evaluate(evaluate::EvaluateArgs),
    Predict(predict::PredictArgs),
    Classify(classify::ClassifyArgs),
    Export(export::ExportArgs),
    ExportLog(export_log::ExportLogArgs),
    Runs(runs::RunsArgs),
    Schedule(schedule::ScheduleArgs),
    Schedules(schedules::SchedulesArgs),
    Lab(lab::LabArgs),
    Data(data::DataArgs),
    Devices(devices::DevicesArgs),
    Optimizers(optimizers::OptimizersArgs),
    Completions(completions::CompletionsArgs),
}

/// Parses the command line, runs the command, and tells how it went.
pub fn main() -> ExitCode {
    crate::process::prepare();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // The terminal may be gone; there is nobody left to tell.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    set_burn_device(cli.command.device().as_deref());
    let mut printer = Printer::new(cli.json);
    match run(cli.command, &mut printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<signals::Stopped>() => ExitCode::from(signals::Stopped::status()),
        Err(error) => {
            printer.error(&error);
            ExitCode::FAILURE
        }
    }
}

impl Command {
    /// The device asked for, of commands that compute.
    fn device(&self) -> Option<String> {
        match self {
            Self::Train(args) => Some(args.device.name()),
            Self::LrFind(args) => Some(args.device.name()),
            Self::Curvature(args) => Some(args.device.name()),
            Self::Race(args) => Some(args.device.name()),
            Self::Evaluate(args) => Some(args.device.name()),
            Self::Predict(args) => Some(args.device.name()),
            Self::Classify(args) => Some(args.device.name()),
            Self::Export(args) => Some(args.device.name()),
            // Labs compute on the first backend compiled in.
            Self::Lab(_) => Some(converge_core::device::default_name().to_owned()),
            Self::Diagnose(_)
            | Self::Report(_)
            | Self::Compare(_)
            | Self::Watch(_)
            | Self::ExportLog(_)
            | Self::Runs(_)
            | Self::Schedule(_)
            | Self::Schedules(_)
            | Self::Data(_)
            | Self::Devices(_)
            | Self::Optimizers(_)
            | Self::Completions(_) => None,
        }
    }
}

/// Makes Burn's default device the one asked for.
///
/// Burn loads an optimizer's state by way of its default device, which is a GPU wherever one is
/// compiled in: a run resumed on `flex` would need that GPU. Only the environment decides it.
fn set_burn_device(name: Option<&str>) {
    let backend = name.and_then(|name| name.split(':').next());
    if let Some(backend) = backend.filter(|backend| converge_core::device::is_compiled(backend)) {
        #[expect(unsafe_code, reason = "the environment is Burn's only door")]
        // SAFETY: called first thing in `main`, while this is the only thread.
        unsafe {
            std::env::set_var("BURN_DEVICE", backend);
        }
    }
}

fn run(command: Command, printer: &mut Printer) -> Result<()> {
    crate::kernels::check_environment()?;
    match command {
        Command::Train(args) => args.run(printer),
        Command::Diagnose(args) => args.run(printer),
        Command::Report(args) => args.run(printer),
        Command::Compare(args) => args.run(printer),
        Command::Watch(args) => args.run(printer),
        Command::LrFind(args) => args.run(printer),
        Command::Curvature(args) => args.run(printer),
        Command::Race(args) => args.run(printer),
        Command::Evaluate(args) => args.run(printer),
        Command::Predict(args) => args.run(printer),
        Command::Classify(args) => args.run(printer),
        Command::Export(args) => args.run(printer),
        Command::ExportLog(args) => args.run(printer),
        Command::Runs(args) => args.run(printer),
        Command::Schedule(args) => args.run(printer),
        Command::Schedules(args) => args.run(printer),
        Command::Lab(args) => args.run(printer),
        Command::Data(args) => args.run(printer),
        Command::Devices(args) => args.run(printer),
        Command::Optimizers(args) => args.run(printer),
        Command::Completions(args) => args.run(printer, &mut Cli::command()),
    }
}
