//! A rule of somebody else's, that uses all of `Real`, and all else that a rule may be: every engine
//! computes it as plain slices do.

mod power;

use burn_descent::rules::Domain::{Column, Matrix, Row, Tensor};
use burn_descent::rules::chain::{
    AddDecayedWeights, Cautious, Chain, Clip, Noisy, ScaleByAdam, ScaleByLearningRate, Trace,
};
use burn_descent::rules::{Over, Paper, Real, Rule, View, fields, options};
use burn_descent::{AdamW, Build, Lamb, ScheduleFreeAdamW};
use burn_descent_conformance::{check, engines_agree_with_slices};

options! {
    /// Every operation of `Real`, three states of which one is optional, and a constant.
    struct Everything {
        /// Is there the third state?
        with_c: bool = false,
    }
}

fields! { struct Abc { a, b, c: optional } }
fields! { struct Scalars { lr, half } }

impl Rule for Everything {
    const NAME: &'static str = "everything";
    const TITLE: &'static str = "Everything";
    const PAPER: Paper = Paper::at("nobody", "https://example.org");
    type State<R: Copy> = Abc<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Abc<f64> {
        Abc { a: 0.25, b: -1.0, c: self.with_c.then_some(2.0) }
    }
    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars { lr: lr / t as f64, half: 0.5 }
    }
    fn update<R: Real>(p: R, g: R, s: Abc<R>, k: Scalars<R>, _: &mut impl Over<R>) -> (R, Abc<R>) {
        // Numbers alone, tensors alone and both together, on either side.
        let number = (R::lit(1.0) + k.half) / (R::lit(3.0) - k.half) * k.half;
        let number = number.max(R::lit(0.1)).sqrt().abs() - (-number);
        let a = s.a + g.abs().sqrt() * number - R::lit(0.125);
        let b = (k.half * s.b - g).max(-s.a).max(k.half - R::lit(1.0)).max(p * R::lit(0.3));
        let uphill = R::select(g.lt(p), s.a, -g);
        let small = R::select(p.lt(k.half), k.half, R::lit(0.75));
        let large = R::select(k.half.lt(p), p / R::lit(2.0), R::lit(2.0) / (p.abs() + number));
        let certain = R::select(k.half.lt(R::lit(1.0)), g, p);
        let c = s.c.map(|c| c * small + large - R::lit(1.0) / (R::lit(2.0) + certain.abs()));
        let powers = large.abs().powf(g) + g.abs().powf(k.half);
        let powers = powers + k.half.powf(p.abs()) + k.half.powf(number);
        let step = g.sign() + uphill + c.unwrap_or(large) + p.sign() + powers;
        (p - k.lr * step, Abc { a, b, c })
    }
    fn evaluate<R: Real>(p: R, s: Abc<R>, k: Scalars<R>) -> R {
        p + s.a * k.half + k.lr
    }
}

#[test]
fn engines_compute_all_of_real() {
    engines_agree_with_slices(&Everything { with_c: false });
    engines_agree_with_slices(&Everything { with_c: true });
}

#[test]
fn engines_compute_sums_and_memory() {
    engines_agree_with_slices(&AdamW::new().cautious(true));
    engines_agree_with_slices(&AdamW::new().stable(true));
    engines_agree_with_slices(&AdamW::new().stable(true).cautious(true));
    engines_agree_with_slices(&Lamb::new().weight_decay(0.1));
    engines_agree_with_slices(&Noisy::new(AdamW::new().cautious(true)).eta(0.5));
    engines_agree_with_slices(&ScheduleFreeAdamW::new().warmup_steps(2.0));
}

#[test]
fn a_chain_holds_to_every_law() {
    let chain = Chain::of(Clip::new(0.5)).then(ScaleByAdam::new()).then(Cautious::new());
    let chain = chain.then(Trace::new(0.5)).then(AddDecayedWeights::new(0.1));
    check(chain.then(ScaleByLearningRate::new()), 1e-3);
}

#[test]
fn noise_holds_to_every_law() {
    check(Noisy::new(AdamW::new()).eta(1e-4).seed(7), 1e-3);
}

options! {
    /// States of every domain of a tensor, and sums of each other in three stages.
    struct Domains {}
}

fields! { struct Coarse { m, row: Row, column: Column, all: Tensor } }

