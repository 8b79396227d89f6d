use super::*;
use crate::slices::Walk;
use crate::{Adam, AdamH, AdamW, Lamb, Lars, NAdam, Sgd, View, from_pairs, to_pairs, with_pairs};

/// Weights after some steps with gradients of every sign and size.
fn walk<U: Rule>(rule: U) -> Vec<f32> {
    walk_of(rule, View::vector(5))
}

/// The same of weights that are seen like this.
fn walk_of<U: Rule>(rule: U, view: View) -> Vec<f32> {
    let mut x = vec![1.0_f32, -2.0, 0.5, 3.0, -0.25];
    let mut walk = Walk::of(rule, view).unwrap();
    for t in 0..20_i32 {
        let g: Vec<f32> =
            (0..5).map(|i| ((t * 7 + i * 13) as f32).sin() * 10_f32.powi(i % 3 - 1)).collect();
        walk.step(0.01 / f64::from(1 + t), &mut x, &g).unwrap();
    }
    x
}

type AdamChain = Chain<Then<Then<ScaleByAdam, AddDecayedWeights>, ScaleByLearningRate>>;

fn adam_chain() -> AdamChain {
    Chain::of(ScaleByAdam::new().beta2(0.99))
        .then(AddDecayedWeights::new(0.1))
        .then(ScaleByLearningRate::new())
}

#[test]
fn chains_are_the_rules_that_they_spell_bit_for_bit() {
    assert_eq!(walk(adam_chain()), walk(AdamW::new().beta2(0.99).weight_decay(0.1)));
    let l2 = Chain::of(AddDecayedWeights::new(0.1))
        .then(ScaleByAdam::new())
        .then(ScaleByLearningRate::new());
    assert_eq!(walk(l2), walk(Adam::new().weight_decay(0.1)));
    let momentum = Chain::of(Trace::new(0.9)).then(ScaleByLearningRate::new());
    assert_eq!(walk(momentum), walk(Sgd::new().momentum(0.9)));
    let cautious = Chain::of(ScaleByAdam::new())
        .then(Cautious::new())
        .then(AddDecayedWeights::new(0.1))
        .then(ScaleByLearningRate::new());
    assert_eq!(walk(cautious), walk(AdamW::new().cautious(true).weight_decay(0.1)));
    let cautious = Chain::of(ScaleByAdam::new())
        .then(Cautious::new())
        .then(AddCautiousDecay::new(2.0))
        .then(ScaleByLearningRate::new());
    let adamw = AdamW::new().cautious(true).weight_decay(2.0);
    assert_ne!(walk(cautious.clone()), walk(adamw.clone()), "all weights decay");
    assert_eq!(walk(cautious), walk(adamw.cautious_decay(true)));
    let nadam = Chain::of(ScaleByAdam::new().nesterov(true)).then(ScaleByLearningRate::new());
    assert_eq!(walk(nadam), walk(NAdam::new().constant_momentum(true)));
}

/// Are these the same but for rounding?
fn close(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1.0))
}

#[test]
fn chains_of_norms_are_the_rules_that_they_spell() {
    let lamb = Chain::of(ScaleByAdam::new().eps(1e-6))
        .then(AddDecayedWeights::new(0.1))
        .then(ScaleByTrustRatio::new())
        .then(ScaleByLearningRate::new());
    let (chain, rule) = (walk(lamb), walk(Lamb::new().weight_decay(0.1)));
    assert!(close(&chain, &rule), "{chain:?} {rule:?}");

    let lars = Chain::of(AddDecayedWeights::new(0.1))
        .then(ScaleByTrustRatio::new().trust_coefficient(0.5).eps(1e-3))
        .then(ScaleByLearningRate::new())
        .then(Trace::new(0.9));
    let rule = Lars::new().trust_coefficient(0.5).eps(1e-3).weight_decay(0.1).decay_in_norm(true);
    let (chain, rule) = (walk(lars), walk(rule));
    assert!(close(&chain, &rule), "{chain:?} {rule:?}");

    let stable = Chain::of(ScaleByAdam::new())
        .then(AddDecayedWeights::new(0.1))
        .then(ClipByGradientRms::new())
        .then(ScaleByLearningRate::new());
    let (chain, rule) = (walk(stable), walk(AdamW::new().stable(true).weight_decay(0.1)));
    assert!(close(&chain, &rule), "{chain:?} {rule:?}");
    assert!(!close(&chain, &walk(AdamW::new().weight_decay(0.1))), "nothing is clipped");

    // Seen as a matrix: AdamH leaves the norm of a vector alone.
    let adamh = Chain::of(ScaleByAdam::new().beta2(0.99)).then(Hyperball::new());
    let view = View::matrix(5, 1);
    let (chain, rule) = (walk_of(adamh, view), walk_of(AdamH::new(), view));
    assert!(close(&chain, &rule), "{chain:?} {rule:?}");
}

