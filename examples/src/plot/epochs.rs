use super::chart::{BLUE, Chart, Curve, ORANGE, span};
use super::draw;
use crate::train::Epoch;
use anyhow::Result;
use plotters::prelude::SeriesLabelPosition;
use plotters::style::{Color, RGBColor};
use std::ops::Range;
use std::path::Path;

/// Draws the train and the test loss over the epochs.
///
/// # Errors
/// If the file cannot be written.
pub fn epochs(path: &Path, title: &str, history: &[Epoch]) -> Result<()> {
    let curve = |name: &str, color: RGBColor, loss: fn(&Epoch) -> f64| Curve {
        name: name.into(),
        color: color.to_rgba(),
        points: (1..).zip(history.iter().map(loss)).collect(),
        dots: history.len() <= 40,
    };
    let chart = Chart {
        title: title.into(),
        x_name: "epoch",
        x: numbers(history.len()),
        x_label: u64::to_string,
        losses: span(history.iter().flat_map(|epoch| [epoch.train_loss, epoch.test_loss])),
        legend: SeriesLabelPosition::UpperRight,
        curves: vec![
            curve("train", BLUE, |e| e.train_loss),
            curve("test", ORANGE, |e| e.test_loss),
        ],
    };
    draw(path, &chart)
}

/// From the first to the last epoch, with room around one that is alone.
fn numbers(n: usize) -> Range<u64> {
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
                epochs(&path, "adam on generated data", &history(losses)).unwrap();
                assert!(fs::metadata(&path).unwrap().len() > 1000);
            }
        }
        let svg = fs::read_to_string(dir.path().join("a.svg")).unwrap();
        assert!(svg.contains("adam on generated data") && svg.contains("epoch"));
    }
}
