//! The losses of the epochs as a picture.

use crate::output;
use crate::train::Epoch;
use anyhow::{Context, Result, anyhow, bail, ensure};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::ops::Range;
use std::path::Path;

/// Width and height; a PNG has twice as many pixels, for screens that show them.
const SIZE: (u32, u32) = (960, 600);
const PNG_SCALE: u32 = 2;
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(51, 51, 51);
const TRAIN: RGBColor = RGBColor(0, 114, 178);
const TEST: RGBColor = RGBColor(213, 94, 0);

/// How a curve is written to a file.
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
    ensure!(!path.is_dir(), "--plot {}: it is a folder", path.display());
    output::check_writable(path)
}

/// Draws the losses of the epochs.
///
/// # Errors
/// If the file cannot be written.
pub fn draw(path: &Path, title: &str, history: &[Epoch]) -> Result<()> {
    // The same font everywhere, whatever the system has.
    register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| anyhow!("the font cannot be read"))?;
    let format = format(path)?;
    output::write_file(path, |draft| {
        let drawn = match format {
            Format::Svg => curves(SVGBackend::new(draft, SIZE), 1, title, history),
            Format::Png => {
                let size = (SIZE.0 * PNG_SCALE, SIZE.1 * PNG_SCALE);
                curves(BitMapBackend::new(draft, size), PNG_SCALE, title, history)
            }
        };
        drawn.with_context(|| format!("cannot draw {}", path.display()))
    })
}

/// Train and test loss over the epochs, on a logarithmic axis if they span a decade. All lengths
/// are multiplied by `scale`.
fn curves<B: DrawingBackend>(backend: B, scale: u32, title: &str, history: &[Epoch]) -> Result<()>
where
    B::ErrorType: 'static,
{
    let area = backend.into_drawing_area();
    let losses = || history.iter().flat_map(|epoch| [epoch.train_loss, epoch.test_loss]);
    let least = losses().fold(f64::INFINITY, f64::min);
    let greatest = losses().fold(0.0, f64::max);
    if least > 0.0 && greatest > 10.0 * least {
        chart(&area, scale, title, history, (least / 1.2..greatest * 1.2).log_scale())?;
    } else {
        let top = if greatest > 0.0 { greatest * 1.08 } else { 1.0 };
        chart(&area, scale, title, history, 0.0..top)?;
    }
    area.present()?;
    Ok(())
}

fn chart<B: DrawingBackend, Y>(
    area: &DrawingArea<B, Shift>,
    scale: u32,
    title: &str,
    history: &[Epoch],
    losses: Y,
) -> Result<()>
where
    B::ErrorType: 'static,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let font = |size: u32| (FONT, size * scale).into_font().color(&INK);
    let length = scale as i32;
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, font(24))
        .margin(20 * length)
        .x_label_area_size(56 * length)
        .y_label_area_size(84 * length)
        .build_cartesian_2d(epochs(history.len()), losses)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.12).stroke_width(scale))
        .axis_style(INK.mix(0.5).stroke_width(scale))
        .set_all_tick_mark_size(5 * length)
        .label_style(font(17))
        .x_labels(12)
        .y_labels(12)
        .y_label_formatter(&|loss| label(*loss))
        .x_desc("epoch")
        .y_desc("loss")
        .axis_desc_style(font(19))
        .draw()?;
    let curve = |loss: fn(&Epoch) -> f64| {
        history.iter().zip(1_u64..).map(|(epoch, x)| (x, loss(epoch))).collect::<Vec<_>>()
    };
    let series =
        [("train", TRAIN, curve(|e| e.train_loss)), ("test", TEST, curve(|e| e.test_loss))];
    for (name, color, points) in series {
        let line = color.stroke_width(2 * scale);
        let dot = if history.len() > 40 { 0 } else { 4 * length };
        chart.draw_series(points.iter().map(|point| Circle::new(*point, dot, color.filled())))?;
        chart
            .draw_series(LineSeries::new(points, line))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 24 * length, y)], line));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .margin(16 * scale)
        .legend_area_size(34 * scale)
        .background_style(WHITE.mix(0.8))
        .border_style(TRANSPARENT)
        .label_font(font(19))
        .draw()?;
    Ok(())
}

/// A loss on the axis: `0.05`, and `1e-5` where zeros would be many.
fn label(loss: f64) -> String {
    // Ticks are sums of steps: what is beyond six digits is rounding.
    let text = format!("{loss:.6}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if loss != 0.0 && loss.abs() < 1e-3 { format!("{loss:.0e}") } else { short.into() }
}

/// From the first to the last epoch, with room around one that is alone.
fn epochs(n: usize) -> Range<u64> {
    if n > 1 { 1..n as u64 } else { 0..2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn history(losses: &[f64]) -> Vec<Epoch> {
        let epoch = |loss: &f64| Epoch {
            train_loss: *loss,
            test_loss: loss * 1.1,
            score: None,
            seconds: 1.0,
        };
        losses.iter().map(epoch).collect()
    }

    #[test]
    fn any_history_can_be_drawn() {
        let dir = tempfile::tempdir().unwrap();
        for losses in [&[][..], &[0.5], &[0.0, 0.0], &[2.0, 1.0], &[100.0, 1.0, 1e-5]] {
            for name in ["a.svg", "a.png"] {
                let path = dir.path().join(name);
                draw(&path, "adam on generated data", &history(losses)).unwrap();
                assert!(fs::metadata(&path).unwrap().len() > 1000);
            }
        }
        let svg = fs::read_to_string(dir.path().join("a.svg")).unwrap();
        assert!(svg.contains("adam on generated data") && svg.contains("epoch"));
    }

    #[test]
    fn labels_are_short() {
        assert_eq!([0.0, 0.1 + 0.2, 5.0, 1e-5].map(label), ["0", "0.3", "5", "1e-5"]);
    }

    #[test]
    fn other_formats_are_refused_before() {
        assert!(check(Path::new("plot.pdf")).unwrap_err().to_string().contains(".svg or .png"));
        assert!(check(Path::new("plot.png")).is_ok());
    }
}
