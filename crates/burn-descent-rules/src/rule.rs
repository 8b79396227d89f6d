//! The contract of a rule.

use crate::options;
use crate::{
    Auxiliary, Fields, InvalidOption, Keep, Matrix, Nothing, Options, Over, Range, Real, View,
    Whole,
};

/// Where a rule is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Authors and year, as in a citation: `Kingma & Ba 2014`.
    pub cite: &'static str,
    site: &'static str,
    page: &'static str,
}

impl Paper {
    /// A paper on arXiv, by its number there: `1412.6980`.
    pub const fn arxiv(cite: &'static str, number: &'static str) -> Self {
        Self { cite, site: "https://arxiv.org/abs/", page: number }
    }

    /// What can be read elsewhere.
    pub const fn at(cite: &'static str, url: &'static str) -> Self {
        Self { cite, site: "", page: url }
    }

    /// Where to read it.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Adam, Rule};
    ///
    /// assert_eq!(Adam::PAPER.url(), "https://arxiv.org/abs/1412.6980");
    /// ```
    pub fn url(&self) -> String {
        [self.site, self.page].concat()
    }
}

/// An update rule: the mathematics of one optimizer for one element.
///
/// The implementing struct holds the options, declared with [`options!`](crate::options). Everything
/// that is the same for all elements of a step is computed once, in f64, by
/// [`scalars`](Rule::scalars); [`update`](Rule::update) is then the inner loop, and asks for
/// [sums](Over) where its text needs them. State and scalars are declared with
/// [`fields!`](crate::fields), so that `update` reads names; a state may be
/// [one number for a row, a column or the tensor](crate::Domain).
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{Rule, rules::{Over, Paper, Real, fields, options}};
///
/// options! {
///     /// Signum: the sign of a moving average. <https://arxiv.org/abs/1802.04434>
///     struct Signum {
///         /// Decay of the average.
///         momentum: Decay = 0.9,
///     }
/// }
///
/// fields! {
///     struct Average { m }
///     struct Scalars { beta, one_beta, lr }
/// }
///
/// impl Rule for Signum {
///     const NAME: &'static str = "signum";
///     const TITLE: &'static str = "Signum";
///     const PAPER: Paper = Paper::arxiv("Bernstein et al. 2018", "1802.04434");
///     type State<R: Copy> = Average<R>;
///     type Scalars<R: Copy> = Scalars<R>;
///
///     fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
///         Scalars { beta: self.momentum, one_beta: 1.0 - self.momentum, lr }
///     }
///     fn update<R: Real>(
///         p: R,
///         g: R,
///         s: Average<R>,
///         k: Scalars<R>,
///         _: &mut impl Over<R>,
///     ) -> (R, Average<R>) {
///         let m = k.beta * s.m + k.one_beta * g;
///         (p - k.lr * m.sign(), Average { m })
///     }
/// }
///
/// assert!(Signum::new().momentum(1.0).check().is_err());
/// ```
pub trait Rule: Options {
    /// The name in the registry, on the command line, in tests and in files: `adamw`.
    const NAME: &'static str;
    /// The name in prose: `AdamW`. Its [`NAME`](Rule::NAME) by default.
    const TITLE: &'static str = Self::NAME;
    /// The paper whose pseudo-code `update` follows. None by default.
    const PAPER: Paper = Paper::at("not published", "");

    /// How many sums and maxima [`update`](Rule::update) asks for at most. None by default; a rule that
    /// asks for more is refused when it is built.
    const SUMS: usize = 0;
    /// How many of the sums follow from one another at most, one after the other: 1 where none is of what follows
    /// from another one, as by default where there are sums. An engine goes over the tensor once for each; a rule
    /// with more is refused when it is built.
    const STAGES: usize = if Self::SUMS > 0 { 1 } else { 0 };
    /// How often [`update`](Rule::update) asks for what is made of a [whole](Rule::whole) matrix; each counts as one of the
    /// [`SUMS`](Rule::SUMS). A rule that does steps by tensor operations. Never by default; one that asks more often is refused
    /// when it is built.
    const WHOLES: usize = 0;

    /// Does a step need the value of the loss? [`with_loss`](Rule::with_loss) gets it then, and a step without it is
    /// refused. No by default.
    const LOSS: bool = false;

    /// The state by which the rule finds its own learning rate, to be shown in reports: a number for the whole
    /// model. None by default.
    const ESTIMATE: Option<&'static str> = None;

    /// What is remembered of one element from step to step, and of what is coarser: five numbers at most of
    /// an element and four of what is coarser, which is what the engines of burn-descent keep.
    type State<R: Copy>: Fields<R>;
    /// What is the same for all elements of a step.
    type Scalars<R: Copy>: Fields<R>;

