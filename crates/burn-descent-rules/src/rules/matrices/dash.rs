use crate::matrix::{Blocks, Ridge, inverse_root, square_roots};
use crate::transforms::{debias, decay};
use crate::{Keep, Matrix, Over, Paper, Real, Rule, View, Whole, choice, fields, options};

choice! {
    /// How the roots of the factors of [`Dash`] are taken.
    pub enum Roots {
        /// By the products of Newton, Denman and Beavers.
        NewtonDb = "newton_db",
        /// From eigenvalues, on the host.
        Eigh = "eigh",
    }
}

choice! {
    /// By what a factor of [`Dash`] is divided before the products.
    pub enum Scaling {
        /// Twice its greatest eigenvalue, as power iteration has it.
        Power = "power",
        /// The root of the sum of its squares.
        Frobenius = "frobenius",
    }
}

options! {
    /// DASH: Shampoo of equal blocks that are stepped together, with roots by products alone.
    ///
    /// ```text
    /// L ← β₂ L + (1 − β₂) G Gᵀ,      R ← β₂ R + (1 − β₂) Gᵀ G      of each block
    /// m ← β₁ m + (1 − β₁) g,         m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,        v̂ = v / (1 − β₂ᵗ)
    /// d = m̂ / (√v̂ + ε)
    /// x = (L + δ)^(−1/4) M (R + δ)^(−1/4),    x ← x ‖d‖ / ‖x‖      of each block
    /// θ ← θ − η λ θ − η x
    /// ```
    ///
    /// A square root of `A` and its inverse are made of `A / s` by `newton_steps` steps
    /// `E = (3 − Z Y) / 2`, `Y ← Y E`, `Z ← E Z`, and the fourth root is the root of the root. `s` is twice the greatest
    /// eigenvalue that `power_iteration_steps` steps from random vectors find, or the Frobenius norm. So a device that
    /// has products needs nothing else. Roots that come out as no finite numbers are not taken: those of the time
    /// before are kept.
    ///
    /// A tensor is one matrix, of its first dimension that is not 1 and of all others. What has one dimension has one
    /// factor, with the power `−1/2`. Before `start_preconditioning_step` the step is `d`, which is Adam's.
    ///
    /// The reference estimates `s` in bf16; here that is done in the precision of the states. With roots by eigenvalues it
    /// adds `δ` to those too, and so does this.
    ///
    /// - Defaults: pytorch_optimizer's. `beta1` 0.9, `beta2` 0.95, `block_size` 1024, roots every 10 steps, 10 steps of
    ///   Newton and of power iteration of 16 vectors, `eps` 1e-8, `matrix_eps` `δ` 1e-10, no momentum, no weight decay.
    /// - Memory: two numbers a weight, three with `momentum`; of a block of m × n two factors and their roots,
    ///   `2 m² + 2 n²`. Traffic in f32: read 32, write 12 bytes a weight, 16 of those read for factors,
    ///   directions and lengths, beside that of the products.
    /// - A gradient that is NaN makes its block NaN, and its factors, whose roots stay the last good ones.
    /// - Reference: Modoranu et al. 2026, <https://arxiv.org/abs/2602.02016>; its blocks and the order of its roots are
    ///   those of pytorch_optimizer 4.1.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Dash, rules::{View, slices::Walk}};
    ///
    /// let mut x = [0.0_f64; 4];
    /// let mut walk = Walk::of(Dash::new(), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[3.0, 1.0, -1.0, 4.0])?;
    /// // As long as the first step of Adam.
    /// let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    /// assert!((length - 0.2).abs() < 1e-8);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Dash {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the factors.
        #[doc(alias = "betas")]
        beta2: Decay = 0.95,
        /// Decay of the second moment.
        grafting_beta: Decay = 0.95,
        /// The length of a block at most.
        block_size: Count(1) = 1024,
        /// Every how many steps the roots are taken.
        precondition_frequency: Count(1) = 10,
        /// The first step that is Shampoo's.
        start_preconditioning_step: Count(1) = 1,
        /// How the roots are taken.
        inverse_root_method: Choice(Roots) = Roots::NewtonDb,
        /// By what a factor is divided first.
        matrix_scaling: Choice(Scaling) = Scaling::Power,
        /// How many steps make a square root.
        newton_steps: Count(1) = 10,
        /// How many steps power iteration takes.
        power_iteration_steps: Count(1) = 10,
        /// From how many random vectors.
        power_iteration_vectors: Count(1) = 16,
        /// Decay `μ` of a velocity of the steps; 0 for none.
        momentum: Decay = 0.0,
        /// Look ahead by one more step of the velocity.
        nesterov: bool = true,
        /// Correct the bias of both moments.
        correct_bias: bool = true,
        /// Added to the root of the second moment.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// `δ`, added to the diagonal of a factor.
        matrix_eps: Positive = 1e-10,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Of the random vectors.
        seed: u64 = 0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Dash`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// Velocity, with momentum.
        velocity: optional,
    }

    /// Scalars of [`Dash`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`, or 1.
        debias1, debias2,
        eps, lr, keep, momentum,
        /// The shares of the step and of the velocity in what is done.
        of_u, of_velocity,
    }
}

