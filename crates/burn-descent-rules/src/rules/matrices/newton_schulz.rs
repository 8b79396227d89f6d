use crate::matrix::{Coefficients, Matrix, Singular, gram_newton_schulz, newton_schulz};
use crate::{choice, options};

choice! {
    /// What a matrix is divided by before a Newton-Schulz iteration, so that no singular value is above 1. Of a matrix
    /// `X` that is not taller than wide:
    pub enum Norm {
        /// The root of the sum of squares `‖X‖`, the cheapest.
        Frobenius = "frobenius",
        /// The greatest singular value: exact, by a factorisation on the host.
        Spectral = "spectral",
        /// Each row by the root of the sum of the row of `|X Xᵀ|` (AOL), at no cost beside the iteration. Most are
        /// closer to 1 then: Boissin et al. 2025, <https://arxiv.org/abs/2512.04632>.
        Aol = "aol",
        /// `√‖X Xᵀ‖`, as cheap: Grishina et al. 2025, <https://arxiv.org/abs/2506.10935>.
        Schatten = "schatten",
    }
}

options! {
    /// Newton-Schulz: the nearest matrix of which all singular values are 1, by products alone.
    ///
    /// ```text
    /// X ← U / max(safety ‖U‖, ε)
    /// X ← a X + (b A + c A²) X,    A = X Xᵀ        `steps` times, each with its triple of `coefficients`
    /// ```
    ///
    /// The Gram matrix `A` is that of the smaller side. Where there are more steps than triples, the last triple is
    /// repeated. Singular values that are 0.01 of the norm or more end
    ///
    /// | coefficients | steps | between |
    /// |---|---|---|
    /// | `jordan` | 5 | 0.68 and 1.14 |
    /// | `quintic` | 5 | 0.97 and 1.04 |
    /// | `polar_express` | 5, 8 | 0.87 and 1.13, at 1 |
    /// | `polar_express_safe` | 8 | at 1 |
    /// | `polar_express_safer` | 8 | at 1 |
    /// | `deployed`, with `safety` 1.02 | 5 | 0.85 and 1.15 |
    /// | `deepseek` | 10 | at 1 |
    /// | `cubic` | 5 | 0.77 and 1.31 |
    ///
    /// and smaller ones below that. A matrix of zeros stays one, and so nearly does one whose norm is far below `ε`, or
    /// one whose squares overflow (numbers above 1e19 in f32, as in the libraries). A NaN makes the whole matrix NaN.
    ///
    /// Its options stand among those of a rule, with `newton_schulz.` in front: `newton_schulz.steps`.
    ///
    /// - Defaults: Jordan's and PyTorch's. Keras, optax and Jordan add `ε` (`eps_added`), timm has `quintic`.
    /// - Cost of a step for a matrix of `n` × `m`, `n ≤ m`: `2 n² m + n³` multiplications. With `gram` `3 n³`, and
    ///   `2 n² m` once and again for the restart: less where `m ≥ 2 n`.
    /// - Reference: Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>; Bernstein & Newhouse 2024,
    ///   <https://arxiv.org/abs/2409.20325>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Coefficients, Muon, NewtonSchulz};
    ///
    /// let exact = NewtonSchulz::new().coefficients(Coefficients::PolarExpress).steps(8);
    /// let muon = Muon::new().newton_schulz(exact);
    /// # drop(muon);
    /// ```
    pub struct NewtonSchulz {
        /// Which triples.
        #[doc(alias = "ns_coefficients")]
        #[doc(alias = "ns_coeffs")]
        coefficients: Choice(Coefficients) = Coefficients::Jordan,
        /// `a` of a triple of one's own, with [`Coefficients::Own`].
        a: Any = 3.4445,
        /// `b` of it.
        b: Any = -4.775,
        /// `c` of it.
        c: Any = 2.0315,
        /// How many steps.
        #[doc(alias = "ns_steps")]
        steps: Count(1) = 5,
        /// The norm that is divided by.
        #[doc(alias = "preconditioning")]
        norm: Choice(Norm) = Norm::Frobenius,
        /// The norm is multiplied by this.
        #[doc(alias = "safety_factor")]
        safety: Positive = 1.0,
        /// The least norm `ε`. With `aol` and `schatten` the least square of one.
        eps: Positive = 1e-7,
        /// `ε` is added to the norm instead.
        eps_added: bool = false,
        /// `ε √(inputs / outputs)` takes the place of `ε`, as for μP:
        /// <https://arxiv.org/abs/2512.05620>.
        #[doc(alias = "scale_eps")]
        scaled_eps: bool = false,
        /// The iteration is that of the Gram matrix, and `X` is multiplied at its end: the same to rounding.
        #[doc(alias = "ns_method")]
        gram: bool = false,
        /// With `gram`, `X` is multiplied after so many steps too, which keeps rounding small; 0 for never.
        #[doc(alias = "ns_reset_steps")]
        restart: u64 = 2,
    }
}

impl NewtonSchulz {
    /// The orthogonal matrices that are nearest to these, outputs × inputs.
    pub(crate) fn orthogonalize<M: Matrix>(&self, x: M) -> M {
        let [_, outputs, inputs] = x.dims();
        let is_tall = outputs > inputs;
        let turn = |x: M| if is_tall { x.transpose() } else { x };
        let mut eps = self.eps;
        if self.scaled_eps {
            eps *= (inputs as f64 / outputs as f64).sqrt();
        }
        let x = turn(x);
        let norm = self.norm_of(&x, eps);
        let x = x / norm;
        let steps = self.coefficients.steps(self.steps, [self.a, self.b, self.c]);
        turn(match self.gram {
            true => gram_newton_schulz(x, steps, self.restart as usize),
            false => newton_schulz(x, steps),
        })
    }

    /// What these matrices, none taller than wide, are divided by.
    fn norm_of<M: Matrix>(&self, x: &M, eps: f64) -> M {
        let guarded = |norm: M| match self.eps_added {
            true => norm.scale(self.safety).shift(eps),
            false => norm.scale(self.safety).at_least(eps),
        };
        let root = |square: M| square.at_least(eps).sqrt().scale(self.safety);
        match self.norm {
            Norm::Frobenius => guarded(x.norm()),
            Norm::Spectral => {
                let greatest = Singular::of(x).map(|svd| svd.values.greatest(2));
                guarded(greatest.unwrap_or_else(|| x.norm()))
            }
            Norm::Aol => root(x.gram().abs().sum(2)),
            Norm::Schatten => root(x.gram().norm()),
        }
    }
}
