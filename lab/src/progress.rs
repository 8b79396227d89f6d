//! How far it has come.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many steps on stderr; nothing where that is no terminal.
pub fn bar(steps: u64, what: impl Into<String>) -> ProgressBar {
    let template = "{prefix} {wide_bar:.cyan/blue} {msg} {pos}/{len}  {eta_precise} left";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(steps).with_prefix(what.into());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
