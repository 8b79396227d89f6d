//! Noise in the gradient of any rule.

use crate::noise::fading;
use crate::{
    Auxiliary, Domain, Fields, InvalidOption, Keep, Matrix, OptionMut, Options, Over, Paper,
    Presence, Real, Rule, View, Whole, options, options_by_name,
};

/// A rule that meets its gradient with normal noise added, which dies away.
///
/// ```text
/// σ² = η / t^γ,   g ← g + N(0, σ²)
/// ```
///
/// What comes from outside as one factor of all gradients, as clipping by their norm, comes before
/// the noise. [`Transform::noise`] of `Descent`, by contrast, stands before the norm.
///
/// The numbers follow from seed, step, parameter and place in the parameter, so they are the same
/// bits on every device, for any number of threads, and in a walk that is resumed. They are sums of
/// twelve: normal, but none is beyond six deviations. A tensor of more than 2³² elements meets them
/// again.
///
/// Memory and traffic are the rule's own. Defaults: those of the paper's first experiments, `η` 0.01
/// and `γ` 0.55. Options are called `noise.eta`, `noise.gamma` and `noise.seed`, the rule's as they
/// are.
///
/// Reference: Neelakantan et al. 2015, <https://arxiv.org/abs/1511.06807>; optax's `add_noise`.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{AdamW, rules::{chain::Noisy, slices::Walk}};
///
/// let noisy = Noisy::new(AdamW::new()).eta(0.3).seed(7);
/// let mut x = [1.0_f32; 3];
/// Walk::new(noisy, x.len())?.step(0.1, &mut x, &[0.0; 3])?;
/// assert!(x[0] != x[1] && x[1] != x[2]);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
///
/// [`Transform::noise`]: https://docs.rs/burn-descent/latest/burn_descent/struct.Transform.html
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noisy<U> {
    noise: Fading,
    rule: U,
}

options! {
    /// The options of the noise.
    struct Fading {
        /// The variance `η` at the first step.
        eta: NonNegative = 0.01,
        /// How fast the variance falls, `γ`.
        gamma: NonNegative = 0.55,
        /// Another seed, other numbers.
        seed: u64 = 0,
    }
}

impl<U: Rule> Noisy<U> {
    /// Noise in the gradient of this rule.
    pub fn new(rule: U) -> Self {
        Self { noise: Fading::default(), rule }
    }

    /// The variance `η` at the first step, >= 0. Default 0.01.
    pub fn eta(mut self, eta: f64) -> Self {
        self.noise.eta = eta;
        self
    }

    /// How fast the variance falls, `γ` >= 0; with 0 it stays. Default 0.55.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.noise.gamma = gamma;
        self
    }

    /// Another seed, other numbers. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.noise.seed = seed;
        self
    }
}

/// The fields of a rule, and then the deviation of the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WithDeviation<F, R> {
    rule: F,
    deviation: R,
}

impl<R: Copy, F: Fields<R>> Fields<R> for WithDeviation<F, R> {
    type Forms = F::Forms;
    const COARSE: bool = F::COARSE;
    const LINES: u32 = F::LINES;

    #[inline(always)]
    fn read<P: Presence>(mut lane: impl FnMut(usize) -> R) -> Self {
        let mut lanes = 0;
        let rule = F::read::<P>(|number| {
            lanes = number + 1;
            lane(number)
        });
        Self { rule, deviation: lane(lanes) }
    }

    #[inline(always)]
    fn write<P: Presence>(self, mut lane: impl FnMut(usize, &'static str, R)) {
        let mut lanes = 0;
        self.rule.write::<P>(|number, name, value| {
            lanes = number + 1;
            lane(number, name, value);
        });
        lane(lanes, "deviation", self.deviation);
    }

    fn presence(&self) -> u32 {
        self.rule.presence()
    }

    fn domains<P: Presence>(mut lane: impl FnMut(usize, Domain, bool)) {
        let mut lanes = 0;
        F::domains::<P>(|number, domain, positive| {
            lanes = number + 1;
            lane(number, domain, positive);
        });
        lane(lanes, Domain::Element, false);
    }
}

impl<U: Rule> Rule for Noisy<U> {
    const NAME: &'static str = U::NAME;
    const TITLE: &'static str = U::TITLE;
    const PAPER: Paper = U::PAPER;
    const SUMS: usize = U::SUMS;
    const STAGES: usize = U::STAGES;
    const WHOLES: usize = U::WHOLES;
    const LOSS: bool = U::LOSS;
    const ESTIMATE: Option<&'static str> = U::ESTIMATE;
    type State<R: Copy> = U::State<R>;
    type Scalars<R: Copy> = WithDeviation<U::Scalars<R>, R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let alone = self.rule.seed().is_none();
        let noises = [("seeds of random numbers", 2.0, alone, "at most 1")];
        InvalidOption::unless_all_hold(Self::NAME, &noises)?;
        self.rule.conflict()
    }

    fn start(&self) -> U::State<f64> {
        self.rule.start()
    }

    fn scalars(&self, lr: f64, t: u64) -> Self::Scalars<f64> {
        let deviation = fading(self.noise.eta, self.noise.gamma, t);
        WithDeviation { rule: self.rule.scalars(lr, t), deviation }
    }

    fn seed(&self) -> Option<u64> {
        Some(self.noise.seed)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        U::view(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let rule = self.rule.for_view(view)?;
        Some(Self { noise: self.noise.clone(), rule })
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: U::State<R>,
        k: Self::Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, U::State<R>) {
        let g = g + k.deviation * over.normal();
        U::update(p, g, s, k.rule, over)
    }

    fn memory(&self) -> Vec<(&'static str, f64)> {
        self.rule.memory()
    }

    fn remember(
        &self,
        lr: f64,
        t: u64,
        k: Self::Scalars<f64>,
        memory: &mut [f64],
    ) -> Self::Scalars<f64> {
        WithDeviation { rule: self.rule.remember(lr, t, k.rule, memory), ..k }
    }

    fn whole<M: Matrix>(&self, x: M, kept: &mut [M], at: &mut Whole) -> M {
        self.rule.whole(x, kept, at)
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        self.rule.keeps(view, dims)
    }

    fn auxiliary(&self) -> Option<&Auxiliary> {
        self.rule.auxiliary()
    }

    fn with_loss(&self, k: Self::Scalars<f64>, loss: f64) -> Self::Scalars<f64> {
        WithDeviation { rule: self.rule.with_loss(k.rule, loss), ..k }
    }

    fn evaluate<R: Real>(p: R, s: U::State<R>, k: Self::Scalars<R>) -> R {
        U::evaluate(p, s, k.rule)
    }
}

impl<U: Rule> Options for Noisy<U> {
    fn each(&mut self, see: &mut dyn FnMut(OptionMut<'_>)) {
        self.rule.each(see);
        self.noise.each(&mut |option| see(OptionMut { prefix: "noise.", ..option }));
    }
}

options_by_name!([U: Rule] Noisy<U>);
