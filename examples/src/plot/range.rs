use super::chart::{BLUE, Chart, Curve, GREEN, INK, ORANGE, label, span};
use super::draw;
use crate::report::number;
use anyhow::Result;
use burn_descent::{RangeCurve, RangePoint};
use plotters::prelude::{IntoLogRange, SeriesLabelPosition};
use plotters::style::{Color, RGBAColor};
use std::path::Path;

/// Draws the losses of a range test over the learning rates, and what it suggests.
///
/// # Errors
/// If the file cannot be written.
pub fn range(path: &Path, optimizer: &str, curve: &RangeCurve) -> Result<()> {
    let points = &curve.points;
    // What counts is the way down: losses of a training that is not stable run along the top.
    let all = span(points.iter().flat_map(|point| [point.loss, point.smoothed]));
    let top = curve.bound().unwrap_or(0.0).max(all.start);
    let losses = all.start..all.end.min(top);
    let name = if all.end > top { format!("loss, cut at {}", number(top)) } else { "loss".into() };
    let line = |name: String, color: RGBAColor, points| Curve { name, color, points, dots: false };
    let along = |loss: fn(&RangePoint) -> f64| {
        points.iter().map(|point| (point.lr, loss(point).min(losses.end))).collect()
    };
    let rate = |point: Option<&RangePoint>, none| point.map_or(none, |point| point.lr);
    let (least, greatest) = (rate(points.first(), 1e-7), rate(points.last(), 10.0));
    let mark = |name: &str, color: RGBAColor, lr: Option<f64>| {
        let points = |lr| vec![(lr, losses.start), (lr, losses.end)];
        let lr = lr.filter(|lr| *lr >= least)?;
        Some(line(format!("{name} {lr:.1e}"), color, points(lr)))
    };
    let mut curves = vec![
        line(name, BLUE.mix(0.3), along(|point| point.loss)),
        line("smoothed".into(), BLUE.to_rgba(), along(|point| point.smoothed)),
    ];
    curves.extend(mark("suggestion", ORANGE.to_rgba(), curve.suggestion()));
    curves.extend(mark("minimum over ten", GREEN.to_rgba(), curve.minimum_over_ten()));
    curves.extend(mark("unstable from", INK.mix(0.6), curve.unstable_from()));
    let chart = Chart {
        title: format!("{optimizer}: learning rate range test"),
        x_name: "learning rate",
        x: (least..greatest.max(least * 10.0)).log_scale(),
        x_label: label,
        losses: losses.clone(),
        legend: SeriesLabelPosition::UpperLeft,
        curves,
    };
    draw(path, &chart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn any_curve_can_be_drawn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.svg");
        for losses in [&[][..], &[0.5], &[0.0, 0.0, 0.0], &[2.0, 1.0, 0.5, 1e30]] {
            let point = |(lr, loss): (i32, &f64)| RangePoint {
                lr: 10_f64.powi(lr),
                loss: *loss,
                smoothed: *loss,
            };
            let points = (-7..).zip(losses).map(point).collect();
            range(&path, "adam", &RangeCurve { points, diverged: true }).unwrap();
        }
        let svg = fs::read_to_string(path).unwrap();
        assert!(svg.contains("adam: learning rate range test") && svg.contains("suggestion"));
    }
}
