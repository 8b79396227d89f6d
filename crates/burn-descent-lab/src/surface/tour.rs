//! Walks of several optimizers on a surface.

use super::tune::{Walked, tune};
use crate::choice::Choice;
use crate::progress::bar;
use crate::surfaces::Surface;
use anyhow::Result;
use burn::tensor::Device;
use serde_json::{Value, json};

/// What came of the walks on a surface.
#[derive(Clone, Debug)]
pub struct Tour {
    /// Where.
    pub surface: &'static Surface,
    /// How many steps each had.
    pub steps: u32,
    /// The walks.
    pub walks: Vec<Walked>,
}

/// Every optimizer on every surface, with the best of the rates.
///
/// # Errors
/// If a rate is not allowed, or the device fails.
pub fn tours(
    surfaces: &[&'static Surface],
    choices: &[Choice],
    rates: &[f64],
    steps: Option<u32>,
    device: &Device,
) -> Result<Vec<Tour>> {
    let steps = |surface: &Surface| steps.unwrap_or(surface.steps);
    let bar = bar(surfaces.iter().map(|surface| u64::from(steps(surface))).sum(), "walking");
    let tours = surfaces.iter().map(|&surface| {
        bar.set_message(surface.name);
        let steps = steps(surface);
        let walks = tune(surface, choices, rates, steps, device, || bar.inc(1))?;
        Ok(Tour { surface, steps, walks })
    });
    let tours = tours.collect();
    bar.finish_and_clear();
    tours
}

impl Tour {
    /// All of it; `lr` is that of all, if it was given.
    pub(super) fn json(&self, lr: Option<f64>) -> Value {
        let Self { surface, steps, walks } = self;
        let walks = walks.iter().map(|walked| {
            json!({
                "optimizer": walked.choice.to_string(),
                "lr": walked.lr,
                "tuned": lr.is_none(),
                "diverged": walked.path.diverged,
                "points": walked.path.points,
                "values": walked.path.values,
            })
        });
        json!({
            "name": surface.name,
            "formula": surface.formula,
            "start": surface.start,
            "minima": surface.minima,
            "least": surface.least,
            "steps": steps,
            "walks": walks.collect::<Vec<_>>(),
        })
    }
}
