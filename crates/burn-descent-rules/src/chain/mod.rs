//! Rules made of transforms, as in optax: each turns an update into another, and all of them are one
//! pass. [`Noisy`] puts noise into the gradient of any rule.

mod cautious;
#[cfg(feature = "matrix")]
mod matrices;
mod moments;
mod names;
mod noisy;
mod norms;
mod rows;
mod stateless;
mod then;

pub use cautious::Cautious;
#[cfg(feature = "matrix")]
pub use matrices::Orthogonalize;
pub(crate) use moments::{AdamScalars, Moments as AdamMoments};
pub use moments::{ScaleByAdam, ScaleByRms, Trace};
pub use names::Names;
pub use noisy::Noisy;
pub use norms::{ClipByBlockRms, ClipByGradientRms, Hyperball, ScaleByTrustRatio};
#[cfg(feature = "matrix")]
pub(crate) use rows::by_lines;
pub use rows::{AdaptiveGradClip, NormalizeRows};
pub use stateless::{
    AddCautiousDecay, AddDecayedWeights, Clip, Scale, ScaleByLearningRate, ScaleBySign,
};
pub use then::{Both, Then};

use crate::{
    Fields, Fixed, Keep, Matrix, Nothing, OptionMut, Options, Over, Paper, Real, Rule, View, Whole,
    options_by_name,
};

/// Turns an update into another, element by element.
///
/// Written like a [`Rule`], whose items these are; its state and scalars have no optional fields.
pub trait Transform: Options {
    /// optax's name of it: `scale_by_adam`. Its options are called `scale_by_adam.beta1`.
    const NAME: &'static str;
    /// As [`Rule::SUMS`].
    const SUMS: usize = 0;
    /// As [`Rule::STAGES`].
    const STAGES: usize = if Self::SUMS > 0 { 1 } else { 0 };
    /// As [`Rule::WHOLES`].
    const WHOLES: usize = 0;

    /// What is remembered of one element from step to step.
    type State<R: Copy>: Fields<R, Forms = Fixed>;
    /// What is the same for all elements of a step.
    type Scalars<R: Copy>: Fields<R, Forms = Fixed>;

    /// The state before the first step; 0 by default.
    fn start(&self) -> Self::State<f64> {
        Fields::read::<Nothing>(|_| 0.0)
    }
    /// The scalars of step `t` (from 1) at learning rate `lr`.
    fn scalars(&self, lr: f64, t: u64) -> Self::Scalars<f64>;

    /// The new update and state, from the update `u` so far, the parameter and the gradient, and from what
    /// it asks of all others.
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Self::State<R>,
        k: Self::Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Self::State<R>);

    /// As [`Rule::whole`]; [`Whole::number`] counts its own calls.
    fn whole<M: Matrix>(&self, x: M, _kept: &mut [M], _at: &mut Whole) -> M {
        x
    }

    /// As [`Rule::keeps`].
    fn keeps(&self, _view: View, _dims: &[usize]) -> Vec<Keep> {
        Vec::new()
    }

    /// Shows its options, under its name.
    fn each_named(&mut self, names: &mut Names, see: &mut dyn FnMut(OptionMut<'_>)) {
        let prefix = names.prefix(Self::NAME);
        self.each(&mut |option| see(OptionMut { prefix: &prefix, ..option }));
    }
}

/// Where an update is taken.
#[derive(Clone, Copy, Debug)]
pub struct Point<R> {
    /// The parameter.
    pub p: R,
    /// The gradient.
    pub g: R,
}

