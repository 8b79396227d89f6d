//! A rule of somebody else's, that uses all of `Real`, and all else that a rule may be: every engine
//! computes it as plain slices do.

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::rules::chain::{
    AddDecayedWeights, Cautious, Chain, Clip, ScaleByAdam, ScaleByLearningRate,
};
use burn_descent::rules::{Bound, Paper, Range, Real, Rule, fields, slices::Walk};
use burn_descent::{AdamW, Build, Fused, ScheduleFreeAdamW};
use burn_descent_tests::{devices, numbers};
use serde::{Deserialize, Serialize};

/// Every operation of `Real`, three states of which one is optional, and a constant.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Everything {
    with_c: bool,
}

fields! { struct Abc { a, b, c: optional } }
fields! { struct Scalars { lr, half } }

impl Rule for Everything {
    const NAME: &'static str = "everything";
    const TITLE: &'static str = "Everything";
    const PAPER: Paper = Paper { cite: "nobody", url: "https://example.org" };
    type State<R: Copy> = Abc<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        vec![Range::Fraction.of("half", 0.5)]
    }
    fn start(&self) -> Abc<f64> {
        Abc { a: 0.25, b: -1.0, c: self.with_c.then_some(2.0) }
    }
    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars { lr: lr / t as f64, half: 0.5 }
    }
    fn update<R: Real>(p: R, g: R, s: Abc<R>, k: Scalars<R>) -> (R, Abc<R>) {
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
        let step = g.sign() + uphill + c.unwrap_or(large) + p.sign();
        (p - k.lr * step, Abc { a, b, c })
    }
    fn evaluate<R: Real>(&self, p: R, s: Abc<R>) -> R {
        p + s.a * R::lit(0.5)
    }
}

const LEN: usize = 1003;
const STEPS: u64 = 3;

/// The weights and states by plain slices.
fn oracle<U: Rule, R: Real + Into<f64>>(rule: &U) -> Vec<Vec<f64>> {
    let cast = |numbers: Vec<f64>| numbers.into_iter().map(R::lit).collect::<Vec<R>>();
    let mut p = cast(numbers(1, LEN));
    let mut walk = Walk::new(rule.clone(), LEN).expect("nothing to refuse");
    for t in 1..=STEPS {
        walk.step(0.1, &mut p, &cast(numbers(10 + t, LEN))).expect("a good step");
    }
    let widen = |list: &Vec<R>| list.iter().map(|x| (*x).into()).collect();
    core::iter::once(&p).chain(walk.state()).map(widen).collect()
}

/// The weights and states by an engine.
fn engine(optimizer: &Fused, device: &Device, dtype: DType) -> Vec<Vec<f64>> {
    let tensor = |seed| {
        let data = TensorData::new(numbers(seed, LEN), [LEN]);
        Tensor::<1>::from_data(data, (device, dtype))
    };
    let mut at = (tensor(1), None);
    for t in 1..=STEPS {
        let (p, state) = optimizer.try_step(0.1, at.0, tensor(10 + t), at.1).expect("a good step");
        at = (p, Some(state));
    }
    let states = at.1.expect("there is one after a step").tensors();
    let all = core::iter::once(at.0.into_data()).chain(states);
    all.map(|data| data.iter::<f64>().collect()).collect()
}

/// Asserts that every engine computes a rule as plain slices do.
fn assert_engines_agree<U: Rule>(rule: U) {
    let optimizer = rule.clone().build().expect("nothing to refuse");
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        for (dtype, expected, tolerance) in [
            (DType::F32, oracle::<U, f32>(&rule), 1e-6),
            (DType::F64, oracle::<U, f64>(&rule), 1e-14),
        ] {
            if !device.supports_dtype(dtype) {
                continue;
            }
            for optimizer in [optimizer.clone(), optimizer.clone().portable()] {
                let found = engine(&optimizer, &device, dtype);
                assert_eq!(found.len(), expected.len());
                for (lane, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
                        assert!(
                            (found - expected).abs() <= tolerance * expected.abs().max(1.0),
                            "{} {dtype:?} {optimizer:?}: lane {lane}, element {i}: \
                             {found} and {expected}",
                            entry.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn engines_compute_all_of_real() {
    assert_engines_agree(Everything { with_c: false });
    assert_engines_agree(Everything { with_c: true });
}

#[test]
fn engines_compute_sums_memory_and_chains() {
    assert_engines_agree(AdamW::new().cautious(true));
    assert_engines_agree(AdamW::new().stable(true));
    assert_engines_agree(ScheduleFreeAdamW::new().warmup_steps(2.0));
    let chain = Chain::of(Clip::new(0.5)).then(ScaleByAdam::new()).then(Cautious::new());
    assert_engines_agree(chain.then(AddDecayedWeights::new(0.1)).then(ScaleByLearningRate::new()));
}
