//! Writes the page of one run or log, or the comparison of several, and says how long that took.
//!
//! `cargo run -p converge-report --example pages -- PAGE.html RUN…`

use std::path::PathBuf;
use std::time::Instant;

use converge_figures::Look;
use converge_report::{Comparison, Training, report};

#[allow(clippy::print_stdout, reason = "this is a program")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let page = arguments.next().ok_or("name the page")?;
    let begun = Instant::now();
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let trainings = Training::read_all(&paths)?;
    let html = if let [training] = trainings.as_slice() {
        report(training)?
    } else {
        let comparison = Comparison::of(&trainings, None)?;
        println!("{}\n", comparison.text(Look { width: Some(100), rules: true, styled: false }));
        comparison.page(&trainings)?
    };
    std::fs::write(page, &html)?;
    println!("{} bytes in {:.2} s", html.len(), begun.elapsed().as_secs_f64());
    Ok(())
}