/// A rule made of transforms: the first meets the gradient, the last gives what is added to the
/// parameter.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::chain::{AddDecayedWeights, Chain, ScaleByAdam, ScaleByLearningRate};
/// use burn_descent::{AdamW, rules::slices::Walk};
///
/// let chain = Chain::of(ScaleByAdam::new())
///     .then(AddDecayedWeights::new(0.01))
///     .then(ScaleByLearningRate::new());
///
/// // AdamW, bit for bit.
/// let (mut x, mut y) = ([1.0_f32, -2.0], [1.0_f32, -2.0]);
/// let mut of_chain = Walk::new(chain, 2)?;
/// let mut adamw = Walk::new(AdamW::new(), 2)?;
/// for g in [[0.3, -0.1], [0.2, 0.4]] {
///     of_chain.step(0.1, &mut x, &g)?;
///     adamw.step(0.1, &mut y, &g)?;
/// }
/// assert_eq!(x, y);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
///
/// Three recipes. Hyperball in place of decay and learning rate, which is [`AdamH`](crate::AdamH):
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::chain::{Chain, Hyperball, ScaleByAdam};
/// use burn_descent::{AdamH, rules::{View, slices::Walk}};
///
/// let chain = Chain::of(ScaleByAdam::new().beta2(0.99)).then(Hyperball::new());
///
/// let (mut x, mut y) = ([3.0_f64, 4.0, 0.0, 12.0], [3.0_f64, 4.0, 0.0, 12.0]);
/// let mut of_chain = Walk::of(chain, View::matrix(2, 2))?;
/// let mut adamh = Walk::of(AdamH::new(), View::matrix(2, 2))?;
/// for g in [[1.0, -2.0, 0.1, 0.0], [0.5, 0.1, 3.0, -1.0]] {
///     of_chain.step(0.1, &mut x, &g)?;
///     adamh.step(0.1, &mut y, &g)?;
/// }
/// assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-12));
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
///
/// Cautious AdamW with a trust ratio: a step is `η` times as long as the weights, whatever the others do.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::chain::{
///     AddCautiousDecay, Cautious, Chain, ScaleByAdam, ScaleByLearningRate, ScaleByTrustRatio,
/// };
/// use burn_descent::rules::slices::Walk;
///
/// let chain = Chain::of(ScaleByAdam::new())
///     .then(Cautious::new())
///     .then(AddCautiousDecay::new(0.01))
///     .then(ScaleByTrustRatio::new())
///     .then(ScaleByLearningRate::new());
///
/// let mut x = [3.0_f64, -4.0];
/// Walk::new(chain, 2)?.step(0.1, &mut x, &[0.3, 0.1])?;
/// // The weights were 5 long.
/// assert!(((x[0] - 3.0).hypot(x[1] + 4.0) - 0.5).abs() < 1e-12);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
///
/// NAdam with adaptive gradient clipping, which comes first:
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::chain::{AdaptiveGradClip, Chain, ScaleByAdam, ScaleByLearningRate};
/// use burn_descent::{NAdam, rules::slices::Walk};
///
/// let chain = Chain::of(AdaptiveGradClip::new(0.01))
///     .then(ScaleByAdam::new().nesterov(true))
///     .then(ScaleByLearningRate::new());
///
/// // A gradient of 50 beside weights of 5 is to NAdam as one of 0.05.
/// let (mut x, mut y) = ([3.0_f64, -4.0], [3.0_f64, -4.0]);
/// Walk::new(chain, 2)?.step(0.1, &mut x, &[30.0, 40.0])?;
/// let nadam = NAdam::new().constant_momentum(true);
/// Walk::new(nadam, 2)?.step(0.1, &mut y, &[0.03, 0.04])?;
/// assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-12));
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
///
/// Options have the name of their transform in front, `scale_by_adam.beta1`; where one stands in a
/// chain again it is `trace_2.momentum`. A chain has no learning rate but that of
/// [`ScaleByLearningRate`], which also turns the update downhill.
///
/// Two chains with states of the same names are not told apart when a state is loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain<T> {
    transform: T,
}

impl<T: Transform> Chain<T> {
    /// A chain of one transform.
    pub fn of(transform: T) -> Self {
        Self { transform }
    }

    /// The chain with another transform behind it.
    pub fn then<B: Transform>(self, transform: B) -> Chain<Then<T, B>> {
        Chain { transform: Then { first: self.transform, then: transform } }
    }
}

impl<T: Transform> Rule for Chain<T> {
    const NAME: &'static str = "chain";
    const TITLE: &'static str = "Chain";
    const PAPER: Paper =
        Paper::at("DeepMind 2020, optax", "https://github.com/google-deepmind/optax");
    const SUMS: usize = T::SUMS;
    const STAGES: usize = T::STAGES;
    const WHOLES: usize = T::WHOLES;
    type State<R: Copy> = T::State<R>;
    type Scalars<R: Copy> = T::Scalars<R>;

    fn start(&self) -> T::State<f64> {
        self.transform.start()
    }

    fn scalars(&self, lr: f64, t: u64) -> T::Scalars<f64> {
        self.transform.scalars(lr, t)
    }

    fn whole<M: Matrix>(&self, x: M, kept: &mut [M], at: &mut Whole) -> M {
        self.transform.whole(x, kept, at)
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        self.transform.keeps(view, dims)
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: T::State<R>,
        k: T::Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, T::State<R>) {
        let (u, s) = T::transform(g, Point { p, g }, s, k, over);
        (p + u, s)
    }
}

impl<T: Transform> Options for Chain<T> {
    fn each(&mut self, see: &mut dyn FnMut(OptionMut<'_>)) {
        self.transform.each_named(&mut Names::default(), see);
    }
}

options_by_name!([T: Transform] Chain<T>);

#[cfg(test)]
mod tests;
