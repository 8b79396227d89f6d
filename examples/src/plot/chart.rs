//! Losses against something, as lines.

use super::FONT;
use anyhow::Result;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;

pub(super) const INK: RGBColor = RGBColor(51, 51, 51);
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const ORANGE: RGBColor = RGBColor(213, 94, 0);
pub(super) const GREEN: RGBColor = RGBColor(0, 158, 115);

/// What is to be drawn.
pub(super) struct Chart<X: AsRangedCoord> {
    pub(super) title: String,
    pub(super) x_name: &'static str,
    /// From where to where.
    pub(super) x: X,
    pub(super) x_label: fn(&X::Value) -> String,
    /// The losses from the least to the greatest, which the axis has to span.
    pub(super) losses: Range<f64>,
    pub(super) legend: SeriesLabelPosition,
    pub(super) curves: Vec<Curve<X::Value>>,
}

/// A line.
pub(super) struct Curve<X> {
    pub(super) name: String,
    pub(super) color: RGBAColor,
    pub(super) points: Vec<(X, f64)>,
    /// Is each point to be seen?
    pub(super) dots: bool,
}

/// The least and the greatest of losses.
pub(super) fn span(losses: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    losses.clone().fold(f64::INFINITY, f64::min)..losses.fold(0.0, f64::max)
}

/// A number on an axis: `0.05`, and `1e-5` or `2.5e7` where digits would be many.
pub(super) fn label(number: &f64) -> String {
    // Ticks are sums of steps: what is beyond six digits is rounding.
    let short = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_string();
    if *number == 0.0 || (1e-3..1e5).contains(&number.abs()) {
        return short(&format!("{number:.6}"));
    }
    match format!("{number:.3e}").split_once('e') {
        Some((digits, power)) => format!("{}e{power}", short(digits)),
        None => number.to_string(),
    }
}

impl<X> Chart<X>
where
    X: AsRangedCoord + Clone,
    X::Value: Clone + 'static,
    X::CoordDescType: ValueFormatter<X::Value>,
{
    /// Draws it, on a logarithmic axis of losses if they span a decade. All lengths are multiplied
    /// by `scale`.
    pub(super) fn draw<B: DrawingBackend>(&self, backend: B, scale: u32) -> Result<()>
    where
        B::ErrorType: 'static,
    {
        let area = backend.into_drawing_area();
        let Range { start: least, end: greatest } = self.losses;
        if least > 0.0 && greatest > 10.0 * least {
            self.lines(&area, scale, (least / 1.2..greatest * 1.2).log_scale())?;
        } else {
            let top = if greatest > 0.0 { greatest * 1.08 } else { 1.0 };
            self.lines(&area, scale, 0.0..top)?;
        }
        area.present()?;
        Ok(())
    }

    fn lines<B: DrawingBackend, Y>(
        &self,
        area: &DrawingArea<B, Shift>,
        scale: u32,
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
            .caption(&self.title, font(24))
            .margin(20 * length)
            .x_label_area_size(56 * length)
            .y_label_area_size(84 * length)
            .build_cartesian_2d(self.x.clone(), losses)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(INK.mix(0.12).stroke_width(scale))
            .axis_style(INK.mix(0.5).stroke_width(scale))
            .set_all_tick_mark_size(5 * length)
            .label_style(font(17))
            .x_labels(12)
            .y_labels(12)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&label)
            .x_desc(self.x_name)
            .y_desc("loss")
            .axis_desc_style(font(19))
            .draw()?;
        for Curve { name, color, points, dots } in &self.curves {
            let line = color.stroke_width(2 * scale);
            let dot = if *dots { 4 * length } else { 0 };
            let circle = |point: &(X::Value, f64)| Circle::new(point.clone(), dot, color.filled());
            chart.draw_series(points.iter().map(circle))?;
            chart
                .draw_series(LineSeries::new(points.iter().cloned(), line))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 24 * length, y)], line));
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .margin(16 * scale)
            .legend_area_size(34 * scale)
            .background_style(WHITE.mix(0.8))
            .border_style(TRANSPARENT)
            .label_font(font(19))
            .draw()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short() {
        assert_eq!([0.0, 0.1 + 0.2, 5.0, 1e-5].map(|x| label(&x)), ["0", "0.3", "5", "1e-5"]);
        assert_eq!(
            [20_000.0, 1e5, 2.5e7, -1.25e30].map(|x| label(&x)),
            ["20000", "1e5", "2.5e7", "-1.25e30"]
        );
        assert!(label(&f64::MIN).len() <= 10);
    }
}
