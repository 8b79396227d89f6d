//! A learning rate for each walker: the one that gets furthest.

use crate::choice::Choice;
use crate::surfaces::Surface;
use crate::walks::{Path, Walker, walk};
use anyhow::Result;
use burn::tensor::Device;

/// A walk, and who walked it.
#[derive(Clone, Debug)]
pub struct Walked {
    /// Who.
    pub choice: Choice,
    /// With which learning rate.
    pub lr: f64,
    /// Where.
    pub path: Path,
}

/// The learning rates that are tried: from 1e-5 to 100, four in each decade.
pub fn rates() -> Vec<f64> {
    (-20..=8).map(|quarter| 10_f64.powf(f64::from(quarter) / 4.0)).collect()
}

/// Walks with each learning rate, and keeps the walk that has got furthest: the one whose values
/// over the last tenth of its steps have the least mean, of those that never leave the part to look
/// at, if there are any.
///
/// # Errors
/// If the device fails, or a rate is not allowed.
pub fn tune(
    surface: &Surface,
    choices: &[Choice],
    rates: &[f64],
    steps: u32,
    device: &Device,
    watch: impl FnMut(),
) -> Result<Vec<Walked>> {
    let walkers = choices.iter().flat_map(|choice| rates.iter().map(|lr| Walker::of(choice, *lr)));
    let walkers = walkers.collect::<Result<Vec<_>>>()?;
    let mut paths = walk(surface, walkers, steps, device, watch)?.into_iter();
    let best = choices.iter().filter_map(|choice| {
        let tried = rates.iter().zip(paths.by_ref());
        let (lr, path) = tried.min_by(|(_, a), (_, b)| {
            let (a, b) = (merit(surface, a), merit(surface, b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })?;
        Some(Walked { choice: choice.clone(), lr: *lr, path })
    });
    Ok(best.collect())
}

/// Less is better: has it left the part to look at, and how high is its end?
fn merit(surface: &Surface, path: &Path) -> (bool, f64) {
    if path.diverged {
        return (true, f64::INFINITY);
    }
    let left = !path.points.iter().all(|point| surface.has(*point));
    let end = &path.values[path.values.len() - path.values.len().div_ceil(10)..];
    (left, end.iter().sum::<f64>() / end.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surfaces::find;

    #[test]
    fn the_best_rate_of_gradient_descent_on_the_bowl_is_known() {
        let bowl = find("bowl").unwrap();
        let sgd = ["sgd".parse().unwrap()];
        let device = Device::default();
        let rates = [0.02, 0.05, 2.0 / 21.0, 0.099, 0.11];
        let best = tune(bowl, &sgd, &rates, 60, &device, || ()).unwrap();
        // 2 / (the least curvature + the greatest).
        assert_eq!(best[0].lr, 2.0 / 21.0);
    }

    #[test]
    fn who_diverges_with_every_rate_has_a_walk_too() {
        let bowl = find("bowl").unwrap();
        let sgd = ["sgd".parse().unwrap()];
        let best = tune(bowl, &sgd, &[10.0, 20.0], 60, &Device::default(), || ()).unwrap();
        assert!(best[0].path.diverged);
    }
}