#[test]
fn an_update_is_clipped_by_the_root_of_the_mean_of_its_squares() {
    let step = |threshold: f64| {
        let chain = Chain::of(ClipByBlockRms::new(threshold)).then(ScaleByLearningRate::new());
        let mut x = [0.0_f64; 2];
        Walk::new(chain, 2).unwrap().step(1.0, &mut x, &[1.0, 7.0]).unwrap();
        x
    };
    assert_eq!(step(2.5), [-0.5, -3.5]);
    assert_eq!(step(6.0), [-1.0, -7.0]);
}

#[test]
fn a_ratio_of_norms_is_one_where_a_norm_is_zero() {
    let step = |x: [f64; 2], g: [f64; 2]| {
        let chain = Chain::of(ScaleByTrustRatio::new()).then(ScaleByLearningRate::new());
        let mut new = x;
        Walk::new(chain, 2).unwrap().step(1.0, &mut new, &g).unwrap();
        new
    };
    assert_eq!(step([0.0; 2], [3.0, 4.0]), [-3.0, -4.0]);
    assert_eq!(step([3.0, 4.0], [0.0; 2]), [3.0, 4.0]);
    assert_eq!(step([6.0, 8.0], [0.0, 1.0]), [6.0, -2.0]);
    assert!(step([3.0, 4.0], [f64::NAN, 1.0]).iter().all(|x| x.is_nan()));
}

