//! Compositions that can be compared as optimizers are: the recipes of [`Chain`].

use anyhow::Result;
use burn_descent::registry::{self, Row};
use burn_descent::rules::chain::{
    AdaptiveGradClip, AddCautiousDecay, Cautious, Chain, ScaleByAdam, ScaleByLearningRate,
    ScaleByTrustRatio, Then,
};

/// Cautious AdamW with a trust ratio.
type CautiousTrust = Chain<
    Then<
        Then<Then<Then<ScaleByAdam, Cautious>, AddCautiousDecay>, ScaleByTrustRatio>,
        ScaleByLearningRate,
    >,
>;

/// Adam with adaptive gradient clipping in front; NAdam with `scale_by_adam.nesterov`.
type ClippedAdam = Chain<Then<Then<AdaptiveGradClip, ScaleByAdam>, ScaleByLearningRate>>;

/// Adds them to the registry of this process.
///
/// # Errors
/// If they have been added.
pub fn add() -> Result<()> {
    for (name, title, mut row) in [
        ("cautious_trust", "Cautious AdamW with a trust ratio", Row::of::<CautiousTrust>(0.01)),
        ("adam_agc", "Adam with AGC", Row::of::<ClippedAdam>(0.001)),
    ] {
        (row.name, row.title) = (name, title);
        registry::add(row)?;
    }
    Ok(())
}
