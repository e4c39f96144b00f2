//! Numbers as people read them, written the same way by all commands.

use std::time::Duration;

/// `value` to `digits` significant digits: `0.7134`, `1234`, `1.250e-5`.
///
/// Trailing zeros stay, so that a column of metrics shows one precision. Values below 0.0001 or
/// from a million on are in scientific notation.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let digits = digits.clamp(1, 17);
    let scientific = format!("{value:.*e}", digits - 1);
    // The power after rounding: 0.99999 to two digits is 1.0.
    let power = scientific.split_once('e').and_then(|(_, power)| power.parse::<i32>().ok());
    match power {
        Some(power @ -4..=5) => {
            let decimals = digits.saturating_add_signed(-power as isize - 1);
            format!("{value:.decimals$}")
        }
        _ => scientific,
    }
}

/// `fraction`, 1 being all, in percent with two decimals: `71.34%`.
pub fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:.2}%", 100.0 * fraction) } else { fraction.to_string() }
}

/// `duration` in its two largest units: `350 ms`, `12.3 s`, `1 m 12 s`, `2 h 05 m`, `3 d 04 h`.
pub fn duration(duration: Duration) -> String {
    let milliseconds = (duration.as_nanos() + 500_000) / 1_000_000;
    let tenths = (duration.as_millis() + 50) / 100;
    let seconds = (duration.as_millis() + 500) / 1000;
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else if tenths < 600 {
        format!("{}.{} s", tenths / 10, tenths % 10)
    } else if seconds < 3600 {
        format!("{} m {:02} s", seconds / 60, seconds % 60)
    } else {
        let minutes = (seconds + 30) / 60;
        let hours = (minutes + 30) / 60;
        if minutes < 24 * 60 {
            format!("{} h {:02} m", minutes / 60, minutes % 60)
        } else {
            format!("{} d {:02} h", hours / 24, hours % 24)
        }
    }
}

/// `bytes` in decimal units, as download pages give them: `512 B`, `170.5 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        // 999.95 would round to 1000.0 of this unit.
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// `count` with a comma between thousands: `50,000`.
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_significant_digits() {
        assert_eq!(significant(0.713_44, 4), "0.7134");
        assert_eq!(significant(0.5, 4), "0.5000");
        assert_eq!(significant(1234.56, 4), "1235");
        assert_eq!(significant(-12.345, 3), "-12.3");
        assert_eq!(significant(0.999_96, 4), "1.000");
        assert_eq!(significant(0.0, 3), "0.00");
        assert_eq!(significant(0.000_012_5, 4), "1.250e-5");
        assert_eq!(significant(1.5e9, 2), "1.5e9");
        assert_eq!(significant(f64::NAN, 4), "NaN");
        assert_eq!(significant(f64::NEG_INFINITY, 4), "-inf");
        assert_eq!(significant(2.0, 0), "2");
    }

    #[test]
    fn fractions_are_in_percent() {
        assert_eq!(percent(0.7134), "71.34%");
        assert_eq!(percent(1.0), "100.00%");
        assert_eq!(percent(f64::NAN), "NaN");
    }

    #[test]
    fn durations_round_without_sixty_seconds() {
        assert_eq!(duration(Duration::ZERO), "0 ms");
        assert_eq!(duration(Duration::from_millis(350)), "350 ms");
        assert_eq!(duration(Duration::from_micros(999_700)), "1.0 s");
        assert_eq!(duration(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(duration(Duration::from_millis(59_960)), "1 m 00 s");
        assert_eq!(duration(Duration::from_secs(72)), "1 m 12 s");
        assert_eq!(duration(Duration::from_millis(3_599_600)), "1 h 00 m");
        assert_eq!(duration(Duration::from_mins(125)), "2 h 05 m");
        assert_eq!(duration(Duration::from_secs(86_399)), "1 d 00 h");
        assert_eq!(duration(Duration::from_hours(76)), "3 d 04 h");
        assert!(!duration(Duration::MAX).is_empty());
    }

    #[test]
    fn sizes_are_in_decimal_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(170_498_071), "170.5 MB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn counts_have_commas_between_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(50_000), "50,000");
        assert_eq!(count(1_234_567), "1,234,567");
    }
}
