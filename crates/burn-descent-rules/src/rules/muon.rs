use crate::matrix::{Coefficients, newton_schulz};
use crate::transforms::{debias, view_of_matrix};
use crate::{
    Auxiliary, Keep, Matrix, Over, Paper, Real, Rule, View, Whole, choice, fields, options,
};

choice! {
    /// How the momentum of [`Muon`] is taken up.
    pub enum Momentum {
        /// An average: `m ← μ m + (1 − μ) g`, as in PyTorch.
        Average = "average",
        /// A sum: `m ← μ m + g`, as in Keras and Moonlight. The direction is that of the average.
        HeavyBall = "heavy_ball",
        /// An average whose bias is corrected, as in optax.
        Corrected = "corrected",
    }
}

choice! {
    /// What the step of a matrix of [`Muon`] is multiplied by.
    pub enum Scale {
        /// `√max(1, outputs / inputs)`, Jordan's.
        Original = "original",
        /// `rms √max(outputs, inputs)`, as long as a step of AdamW where `rms` is 0.2.
        MatchRms = "match_rms",
        /// `√(outputs / inputs)`.
        Spectral = "spectral",
        /// 1.
        Nothing = "none",
    }
}

options! {
    /// Muon: momentum, of which all singular values are made 1.
    ///
    /// ```text
    /// m ← μ m + (1 − μ) g
    /// u = μ m + (1 − μ) g                                          with nesterov, else m
    /// X = u / max(‖u‖, ε),    X ← a X + (b A + c A²) X,  A = X Xᵀ      `steps` times
    /// θ ← θ − η λ θ − η s X,    s = √max(1, outputs / inputs)
    /// ```
    pub struct Muon {
        /// Decay `μ` of the momentum.
        momentum: Decay = 0.95,
        /// Look ahead by one more step.
        nesterov: bool = true,
        /// How the momentum is taken up.
        form: Choice(Momentum) = Momentum::Average,
        /// The coefficients of the iteration.
        #[doc(alias = "ns_coefficients")]
        coefficients: Choice(Coefficients) = Coefficients::Jordan,
        /// The coefficients of one's own, `a`, `b` and `c`.
        a: Any = 3.4445,
        /// See `a`.
        b: Any = -4.775,
        /// See `a`.
        c: Any = 2.0315,
        /// How many steps the iteration takes.
        #[doc(alias = "ns_steps")]
        steps: Count(1) = 5,
        /// The least norm of what is made orthogonal.
        eps: Positive = 1e-7,
        /// Added to that norm instead.
        eps_added: bool = false,
        /// What the step is multiplied by.
        #[doc(alias = "adjust_lr_fn")]
        scale: Choice(Scale) = Scale::Original,
        /// The size of an element's step with [`Scale::MatchRms`].
        rms: Positive = 0.2,
        /// Decoupled decay `λ` of the weights.
        weight_decay: WeightDecay = 0.1,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

fields! {
    /// State of [`Muon`].
    pub struct Velocity {
        /// The momentum.
        m,
    }

    /// Scalars of [`Muon`].
    pub struct Scalars {
        momentum,
        /// The share of the gradient in the momentum.
        of_g,
        /// The shares of the gradient and of the momentum in what is made orthogonal.
        ahead_g, ahead_m,
        lr, decay,
    }
}

impl Rule for Muon {
    const NAME: &'static str = "muon";
    const TITLE: &'static str = "Muon";
    const PAPER: Paper =
        Paper::at("Jordan et al. 2024", "https://kellerjordan.github.io/posts/muon/");
    const SUMS: usize = 1;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let mu = self.momentum;
        let of_g = if self.form == Momentum::HeavyBall { 1.0 } else { 1.0 - mu };
        let corrected = self.form == Momentum::Corrected;
        let (now, next) = match corrected {
            true => (debias(mu, t), debias(mu, t + 1)),
            false => (1.0, 1.0),
        };
        let (ahead_g, ahead_m) = match self.nesterov {
            true => (of_g * now, mu * next),
            false => (0.0, now),
        };
        Scalars { momentum: mu, of_g, ahead_g, ahead_m, lr, decay: self.weight_decay }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let m = k.momentum * s.m + k.of_g * g;
        let u = k.ahead_g * g + k.ahead_m * m;
        let x = over.whole(u);
        (p - k.lr * k.decay * p - k.lr * x, Velocity { m })
    }

    fn whole<M: Matrix>(&self, u: M, _: &mut [M], at: &mut Whole) -> M {
        let norm =
            if self.eps_added { u.norm().shift(self.eps) } else { u.norm().at_least(self.eps) };
        let x =
            newton_schulz(u / norm, self.coefficients.steps(self.steps, [self.a, self.b, self.c]));
        x.scale(self.scale.of(at.view, self.rms))
    }

    fn keeps(&self, _: View, _: &[usize]) -> Vec<Keep> {
        Vec::new()
    }
}

impl Scale {
    /// The factor of the steps of such matrices.
    pub(crate) fn of(self, view: View, rms: f64) -> f64 {
        let (outputs, inputs) = (view.rows as f64, view.columns as f64);
        match self {
            Self::Original => (outputs / inputs).max(1.0).sqrt(),
            Self::MatchRms => rms * outputs.max(inputs).sqrt(),
            Self::Spectral => (outputs / inputs).sqrt(),
            Self::Nothing => 1.0,
        }
    }
}