impl Rule for Dash {
    const NAME: &'static str = "dash";
    const TITLE: &'static str = "DASH";
    const PAPER: Paper = Paper::arxiv("Modoranu et al. 2026", "2602.02016");
    const WHOLES: usize = 3;
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, velocity: (self.momentum > 0.0).then_some(0.0) }
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, grafting_beta: beta2, momentum, .. } = *self;
        let corrected = |beta| if self.correct_bias { debias(beta, t) } else { 1.0 };
        let (of_u, of_velocity) = if self.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            debias1: corrected(beta1),
            debias2: corrected(beta2),
            eps: self.eps,
            lr,
            keep: decay(self.weight_decay, true, lr).1,
            momentum,
            of_u,
            of_velocity,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * over.whole(g);
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let d = m * k.debias1 / ((v * k.debias2).sqrt() + k.eps);
        let u = over.whole(m) * over.whole(d);
        let velocity = s.velocity.map(|velocity| k.momentum * velocity + u);
        let step = velocity.map_or(u, |velocity| k.of_u * u + k.of_velocity * velocity);
        (k.keep * p - k.lr * step, Moments { m, v, velocity })
    }

    /// First the factors follow the gradient, which is given back. Then each block of the first moment gets its
    /// direction, of length 1, and at last each block of Adam's direction its length.
    fn whole<M: Matrix>(&self, x: M, kept: &mut [M], at: &mut Whole) -> M {
        let blocks = self.blocks(&at.dims);
        let has_started = at.t >= self.start_preconditioning_step;
        match at.number {
            0 => {
                blocks.follow(&x, kept, self.beta2, 1.0 - self.beta2);
                let is_first = at.t == self.start_preconditioning_step;
                if is_first || has_started && at.t.is_multiple_of(self.precondition_frequency) {
                    blocks.renew(kept, at, |factor, at| self.root(factor, blocks.order(), at));
                }
                x
            }
            // The step is Adam's direction times 1.
            1 if !has_started => x.full(x.dims(), 1.0),
            _ if !has_started => x,
            // In a block that is all zeros, 0 / 0 is none.
            1 => blocks.precondition(&x, kept, |x| x.clone() / x.norm().shift(1e-16)),
            _ => blocks.each(&x, |x| x.full(x.dims(), 0.0) + x.norm()),
        }
    }

    fn keeps(&self, _: View, dims: &[usize]) -> Vec<Keep> {
        self.blocks(dims).keeps(0.0, 0.0)
    }
}

impl Dash {
    /// One matrix, or what has one dimension.
    fn blocks(&self, dims: &[usize]) -> Blocks {
        let dims: Vec<usize> = dims.iter().copied().filter(|dim| *dim != 1).collect();
        let dims = match dims[..] {
            [] => vec![1],
            [len] => vec![len],
            [first, ref others @ ..] => vec![first, others.iter().product()],
        };
        Blocks::of(dims, self.block_size)
    }

    /// The inverse root of factors, of which each block has so many.
    fn root<M: Matrix>(&self, factor: M, order: usize, at: &mut Whole) -> Option<M> {
        let [_, size, _] = factor.dims();
        let factor = factor.clone() + factor.identity(size).scale(self.matrix_eps);
        if self.inverse_root_method == Roots::Eigh {
            let ridge = Ridge { added: self.matrix_eps, ..Ridge::default() };
            return inverse_root(&factor, -0.5 / order as f64, ridge);
        }
        let mut scale = self.scale_of(&factor, at);
        let mut of = factor;
        if order == 2 {
            [of, _] = square_roots(&of, &scale, self.newton_steps);
            scale = scale.sqrt();
        }
        let [_, inverse] = square_roots(&of, &scale, self.newton_steps);
        Some(inverse)
    }

    /// What the factors are divided by, one number a factor.
    fn scale_of<M: Matrix>(&self, factor: &M, at: &mut Whole) -> M {
        let [count, size, _] = factor.dims();
        if self.matrix_scaling == Scaling::Frobenius {
            return factor.norm();
        }
        let factor = factor.clone() + factor.identity(size).scale(1e-6);
        let unit = |x: M| x.clone() / (x.clone() * x).sum(1).sqrt().at_least(1e-30);
        let vectors = at.normal(&factor, [count, size, self.power_iteration_vectors as usize]);
        let steps = 0..self.power_iteration_steps;
        let vectors = steps.fold(unit(vectors), |vectors, _| unit(factor.times(&vectors)));
        (vectors.clone() * factor.times(&vectors)).sum(1).greatest(2).scale(2.0)
    }
}
