//! How far it has come.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many steps on stderr, and behind it what is being done, as far as there is room; nothing
/// where that is no terminal.
pub fn bar(steps: u64, what: impl Into<String>) -> ProgressBar {
    let template = "{prefix} {bar:24.cyan/blue} {pos}/{len}  {eta_precise} left  {wide_msg}";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(steps).with_prefix(what.into());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
