//! Numbers for readers.

/// A number with three significant digits: `0.05`, `12.3`, `1.5e-6`.
///
/// ```
/// use burn_descent_lab::numbers::short;
///
/// let numbers = [0.0, 0.1 + 0.2, -12.345, 120_000.0, 1.5e-6, 99_999.9, f64::INFINITY];
/// let short = numbers.map(short);
/// assert_eq!(short, ["0", "0.3", "-12.3", "1.2e5", "1.5e-6", "1e5", "∞"]);
/// ```
pub fn short(number: f64) -> String {
    if number.is_nan() {
        return "none".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "∞" } else { "-∞" }.into();
    }
    let text = format!("{number:.2e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number != 0.0 && !(-3..5).contains(&exponent) {
        return format!("{}e{exponent}", trimmed(digits));
    }
    trimmed(&format!("{number:.*}", (2 - exponent).max(0) as usize)).into()
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
