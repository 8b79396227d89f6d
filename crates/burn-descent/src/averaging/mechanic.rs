use burn_descent_rules::{InvalidOption, check_options, options};
use serde::{Deserialize, Serialize};

options! {
    /// Mechanic: tunes a factor of whatever the optimizers do, over the whole model.
    ///
    /// ```text
    /// u: the optimizers' step from w,       S = Σ sᵢ,       Δ = (w₀ − w) / (S + ε)
    /// h = ⟨g + λ S ‖g‖ / (‖w‖ + ε) · w, Δ⟩,               h̄ᵢ = h, between −mᵢ and mᵢ
    /// mᵢ ← max(βᵢ mᵢ, |h| + ε),    vᵢ ← βᵢ² vᵢ + h²,    rᵢ ← βᵢ rᵢ + h̄ᵢ sᵢ
    /// sᵢ ← (s_init / n · mᵢ + max(0, rᵢ)) / (√vᵢ + ε),     βᵢ = 1 − 10⁻ⁱ, i = 1 … n
    /// w ← w₀ − S (Δ − u)
    /// ```
    ///
    /// So the way from where each parameter began is `S` times the sum of the steps that the optimizers have asked for, and
    /// their learning rate is of less matter: 1 of SGD, or what is usual of Adam, or a schedule. `S` stands in the report
    /// among [`estimates`](crate::Report::estimates) as `mechanic`. A parameter that is frozen and trained again, or comes to
    /// the model later, begins where it is then.
    ///
    /// `g` is what the optimizers meet: after clipping. The products are taken in f64 where the device has it, and read: a
    /// GPU waits for them. With optimizers that climb, or whose weights to evaluate are not those that they train
    /// (Schedule-Free, Nesterov), it is refused.
    ///
    /// - Defaults: optax's. `s_init` 1e-6, six `betas`, `weight_decay` 0.01, `eps` 1e-8.
    /// - Memory: one number a weight, where it began, in f32 (f64 for f64); in a step the weights before it, too, and a few
    ///   passes of tensor operations.
    /// - A gradient that is NaN makes the whole model NaN: set [`NotFinite::Skip`](crate::NotFinite::Skip).
    /// - Reference: Cutkosky, Defazio & Mehta 2023, <https://arxiv.org/abs/2306.00144>; `mechanize` of optax.
    ///
    /// ```
    /// use burn_descent::{Adam, Build, Descent, Mechanic};
    ///
    /// let walk = Descent::builder(Adam::new().build()?).lr(1e-3).mechanic(Mechanic::new());
    /// # drop(walk);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    #[doc(alias = "mechanize")]
    pub struct Mechanic {
        /// What the factor begins with, as a share of the first `h`.
        s_init: Positive = 1e-6,
        /// How many factors there are, each with a longer memory.
        #[doc(alias = "num_betas")]
        betas: Count(1) = 6,
        /// The decay `λ` in `h`: how much the factor shrinks with the length of the weights.
        weight_decay: NonNegative = 0.01,
        /// Added where something is divided by.
        eps: Positive = 1e-8,
    }
}

/// The most factors that there can be: beyond, `1 − 10⁻ⁱ` is 1 in f64.
const MOST: u64 = 15;

impl Mechanic {
    pub(crate) fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, NAME)?;
        InvalidOption::unless_all_hold(
            NAME,
            &[("betas", self.betas as f64, self.betas <= MOST, "<= 15")],
        )
    }
}

pub(crate) const NAME: &str = "mechanic";

/// The factors now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Factors {
    m: Vec<f64>,
    v: Vec<f64>,
    r: Vec<f64>,
    s: Vec<f64>,
}

impl Factors {
    /// Before the first step.
    pub(crate) fn start(options: &Mechanic) -> Self {
        let zeros = || vec![0.0; options.betas as usize];
        Self { m: zeros(), v: zeros(), r: zeros(), s: zeros() }
    }

    /// Are they as many as these options ask for, and numbers?
    pub(crate) fn fits(&self, options: &Mechanic) -> bool {
        let is_right = |list: &Vec<f64>| {
            list.len() == options.betas as usize && list.iter().all(|x| x.is_finite())
        };
        [&self.m, &self.v, &self.r, &self.s].into_iter().all(is_right)
    }

    /// `S`.
    pub(crate) fn sum(&self) -> f64 {
        self.s.iter().sum()
    }

    /// Brings them forward.
    pub(crate) fn follow(&mut self, h: f64, options: &Mechanic) {
        let Mechanic { s_init, eps, .. } = *options;
        let count = self.s.len() as f64;
        for i in 0..self.s.len() {
            let beta = 1.0 - 0.1_f64.powi(i as i32 + 1);
            let (m, s) = (self.m[i], self.s[i]);
            let bounded = if h < -m {
                -m
            } else if h > m {
                m
            } else {
                h
            };
            let [new_m, new_v] =
                [at_least(beta * m, h.abs() + eps), beta * beta * self.v[i] + h * h];
            let r = beta * self.r[i] + bounded * s;
            let s = (s_init / count * new_m + at_least(0.0, r)) / (new_v.sqrt() + eps);
            (self.m[i], self.v[i], self.r[i], self.s[i]) = (new_m, new_v, r, s);
        }
    }
}

/// The greater one; a NaN in `x` stays.
fn at_least(least: f64, x: f64) -> f64 {
    if x < least { least } else { x }
}
