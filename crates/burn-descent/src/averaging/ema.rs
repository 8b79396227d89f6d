use burn_descent_rules::{InvalidOption, Range};

/// An exponential moving average of the weights.
///
/// ```text
/// avg ← β avg + (1 − β) w,    divided by 1 − βᵗ
/// ```
///
/// Debiased as Adam's moments are, so that it is the mean of the weights seen, the latest counting
/// most, from the first step on. `warmup` lets `β` grow as `min(β, (1 + t) / (10 + t))`, as
/// TensorFlow does, so that the poor weights of the beginning are forgotten sooner.
///
/// The weights of a parameter that is frozen for a while count as they are; a parameter that comes to
/// the model later is averaged from there on, with a `t` of its own.
///
/// - Defaults: no warm-up. `β` is usually 0.99 to 0.9999.
/// - Memory: one number a weight, in f32 (f64 for f64), and a pass a step: 12 bytes of traffic a weight in f32.
/// - A model with batch normalisation needs its statistics taken anew for the averaged weights:
///   [`Descent::evaluate_with`](crate::Descent::evaluate_with).
/// - Reference: Polyak & Juditsky 1992, <https://doi.org/10.1137/0330046>.
///
/// ```
/// use burn_descent::{Ema, Average};
///
/// let average = Average::from(Ema::new(0.999).warmup());
/// # drop(average);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ema {
    decay: f64,
    warmup: bool,
}

impl Ema {
    /// With this decay, in [0, 1).
    pub fn new(decay: f64) -> Self {
        Self { decay, warmup: false }
    }

    /// Lets the decay grow with the number of steps.
    pub fn warmup(mut self) -> Self {
        self.warmup = true;
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        Range::Decay.of("decay", self.decay).check("ema")
    }

    /// The share of the `seen`-th weights. Without warm-up `(1 − β) / (1 − βᵗ)`, which is the
    /// debiased average written as a step toward the new weights.
    pub(crate) fn share(&self, seen: u64) -> f64 {
        let t = seen as f64;
        if self.warmup {
            return if seen == 1 { 1.0 } else { 1.0 - self.decay.min((1.0 + t) / (10.0 + t)) };
        }
        (1.0 - self.decay) / (1.0 - self.decay.powf(t))
    }
}