    /// Options that cannot go together; nothing by default.
    fn conflict(&self) -> Result<(), InvalidOption> {
        Ok(())
    }

    /// The state before the first step: 0 by default, and without the optional ones. An optional state
    /// that is `None` here does not exist.
    fn start(&self) -> Self::State<f64> {
        Fields::read::<Nothing>(|_| 0.0)
    }

    /// The scalars of step `t` (from 1) at learning rate `lr`. The same optional ones are present
    /// at each step.
    fn scalars(&self, lr: f64, t: u64) -> Self::Scalars<f64>;

    /// The new parameter and state from parameter `p`, gradient `g`, state `s` and scalars `k`, and from
    /// what it asks of all others: `over.mean(Domain::Tensor, g * g)`.
    fn update<R: Real>(
        p: R,
        g: R,
        s: Self::State<R>,
        k: Self::Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Self::State<R>);

    /// How the rule sees a tensor of this shape: outputs × inputs, or inputs × outputs where `by_columns`
    /// says so. What has more dimensions is one matrix by default: [`View::of`].
    fn view(shape: &[usize], by_columns: bool) -> View {
        View::of(shape, by_columns)
    }

    /// The rule for a tensor that is seen like this, where it is another: one without rows and columns for
    /// a vector, say. `None`, as by default, where it is the same for all.
    fn for_view(&self, _view: View) -> Option<Self> {
        None
    }

    /// What [`Over::whole`] gives: this of the stack of matrices `x`, whose rows are its outputs. `kept` are the
    /// matrices that [`keeps`](Rule::keeps) tells, to be brought forward. `x` itself, by default.
    fn whole<M: Matrix>(&self, x: M, _kept: &mut [M], _at: &mut Whole) -> M {
        x
    }

    /// The matrices that are kept from step to step of a tensor of these dimensions, outputs first, that is seen like
    /// this. None by default.
    fn keeps(&self, _view: View, _dims: &[usize]) -> Vec<Keep> {
        Vec::new()
    }

    /// The rule for what is no matrix, and for what is one but is not to be treated as one, such as an embedding.
    /// None by default: the rule is for all tensors.
    fn auxiliary(&self) -> Option<&Auxiliary> {
        None
    }

    /// The seed of the random numbers that [`update`](Rule::update) draws; `None`, as by default, where
    /// it draws none.
    fn seed(&self) -> Option<u64> {
        None
    }

    /// Name and value before the first step of numbers that are remembered from step to step, once
    /// for the whole tensor. None by default.
    fn memory(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// Brings the [memory](Rule::memory) forward to step `t`, and completes the
    /// [`scalars`](Rule::scalars) of that step with what follows from it.
    fn remember(
        &self,
        _lr: f64,
        _t: u64,
        k: Self::Scalars<f64>,
        _memory: &mut [f64],
    ) -> Self::Scalars<f64> {
        k
    }

    /// Completes the scalars of a step, after [`remember`](Rule::remember), with the loss at the weights that the
    /// gradient was taken at. Where the gradient is turned around to climb, so is the loss. Only a rule that says
    /// [`LOSS`](Rule::LOSS) is asked; the same number is given for all parameters of the model.
    fn with_loss(&self, k: Self::Scalars<f64>, _loss: f64) -> Self::Scalars<f64> {
        k
    }

    /// The weight to evaluate and ship, where it is not the weight that is trained: from the trained
    /// one, its state and the scalars of the last step, with which the two were made.
    fn evaluate<R: Real>(p: R, _s: Self::State<R>, _k: Self::Scalars<R>) -> R {
        p
    }

    /// Are all options allowed?
    ///
    /// # Errors
    /// The first option that is not, with its value and what is allowed.
    fn check(&self) -> Result<(), InvalidOption> {
        options::check(self, Self::NAME)?;
        self.conflict()
    }
}

/// Is this a learning rate that a step can be taken with: finite and not negative?
///
/// # Errors
/// An [`InvalidOption`] that names the optimizer and the value.
pub fn check_lr(optimizer: &'static str, lr: f64) -> Result<(), InvalidOption> {
    Range::NonNegative.of("lr", lr).check(optimizer)
}

/// Is the loss there for a step of a rule that [needs it](Rule::LOSS)?
///
/// # Errors
/// An [`InvalidOption`] that names the optimizer and says that it needs the loss.
pub fn check_loss<U: Rule>(loss: Option<f64>) -> Result<(), InvalidOption> {
    if !U::LOSS || loss.is_some() {
        return Ok(());
    }
    Err(InvalidOption {
        owner: U::NAME,
        option: "loss".into(),
        value: "nothing".into(),
        allowed: "the value of the loss, which each step of this rule needs".into(),
    })
}