impl Rule for Domains {
    const NAME: &'static str = "domains";
    const SUMS: usize = 8;
    const STAGES: usize = 3;
    type State<R: Copy> = Coarse<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Coarse<f64> {
        Coarse { m: 0.5, row: 0.25, column: 0.125, all: 2.0 }
    }
    fn view(shape: &[usize], by_columns: bool) -> View {
        View::of_last_two(shape, by_columns)
    }
    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars { lr: lr / t as f64, half: 0.5 }
    }
    fn update<R: Real>(
        p: R,
        g: R,
        s: Coarse<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Coarse<R>) {
        let one = R::lit(1.0);
        let row = k.half * s.row + over.mean(Row, g * g);
        let column = k.half * s.column + over.mean(Column, g * g);
        let largest = over.max(Row, g.abs()) + over.max(Column, -g) + over.max(Tensor, g * p);
        let u = g / (one + row * column / over.mean(Tensor, row)).sqrt();
        let all = k.half * s.all + over.rms(Tensor, u);
        let m = k.half * s.m + u * s.row / (one + s.all * s.column);
        let step = m + largest * over.count(Row) / over.count(Tensor) + over.mean(Matrix, m);
        (p - k.lr * step / (one + all), Coarse { m, row, column, all })
    }
}

#[test]
fn engines_compute_sums_and_states_of_every_domain() {
    engines_agree_with_slices(&Domains {});
}

options! {
    /// More sums over the tensor than a kernel takes as scalars.
    struct ManySums {}
}

fields! { struct Moment { m } }

impl Rule for ManySums {
    const NAME: &'static str = "many_sums";
    const SUMS: usize = 5;
    const STAGES: usize = 2;
    type State<R: Copy> = Moment<R>;
    type Scalars<R: Copy> = Rate<R>;

    fn start(&self) -> Moment<f64> {
        Moment { m: 0.5 }
    }
    fn scalars(&self, lr: f64, _t: u64) -> Rate<f64> {
        Rate { lr }
    }
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moment<R>,
        k: Rate<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moment<R>) {
        let m = s.m + g;
        let sizes = over.rms(Tensor, p) + over.rms(Tensor, g) + over.rms(Tensor, m);
        let u = m / (R::lit(1.0) + sizes + over.mean(Tensor, p * g));
        (p - k.lr * u / over.rms(Tensor, u), Moment { m })
    }
}

#[test]
fn engines_compute_many_sums_over_the_tensor() {
    engines_agree_with_slices(&ManySums {});
}

options! {
    /// A state of rows that does not follow from rows.
    struct Finer {}
}

fields! { struct OfRow { total: Row } }

impl Rule for Finer {
    const NAME: &'static str = "finer";
    const SUMS: usize = 1;
    type State<R: Copy> = OfRow<R>;
    type Scalars<R: Copy> = Rate<R>;

    fn start(&self) -> OfRow<f64> {
        OfRow { total: 0.0 }
    }
    fn scalars(&self, lr: f64, _t: u64) -> Rate<f64> {
        Rate { lr }
    }
    fn update<R: Real>(
        p: R,
        g: R,
        s: OfRow<R>,
        k: Rate<R>,
        over: &mut impl Over<R>,
    ) -> (R, OfRow<R>) {
        let total = s.total + over.sum(Column, g);
        (p - k.lr * g, OfRow { total })
    }
}

#[test]
fn a_state_finer_than_it_says_is_refused_by_its_name() {
    let error = Finer {}.build().unwrap_err().to_string();
    assert_eq!(
        error,
        "finer: state `total` = a number for each element is not allowed, it must be one for each row: sum \
         what is finer"
    );
}

options! {
    /// More states than an engine keeps.
    struct Memorious {}
}

fields! { struct Six { a, b, c, d, e, f } }
fields! { struct Rate { lr } }

impl Rule for Memorious {
    const NAME: &'static str = "memorious";
    type State<R: Copy> = Six<R>;
    type Scalars<R: Copy> = Rate<R>;

    fn start(&self) -> Six<f64> {
        Six { a: 0.0, b: 0.0, c: 0.0, d: 0.0, e: 0.0, f: 0.0 }
    }
    fn scalars(&self, lr: f64, _t: u64) -> Rate<f64> {
        Rate { lr }
    }
    fn update<R: Real>(p: R, g: R, s: Six<R>, k: Rate<R>, _: &mut impl Over<R>) -> (R, Six<R>) {
        (p - k.lr * g, Six { a: g, b: s.a, c: s.b, d: s.c, e: s.d, f: s.e })
    }
}

#[test]
fn a_rule_with_six_states_is_refused() {
    let error = Memorious {}.build().unwrap_err().to_string();
    assert_eq!(error, "memorious: states = 6 is not allowed, it must be 5 at most");
}
