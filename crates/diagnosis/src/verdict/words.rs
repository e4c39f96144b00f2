//! Numbers and counts as a person writes them.

use crate::history::History;

/// A number with four significant digits, plain where that is short.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.*}", (3 - magnitude).clamp(0, 7) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A share in percent, or "under 1 %" and "over 99 %" near the ends.
pub(crate) fn percent(share: f64) -> String {
    match share {
        share if share < 0.01 => "under 1 %".to_owned(),
        share if share > 0.99 => "over 99 %".to_owned(),
        share => format!("{:.0} %", 100.0 * share),
    }
}

/// What a run counts: "epoch", "step", or "point" if it does not say.
pub(crate) fn unit(history: &History) -> &'static str {
    let name = history.x.as_deref().unwrap_or_default().to_lowercase();
    // Logs write a row every so many steps, so that only epochs are as many as rows.
    if name.contains("epoch") { "epoch" } else { "point" }
}

/// "1 epoch", "3 epochs".
pub(crate) fn count(n: usize, unit: &str) -> String {
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}