#[test]
fn options_have_the_names_of_their_transforms() {
    let pairs = to_pairs(&adam_chain());
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    let adam = ["beta1", "beta2", "eps", "eps_root", "nesterov"];
    assert_eq!(names[..5], adam.map(|name| format!("scale_by_adam.{name}")));
    assert_eq!(names[5..], ["add_decayed_weights.weight_decay"]);

    let changed = with_pairs(&adam_chain(), &[("scale_by_adam.beta2", "0.9")]).unwrap();
    assert_ne!(changed, adam_chain());
    assert_eq!(from_pairs::<AdamChain>(&pairs).unwrap(), adam_chain());
    let error = with_pairs(&adam_chain(), &[("scale_by_adam.beta3", "0.9")]).unwrap_err();
    assert!(error.to_string().contains("did you mean `scale_by_adam.beta"), "{error}");
    let error = with_pairs(&adam_chain(), &[("scale_by_adam.beta2", "1")]).unwrap_err();
    let expected = "chain: scale_by_adam.beta2 = 1 is not allowed, it must be in [0, 1)";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_chain_goes_through_serde() {
    let twice = Chain::of(Trace::new(0.5)).then(Trace::new(0.9)).then(Clip::new(2.0));
    let json = serde_json::to_string(&twice).unwrap();
    assert!(json.contains("trace.momentum") && json.contains("trace_2.momentum"), "{json}");
    assert_eq!(serde_json::from_str::<Chain<_>>(&json).ok(), Some(twice));
    let unknown = serde_json::from_str::<Chain<Trace>>(r#"{"trace.beta": 0.9}"#).unwrap_err();
    assert!(unknown.to_string().contains("there is no option `trace.beta`"), "{unknown}");
    let unknown = serde_json::from_str::<Chain<Trace>>(r#"{"clip.max_delta": 1}"#).unwrap_err();
    assert!(unknown.to_string().contains("there is no option `clip.max_delta`"), "{unknown}");
}

#[test]
fn noise_is_added_to_the_gradient() {
    let noisy = Noisy::new(Sgd::new()).eta(4.0).gamma(1.0).seed(3);
    let (mut x, g) = ([0.0_f64; 1000], [1.0; 1000]);
    let mut walk = Walk::new(noisy.clone(), x.len()).unwrap();
    walk.step(1.0, &mut x, &g).unwrap();
    let noise = x.map(|x| -1.0 - x);
    let deviation = (noise.iter().map(|x| x * x).sum::<f64>() / 1000.0).sqrt();
    assert!((deviation - 2.0).abs() < 0.2, "{deviation}");
    // The variance is a fourth of it at step 4, and another stream is another noise.
    for _ in 2..4 {
        walk.step(1.0, &mut x, &g).unwrap();
    }
    let before = x;
    walk.step(1.0, &mut x, &g).unwrap();
    let squares = x.iter().zip(before).map(|(x, before)| (before - 1.0 - x).powi(2));
    assert!(((squares.sum::<f64>() / 1000.0).sqrt() - 1.0).abs() < 0.1);
    let mut other = [0.0; 1000];
    Walk::new(noisy, 1000).unwrap().stream(1).step(1.0, &mut other, &g).unwrap();
    assert!(other.iter().zip(noise).filter(|(x, noise)| -1.0 - **x == *noise).count() < 20);
}

#[test]
fn options_of_noise_stand_beside_those_of_its_rule() {
    let noisy = Noisy::new(AdamW::new().beta2(0.99)).eta(0.3).seed(u64::MAX);
    let pairs = to_pairs(&noisy);
    assert_eq!(from_pairs::<Noisy<AdamW>>(&pairs).unwrap(), noisy);
    let changed = with_pairs(&noisy, &[("noise.seed", "7"), ("beta1", "0.8")]).unwrap();
    assert_eq!(changed, Noisy::new(AdamW::new().beta1(0.8).beta2(0.99)).eta(0.3).seed(7));
    for (option, value) in [("noise.eta", "-1"), ("noise.seed", "1.5"), ("noise.eps", "1")] {
        assert!(with_pairs(&noisy, &[(option, value)]).is_err(), "{option} = {value}");
    }
    let error = with_pairs(&noisy, &[("noise.sede", "1")]).unwrap_err().to_string();
    assert!(error.contains("did you mean `noise.seed`?"), "{error}");
    assert!(Noisy::new(Noisy::new(Sgd::new())).check().is_err());
    let page = crate::Explanation::of(&noisy).formula.join("\n");
    assert!(page.contains("g + deviation·normal"), "{page}");
}

#[test]
fn a_chain_may_sum_again_and_again() {
    let once = Chain::of(Cautious::new()).then(ScaleByLearningRate::new());
    let twice = Chain::of(Cautious::new()).then(Cautious::new()).then(ScaleByLearningRate::new());
    let (mut x, mut y, g) = ([0.0_f64; 4], [0.0_f64; 4], [1.0, 0.0, 2.0, 0.0]);
    Walk::new(once, 4).unwrap().step(0.1, &mut x, &g).unwrap();
    Walk::new(twice, 4).unwrap().step(0.1, &mut y, &g).unwrap();
    // Two of four are left, so each step is 4 / 3 as long; then again.
    assert_eq!(x.map(|x| (x * 3.0 / 4.0 * 10.0).round()), [-1.0, 0.0, -2.0, 0.0]);
    assert!(x.iter().zip(y).all(|(x, y)| (x * 4.0 / 3.0 - y).abs() < 1e-12), "{x:?} {y:?}");
}

/// Updates of one step after another, by slow and obvious arithmetic: from the step's number, weights and gradient.
type Slow<'a> = &'a mut dyn FnMut(usize, &Matrix, &Matrix) -> Matrix;

type Matrix = [[f64; 4]; 3];

fn norm(row: &[f64]) -> f64 {
    row.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn each(update: impl Fn(usize, usize) -> f64) -> Matrix {
    core::array::from_fn(|i| core::array::from_fn(|j| update(i, j)))
}

/// Is each step of the chain with rate 0.1 the slow one, whichever way the matrix lies in memory?
fn holds<T: Transform>(transform: T, slow: Slow<'_>) {
    let chain = Chain::of(transform).then(ScaleByLearningRate::new());
    let view = View::matrix(3, 4);
    let mut walk = Walk::of(chain.clone(), view).unwrap();
    let mut turned = Walk::of(chain, view.by_columns()).unwrap();
    let flat = |x: &Matrix| x.concat();
    let across = |x: &Matrix| (0..12).map(|n| x[n % 3][n / 3]).collect::<Vec<_>>();
    // Rows of every size, one of them of zeros, with gradients of every size, the last of them of zeros.
    let mut p = each(|i, j| [0.0, 0.3, 4.0][i] * (1.0 + (i + 3 * j) as f64).cos());
    let (mut x, mut y) = (flat(&p), across(&p));
    for t in 1..=7_usize {
        let size = |i: usize| [1e-3, 5.0, 0.02][(i + t) % 3] * f64::from(u8::from(t < 7));
        let g = each(|i, j| size(i) * (7 * t + 4 * i + j) as f64).map(|g| g.map(|g| g * g.sin()));
        let u = slow(t, &p, &g);
        walk.step(0.1, &mut x, &flat(&g)).unwrap();
        turned.step(0.1, &mut y, &across(&g)).unwrap();
        p = each(|i, j| p[i][j] - 0.1 * u[i][j]);
        let near = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1.0))
        };
        assert!(near(&x, &flat(&p)), "step {t}: {x:?} {p:?}");
        assert!(near(&y, &across(&p)), "by columns, step {t}: {y:?} {p:?}");
    }
}

#[test]
fn decay_is_cautious() {
    let (mut decayed, mut kept) = (0, 0);
    holds(AddCautiousDecay::new(0.2), &mut |_, p, g| {
        let mut u = *g;
        for (u, p) in u.as_flattened_mut().iter_mut().zip(p.as_flattened()) {
            match (*u > 0.0 && *p < 0.0) || (*u < 0.0 && *p > 0.0) {
                true => kept += 1,
                false => (decayed, *u) = (decayed + 1, *u + 0.2 * p),
            }
        }
        u
    });
    assert!(decayed > 10 && kept > 10, "{decayed} {kept}");
}

#[test]
fn rows_are_normalized() {
    let mut v = [0.0; 3];
    holds(NormalizeRows::new().beta2(0.9).eps(1e-3), &mut |_, _, g| {
        for (v, g) in v.iter_mut().zip(g) {
            *v = 0.9 * *v + 0.1 * g.iter().map(|g| g * g).sum::<f64>() / 4.0;
        }
        let divided = each(|i, j| g[i][j] / (v[i].sqrt() + 1e-3));
        let factor = norm(g.as_flattened()) / (norm(divided.as_flattened()) + 1e-3);
        each(|i, j| divided[i][j] * factor)
    });
    // The norms of the whole are those of rows: the gradient is read once for them.
    let page = crate::Explanation::of(&Chain::of(NormalizeRows::new()));
    assert_eq!(page.summed.concat(), ["g"]);
}

#[test]
fn gradients_are_clipped_by_the_norms_of_rows() {
    let (mut clipped, mut kept) = (0, 0);
    holds(AdaptiveGradClip::new(0.5).eps(0.01), &mut |_, p, g| {
        let share: [f64; 3] = core::array::from_fn(|i| {
            let most = 0.5 * norm(&p[i]).max(0.01);
            if norm(&g[i]) > most { most / norm(&g[i]) } else { 1.0 }
        });
        clipped += share.iter().filter(|share| **share < 1.0).count();
        kept += share.iter().filter(|share| **share == 1.0).count();
        each(|i, j| share[i] * g[i][j])
    });
    assert!(clipped > 3 && kept > 3, "{clipped} {kept}");
}

#[test]
fn adam_looks_ahead_behind_clipped_gradients() {
    let (mut m, mut v) = ([[0.0; 4]; 3], [[0.0; 4]; 3]);
    let first = Then { first: AdaptiveGradClip::new(0.5), then: ScaleByAdam::new().nesterov(true) };
    holds(first, &mut |t, p, g| {
        let g: Matrix = each(|i, j| {
            let most = 0.5 * norm(&p[i]).max(1e-3);
            g[i][j] * if norm(&g[i]) > most { most / norm(&g[i]) } else { 1.0 }
        });
        m = each(|i, j| 0.9 * m[i][j] + 0.1 * g[i][j]);
        v = each(|i, j| 0.999 * v[i][j] + 0.001 * g[i][j] * g[i][j]);
        let bias = |beta: f64, t: usize| 1.0 - beta.powi(t as i32);
        each(|i, j| {
            let ahead = 0.9 * m[i][j] / bias(0.9, t + 1) + 0.1 * g[i][j] / bias(0.9, t);
            ahead / ((v[i][j] / bias(0.999, t)).sqrt() + 1e-8)
        })
    });
}

/// The weights after a step of 1 with this gradient.
fn stepped<T: Transform>(transform: &T, mut x: [f32; 12], g: [f32; 12]) -> [f32; 12] {
    let chain = Chain::of(transform.clone()).then(ScaleByLearningRate::new());
    Walk::of(chain, View::matrix(3, 4)).unwrap().step(1.0, &mut x, &g).unwrap();
    x
}

#[test]
fn new_transforms_hide_no_nan_and_rest_where_the_gradient_is_zero() {
    let x: [f32; 12] = core::array::from_fn(|n| n as f32 - 4.5);
    let nan_at_5 = |mut x: [f32; 12]| {
        x[5] = f32::NAN;
        x
    };
    let nans = |x: [f32; 12]| x.map(|x| u8::from(x.is_nan()));
    let (one, row) = ([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
    let decay = AddCautiousDecay::new(0.5);
    let (rows, clip) = (NormalizeRows::new(), AdaptiveGradClip::default());

    for zero in [0.0, -0.0] {
        for x in [x, [0.0; 12]] {
            assert_eq!(stepped(&rows, x, [zero; 12]), x);
            assert_eq!(stepped(&clip, x, [zero; 12]), x);
            assert_eq!(stepped(&AddCautiousDecay::new(0.0), x, [zero; 12]), x);
            // A decay is there for that.
            assert_eq!(stepped(&decay, x, [zero; 12]), x.map(|x| x / 2.0));
        }
    }
    // A row of zeros rests beside others.
    let g = core::array::from_fn(|n| f32::from(u8::from(n > 3)));
    let moved = stepped(&rows, x, g);
    assert!(moved[..4] == x[..4] && moved[4..].iter().zip(&x[4..]).all(|(x, y)| x < y));
    // The squares of the greatest overflow.
    assert_eq!(nans(stepped(&rows, x, [1e30; 12])), [1; 12]);
    assert_eq!(stepped(&clip, x, [1e30; 12]), x);
    for size in [1e-30, 1.0, 1e15] {
        let g = nan_at_5([size; 12]);
        assert_eq!(nans(stepped(&decay, x, g)), one);
        assert_eq!(nans(stepped(&rows, x, g)), [1; 12]);
        assert_eq!(nans(stepped(&clip, x, g)), row);
        assert_eq!(nans(stepped(&decay, nan_at_5(x), [size; 12])), one);
        assert_eq!(nans(stepped(&clip, nan_at_5(x), [size; 12])), row);
        assert_eq!(nans(stepped(&rows, nan_at_5(x), [size; 12])), one);
    }
}
