//! Losses as pictures.

mod chart;
mod epochs;
mod range;

pub use epochs::epochs;
pub use range::range;

use crate::output;
use anyhow::{Context, Result, anyhow, bail};
use chart::Chart;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::path::Path;

/// Width and height; a PNG has twice as many pixels, for screens that show them.
const SIZE: (u32, u32) = (960, 600);
const PNG_SCALE: u32 = 2;
const FONT: &str = "sans-serif";

/// How a chart is written to a file.
#[derive(Clone, Copy)]
enum Format {
    Svg,
    Png,
}

fn format(path: &Path) -> Result<Format> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => bail!("--plot {}: its name must end in .svg or .png", path.display()),
    }
}

/// Finds out before training whether a plot can be written here.
///
/// # Errors
/// If it cannot, or if the name does not say which format is meant.
pub fn check(path: &Path) -> Result<()> {
    format(path)?;
    output::check_file(path)
}

fn draw<X>(path: &Path, chart: &Chart<X>) -> Result<()>
where
    X: AsRangedCoord + Clone,
    X::Value: Clone + 'static,
    X::CoordDescType: ValueFormatter<X::Value>,
{
    // The same font everywhere, whatever the system has.
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| anyhow!("the font cannot be read"))?;
    let format = format(path)?;
    output::write_file(path, |draft| {
        let drawn = match format {
            Format::Svg => chart.draw(SVGBackend::new(draft, SIZE), 1),
            Format::Png => {
                let size = (SIZE.0 * PNG_SCALE, SIZE.1 * PNG_SCALE);
                chart.draw(BitMapBackend::new(draft, size), PNG_SCALE)
            }
        };
        drawn.with_context(|| format!("cannot draw {}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_refused_before() {
        assert!(check(Path::new("plot.pdf")).unwrap_err().to_string().contains(".svg or .png"));
        assert!(check(Path::new("plot.png")).is_ok());
    }
}
