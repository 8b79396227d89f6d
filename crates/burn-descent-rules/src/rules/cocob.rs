use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// COCOB: each weight bets on its next gradient as on the toss of a coin, with what it has won so
    /// far; there is no learning rate to find.
    ///
    /// ```text
    /// g ← η (g + λ θ)
    /// L ← max(L, |g|)                     the greatest gradient
    /// G ← G + |g|
    /// R ← max(R − g (θ − θ₀), 0)          what has been won
    /// C ← C − g
    /// θ ← θ₀ + C / (L max(G + L, α L)) (L + R)
    /// ```
    ///
    /// The learning rate `η` scales gradients, whose size does not matter: leave it at 1. The paper's
    /// `wₜ` is `θ − θ₀`; it follows from the four states, so `θ₀` need not be remembered.
    ///
    /// - Defaults: the paper's. `alpha` 100; `eps` 1e-8, where `L` begins (optax); no weight decay.
    /// - Memory: four numbers a weight. Traffic in f32: read 24, write 20 bytes a weight.
    /// - A NaN or infinite gradient makes its weight NaN, and no other; a huge one takes it back to about
    ///   where it began.
    /// - Reference: Orabona & Tommasi 2017, algorithm 2, <https://arxiv.org/abs/1705.07795>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Cocob, rules::slices::Walk};
    ///
    /// // Down |x − 10|, from 0. It goes beyond the bottom and back: the paper's promise is for the mean.
    /// let (mut x, mut sum) = ([0.0_f64], 0.0);
    /// let mut walk = Walk::new(Cocob::new(), 1)?;
    /// for _ in 0..1000 {
    ///     let g = (x[0] - 10.0).signum();
    ///     walk.step(1.0, &mut x, &[g])?;
    ///     sum += x[0];
    /// }
    /// assert!((sum / 1000.0 - 10.0).abs() < 0.5, "{sum}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Cocob {
        /// How careful the first bets are, `α`.
        alpha: Positive = 100.0,
        /// Where the greatest gradient begins.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Weight decay `λ` as a penalty in the gradient.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Cocob`].
    pub struct Purse {
        /// Greatest gradient, `L`.
        greatest: positive,
        /// Sum of the sizes of the gradients, `G`.
        sizes: positive,
        /// Reward, `R`.
        reward: positive,
        /// Sum of the gradients, turned downhill, `C`.
        sum,
    }

    /// Scalars of [`Cocob`].
    pub struct Scalars { l2, lr, alpha }
}

impl Rule for Cocob {
    const NAME: &'static str = "cocob";
    const TITLE: &'static str = "COCOB";
    const PAPER: Paper = Paper::arxiv("Orabona & Tommasi 2017", "1705.07795");
    type State<R: Copy> = Purse<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Purse<f64> {
        Purse { greatest: self.eps, sizes: 0.0, reward: 0.0, sum: 0.0 }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { l2: self.weight_decay, lr, alpha: self.alpha }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Purse<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Purse<R>) {
        let g = k.lr * g + k.l2 * p;
        let w = bet(s, k.alpha);
        let new = Purse {
            greatest: s.greatest.max(g.abs()),
            sizes: s.sizes + g.abs(),
            reward: (s.reward - g * w).max(R::lit(0.0)),
            sum: s.sum - g,
        };
        (p + (bet(new, k.alpha) - w), new)
    }
}

/// How far the weight is from where it began.
#[inline(always)]
fn bet<R: Real>(s: Purse<R>, alpha: R) -> R {
    let share = s.sum / (s.sizes + s.greatest).max(alpha * s.greatest);
    // (L + R) / L, which does not overflow.
    share * (R::lit(1.0) + s.reward / s.greatest)
}
