use crate::Domain::{Row, Tensor};
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// Nero: a step for each neuron, relative to its gradients so far, with weights that are balanced.
    ///
    /// ```text
    /// v ← β v + (1 − β) ‖g‖²,       v̂ = v / (1 − βᵗ)
    /// θ ← θ − η σ g / (√v̂ + eps)
    /// θ ← (θ − mean θ) / (‖θ − mean θ‖ + eps)
    /// ```
    ///
    /// Norms and means are those of the weights of a neuron, which is an output of a matrix: a row. `σ` is the mean
    /// over the rows of their norms before the first step, 0.01 if that is 0. The third line is the balance: weights
    /// are brought into it before the first step too, when `σ` is taken. In a vector each number is a neuron; there is
    /// no balance of it, nor of a matrix of one input.
    ///
    /// - Defaults: the authors'. `beta` 0.999, `eps` 1e-8, balanced.
    /// - Memory: one number a row and one a tensor. Traffic in f32: read 28, write 4 bytes a weight, 20 of those
    ///   read for the means and norms.
    /// - A gradient that is NaN makes its row NaN.
    /// - Reference: Liu et al. 2021, algorithm 1, <https://arxiv.org/abs/2102.07227>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Nero, rules::{View, slices::Walk}};
    ///
    /// let mut x = [1.0_f64, 2.0, 4.0, -1.0];
    /// let mut walk = Walk::of(Nero::new(), View::matrix(2, 2))?;
    /// walk.step(0.01, &mut x, &[0.5, -0.1, 0.2, 0.3])?;
    /// // The mean of each row is 0, and its norm 1.
    /// for row in x.chunks(2) {
    ///     assert!((row[0] + row[1]).abs() < 1e-12 && (row[0].hypot(row[1]) - 1.0).abs() < 1e-7);
    /// }
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Nero {
        /// Decay `β` of the second moment.
        beta: Decay = 0.999,
        /// Keep the weights of each neuron at a mean of 0 and a norm of 1.
        constraints: bool = true,
        /// Added to the root, and to the norm of the weights.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Nero`].
    pub struct Neurons {
        /// Second moment, of the norm of a row.
        v: Row,
        /// `σ`.
        sigma: Tensor,
    }

    /// Scalars of [`Nero`].
    pub struct Scalars {
        beta, one_beta, debias, lr, eps,
        /// 1 in the first step, then 0.
        first,
        /// There where weights are balanced.
        balance: optional,
    }
}

impl Rule for Nero {
    const NAME: &'static str = "nero";
    const TITLE: &'static str = "Nero";
    const PAPER: Paper = Paper::arxiv("Liu et al. 2021", "2102.07227");
    const SUMS: usize = 6;
    const STAGES: usize = 4;
    type State<R: Copy> = Neurons<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        match *shape {
            [] | [_] => View::matrix(shape.iter().product(), 1),
            _ => View::of(shape, by_columns),
        }
    }

    fn for_view(&self, view: View) -> Option<Self> {
        (view.columns == 1 && self.constraints).then(|| self.clone().constraints(false))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta, eps, .. } = *self;
        let first = f64::from(t == 1);
        let balance = self.constraints.then_some(1.0);
        let debias = debias(beta, t);
        Scalars { beta, one_beta: 1.0 - beta, debias, lr, eps, first, balance }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Neurons<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Neurons<R>) {
        let zero = R::lit(0.0);
        let first = |yes: R, no: R| R::select(zero.lt(k.first), yes, no);
        let v = k.beta * s.v + k.one_beta * over.sum(Row, g * g);
        // Before the first step the weights become balanced.
        let (p, mean, length) = match k.balance {
            Some(_) => {
                let mean = over.mean(Row, p);
                let length = over.norm(Row, p - mean);
                let balanced = (p - mean) / (length + k.eps);
                (first(balanced, p), first(zero, mean), length / (length + k.eps))
            }
            None => (p, zero, over.norm(Row, p)),
        };
        let sigma = over.mean(Tensor, length);
        let sigma = first(R::select(zero.lt(sigma), sigma, R::lit(0.01)), s.sigma);

        let rate = k.lr * sigma / ((v * k.debias).sqrt() + k.eps);
        let p = p - rate * g;
        let p = match k.balance {
            Some(_) => {
                // The mean of the new weights.
                let mean = mean - rate * over.mean(Row, g);
                (p - mean) / (over.norm(Row, p - mean) + k.eps)
            }
            None => p,
        };
        (p, Neurons { v, sigma })
    }
}
