//! Rules that see rows and columns meet gradients in which some of these are empty, or broken.

use burn_descent_rules::slices::Walk;
use burn_descent_rules::{Adafactor, AdamMini, Came, Lamb, Racs, Rule, Sm3};

/// Weights of an f32 tensor of this shape after some steps with gradients by step and element.
fn walk<U: Rule>(rule: &U, shape: &[usize], g: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let view = U::view(shape, false);
    let mut p: Vec<f32> = (0..view.len()).map(|i| 0.5 + 0.1 * i as f32).collect();
    let mut walk = Walk::of(rule.clone(), view).unwrap();
    for t in 0..4 {
        let g: Vec<f32> = (0..view.len()).map(|i| g(t, i)).collect();
        walk.step(0.01, &mut p, &g).unwrap();
    }
    p
}

fn holds<U: Rule>(rule: &U) {
    let shapes: [&[usize]; 7] = [&[1], &[7], &[1, 6], &[6, 1], &[3, 4], &[2, 3, 1], &[2, 2, 3, 3]];
    for shape in shapes {
        let what = format!("{} {shape:?}", U::NAME);
        let start = walk(rule, shape, |_, _| f32::NAN).len();
        let begin: Vec<f32> = (0..start).map(|i| 0.5 + 0.1 * i as f32).collect();
        assert_eq!(walk(rule, shape, |_, _| 0.0), begin, "{what}: a zero gradient moves it");

        // Rows and columns that are empty at first, and numbers of all sizes.
        let sparse = |t: usize, i: usize| match (i % 3, t % 2) {
            (0, _) | (1, 0) => 0.0,
            (1, _) => 1e4 * (i as f32 - 2.0),
            _ => 1e-12 * i as f32,
        };
        let end = walk(rule, shape, sparse);
        assert!(end.iter().all(|p| p.is_finite()), "{what}: {end:?}");

        let broken = |t: usize, i: usize| if (t, i) == (1, 0) { f32::NAN } else { i as f32 - 1.5 };
        assert!(walk(rule, shape, broken)[0].is_nan(), "{what}: a NaN is hidden");
    }
}

#[test]
fn empty_rows_and_broken_gradients() {
    holds(&Adafactor::new());
    let forms = Adafactor::new().beta1(0.9).cautious(true).ams_bound(true);
    holds(&forms);
    holds(&forms.momentum_of_update(true).min_dim_size_to_factor(4.0));
    holds(&Adafactor::new().eps1(0.0).clamp_eps(1.2e-7));
    holds(&Came::new());
    holds(&Came::new().ams_bound(true));
    holds(&Sm3::new());
    holds(&Sm3::new().momentum(0.0).beta(0.9));
    holds(&Racs::new());
    holds(&AdamMini::new());
    holds(&AdamMini::new().whole_tensor(true));
    holds(&Lamb::new());
    let forms = Lamb::new().bias_correction(false).debias_rate(true).norm_eps(1e-6);
    holds(&forms);
    holds(&forms.max_weight_norm(10.0).rectify(true));
}
