//! What the walk does to tensors beside the optimizers' steps, as rules: in place, by a pass on a CPU and a
//! kernel on a GPU. A tensor `x` that changes is where a parameter is, what it meets, `y`, where a gradient
//! is, and the number `a` of the operation where a learning rate is.

use burn::tensor::Tensor;
use burn_descent_engine::{Build, Fused, Place, Weights};
use burn_descent_rules::Domain::Row;
use burn_descent_rules::{Empty, Over, Real, Rule, fields, options};
use std::sync::LazyLock;

fields! { struct Number { a } }

/// A rule of one line.
macro_rules! operation {
    ($name:ident, $sums:literal, |$x:ident, $y:ident, $a:ident, $over:ident| $new:expr) => {
        options! { struct $name {} }

        impl Rule for $name {
            const NAME: &'static str = stringify!($name);
            const SUMS: usize = $sums;
            type State<R: Copy> = Empty<R>;
            type Scalars<R: Copy> = Number<R>;

            fn scalars(&self, a: f64, _t: u64) -> Number<f64> {
                Number { a }
            }
            #[inline(always)]
            fn update<R: Real>(
                $x: R,
                $y: R,
                s: Empty<R>,
                Number { a: $a }: Number<R>,
                $over: &mut impl Over<R>,
            ) -> (R, Empty<R>) {
                ($new, s)
            }
        }
    };
}

operation!(Toward, 0, |x, y, a, _over| x + a * (y - x));
operation!(Add, 0, |x, y, a, _over| x + a * y);
operation!(Subtract, 0, |x, y, a, _over| x - a * y);
operation!(Difference, 0, |x, y, _a, _over| y - x);
operation!(Clip, 0, |x, _y, a, _over| x.clamp(-a, a));
operation!(Centralize, 1, |x, _y, _a, over| x - over.mean(Row, x));

/// `x + share (y − x)`. A result in two bytes is the nearest one, or one of the two around it by the random numbers of a
/// stream.
pub(crate) fn toward<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    share: f64,
    rounds: Option<u32>,
) -> Tensor<D> {
    static NEAREST: LazyLock<Fused> = LazyLock::new(|| built(Toward {}));
    static BY_CHANCE: LazyLock<Fused> =
        LazyLock::new(|| built(Toward {}).keep_weights(Weights::Stochastic));
    match rounds {
        None => applied(&NEAREST, x, y, share, Place::default()),
        Some(stream) => applied(&BY_CHANCE, x, y, share, Place { stream, ..Place::default() }),
    }
}

/// `x + factor y`.
pub(crate) fn add<const D: usize>(x: Tensor<D>, y: Tensor<D>, factor: f64) -> Tensor<D> {
    // A learning rate is finite and not negative.
    static ADD: LazyLock<Fused> = LazyLock::new(|| built(Add {}));
    static SUBTRACT: LazyLock<Fused> = LazyLock::new(|| built(Subtract {}));
    match factor {
        _ if !factor.is_finite() => x + y.mul_scalar(factor),
        _ if factor < 0.0 => applied(&SUBTRACT, x, y, -factor, Place::default()),
        _ => applied(&ADD, x, y, factor, Place::default()),
    }
}

/// `y − x`.
pub(crate) fn difference<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    static RULE: LazyLock<Fused> = LazyLock::new(|| built(Difference {}));
    applied(&RULE, x, y, 1.0, Place::default())
}

/// `x` in `[-limit, limit]`; NaN stays NaN. `any` is a tensor of its shape, whose numbers do not count.
pub(crate) fn clip<const D: usize>(x: Tensor<D>, any: Tensor<D>, limit: f64) -> Tensor<D> {
    static RULE: LazyLock<Fused> = LazyLock::new(|| built(Clip {}));
    applied(&RULE, x, any, limit, Place::default())
}

/// `x` without the mean of each of its rows. `any` is a tensor of its shape, whose numbers do not count.
pub(crate) fn centralize<const D: usize>(x: Tensor<D>, any: Tensor<D>, place: Place) -> Tensor<D> {
    static RULE: LazyLock<Fused> = LazyLock::new(|| built(Centralize {}));
    applied(&RULE, x, any, 1.0, place)
}

/// The optimizer of a rule that is right as it is.
pub(crate) fn built(rule: impl Rule) -> Fused {
    rule.build().expect("a rule of the walk is right")
}

/// `x` after a step of a rule that remembers nothing.
pub(crate) fn applied<const D: usize>(
    rule: &Fused,
    x: Tensor<D>,
    y: Tensor<D>,
    number: f64,
    place: Place,
) -> Tensor<D> {
    let mut state = rule.start_as(&x, place);
    rule.advance(number, x, y, &mut state).expect("both have one shape, and the number is finite")
}
