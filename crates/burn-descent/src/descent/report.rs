//! What came of a step.

/// What came of a call of [`Descent::step`](super::Descent::step).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Steps taken so far, this one included.
    pub step: u64,
    /// Was a step taken? Not while micro-batches are accumulated, nor when it was skipped.
    pub stepped: bool,
    /// Was the step skipped because a gradient was not finite?
    pub skipped: bool,
    /// Steps skipped so far.
    pub skipped_in_all: u64,
    /// Name and learning rate of each group.
    pub learning_rates: Vec<(String, f64)>,
    /// The norm of all gradients before clipping by it, if something has asked for it:
    /// `clip_norm`, or a policy for what is not finite.
    pub grad_norm: Option<f64>,
    /// The factor that clipping by norm has put on the gradients: 1 where it did nothing.
    pub clip_factor: f64,
}
