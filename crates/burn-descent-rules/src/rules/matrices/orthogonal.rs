//! What Muon and its relatives have in common: momentum, kernels as matrices, and the length of a step.

use crate::Domain::{Column, Row};
use crate::transforms::debias;
use crate::{Matrix, Over, Real, Whole, choice};

choice! {
    /// How the momentum of [`Muon`](crate::Muon) is taken up.
    pub enum Momentum {
        /// An average, `m ← μ m + (1 − μ) g`, and with Nesterov's step `u = μ m + (1 − μ) g`: PyTorch, Jordan, timm.
        Average = "average",
        /// A sum, `m ← μ m + g`, and `u = μ m + g`: Keras, Moonlight. The direction is that of the average.
        HeavyBall = "heavy_ball",
        /// An average whose bias is corrected, `u = μ m / (1 − μᵗ⁺¹) + (1 − μ) g / (1 − μᵗ)`: optax.
        Corrected = "corrected",
        /// An average, and `u = m + g`: heavyball.
        Added = "added",
    }
}

/// The scalars of a momentum.
#[derive(Clone, Copy)]
pub(crate) struct Shares<R> {
    /// `μ`, and the share of the gradient in the momentum.
    pub(crate) momentum: R,
    pub(crate) of_g: R,
    /// The shares of the gradient and of the momentum in what is made orthogonal.
    pub(crate) ahead_g: R,
    pub(crate) ahead_m: R,
}

impl Momentum {
    /// The shares of step `t`.
    pub(crate) fn shares(self, mu: f64, nesterov: bool, t: u64) -> Shares<f64> {
        let of_g = if self == Self::HeavyBall { 1.0 } else { 1.0 - mu };
        let corrected = self == Self::Corrected;
        let (now, next) = if corrected { (debias(mu, t), debias(mu, t + 1)) } else { (1.0, 1.0) };
        let (ahead_g, ahead_m) = match (nesterov, self) {
            (false, _) => (0.0, now),
            (true, Self::Added) => (1.0, 1.0),
            (true, _) => (of_g * now, mu * next),
        };
        Shares { momentum: mu, of_g, ahead_g, ahead_m }
    }
}

impl<R: Real> Shares<R> {
    /// The new momentum, and what is made orthogonal.
    #[inline(always)]
    pub(crate) fn take_up(self, m: R, g: R) -> (R, R) {
        let m = self.momentum * m + self.of_g * g;
        (m, self.ahead_g * g + self.ahead_m * m)
    }
}

choice! {
    /// What the orthogonal step of a matrix is multiplied by.
    pub enum Scale {
        /// `√max(1, outputs / inputs)`, Jordan's.
        Original = "original",
        /// `rms √max(outputs, inputs)`: an element's step is `rms` then, as long as one of AdamW where `rms` is 0.2.
        MatchRms = "match_rms",
        /// `√(outputs / inputs)`: no output of the layer changes by more than the rate.
        Spectral = "spectral",
        /// 1.
        Nothing = "none",
    }
}

/// The scalars of a [`Scale`], which is `rms √(max(least, share outputs / inputs) (1 + wide (inputs − 1)))`.
#[derive(Clone, Copy)]
pub(crate) struct Sides<R> {
    pub(crate) rms: R,
    pub(crate) least: R,
    pub(crate) share: R,
    pub(crate) wide: R,
}

impl Scale {
    /// Its scalars.
    pub(crate) fn sides(self, rms: f64) -> Sides<f64> {
        let (rms, least, share, wide) = match self {
            Self::Original => (1.0, 1.0, 1.0, 0.0),
            Self::MatchRms => (rms, 1.0, 1.0, 1.0),
            Self::Spectral => (1.0, 0.0, 1.0, 0.0),
            Self::Nothing => (1.0, 1.0, 0.0, 0.0),
        };
        Sides { rms, least, share, wide }
    }

    /// The factor of such matrices.
    pub(crate) fn of(self, outputs: usize, inputs: usize, rms: f64) -> f64 {
        self.sides(rms).factor(outputs as f64, inputs as f64)
    }
}

impl<R: Real> Sides<R> {
    /// The factor of a matrix.
    #[inline(always)]
    pub(crate) fn factor(self, outputs: R, inputs: R) -> R {
        let one = R::lit(1.0);
        let ratio = self.least.max(self.share * outputs / inputs);
        self.rms * (ratio * (one + self.wide * (inputs - one))).sqrt()
    }

    /// That of the matrix over which a rule looks.
    #[inline(always)]
    pub(crate) fn seen(self, over: &impl Over<R>) -> R {
        self.factor(over.count(Column), over.count(Row))
    }
}

choice! {
    /// What the matrices of a kernel of a convolution are, outputs × inputs × positions.
    pub enum Kernels {
        /// One matrix, outputs × (inputs and positions); of a transposed one (outputs and positions) × inputs.
        Flattened = "flattened",
        /// One of each position, and the step over the root of their number: timm's `batched`.
        Positions = "positions",
        /// One of each position, and no more: optax, with a reduction axis of inputs alone.
        PositionsInFull = "positions_in_full",
    }
}

impl Kernels {
    /// What `make` makes of the matrices of a tensor, put together again.
    pub(crate) fn each<M: Matrix>(self, x: M, at: &Whole, make: impl FnOnce(M) -> M) -> M {
        let Sizes { outputs, inputs, positions } = Sizes::of(at);
        if self == Self::Flattened || positions == 1 {
            return make(x);
        }
        // The positions are the last dimension but for transposed convolutions, whose inputs come first.
        let by_columns = at.view.by_columns;
        let turn = |x: M| if by_columns { x.transpose() } else { x };
        let (first, second) = if by_columns { (inputs, outputs) } else { (outputs, inputs) };
        let apart = turn(x).reshape([1, first * second, positions]).transpose();
        let made = turn(make(turn(apart.reshape([positions, first, second]))));
        let share = if self == Self::Positions { (positions as f64).sqrt().recip() } else { 1.0 };
        let together = made.scale(share).reshape([1, positions, first * second]).transpose();
        let [rows, columns] = [at.view.rows, at.view.columns];
        let stored = if by_columns { [1, columns, rows] } else { [1, rows, columns] };
        turn(together.reshape(stored))
    }
}

/// The sizes of the weights of a layer.
pub(crate) struct Sizes {
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    /// Those of a kernel; 1 where there is none.
    pub(crate) positions: usize,
}

impl Sizes {
    /// Those of a tensor that is one matrix.
    pub(crate) fn of(at: &Whole) -> Self {
        let (outputs, inputs, kernel) = match at.dims[..] {
            [outputs, ref kernel @ .., inputs] if at.view.by_columns => (outputs, inputs, kernel),
            [outputs, inputs, ref kernel @ ..] => (outputs, inputs, kernel),
            _ => (at.view.rows, at.view.columns, &[][..]),
        };
        Self { outputs, inputs, positions: kernel.iter().product() }
    }
}
