//! Rules that look at a gradient in the eigenbasis of its second moments.

use burn_descent_rules::{Adam, Explanation, Rule, SPlus, Soap, View, slices::Walk};

/// Numbers that follow no pattern, in [-1, 1).
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn way<U: Rule>(rule: U, shape: &[usize], gradients: &[Vec<f64>]) -> Vec<f64> {
    let mut walk = Walk::of_shape(rule, shape, false).unwrap();
    let mut p = numbers(shape.iter().product(), 99);
    for g in gradients {
        walk.step(0.1, &mut p, g).unwrap();
    }
    p
}

fn assert_close(a: &[f64], b: &[f64]) {
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{apart}: {a:?} {b:?}");
}

fn gradients(count: usize, size: usize) -> Vec<Vec<f64>> {
    (0..count).map(|t| numbers(size, 1 + t as u64)).collect()
}

#[test]
fn soap_whose_bases_are_the_identity_is_adam() {
    let soap = Soap::new().weight_decay(0.0);
    let adam = Adam::new().beta1(0.95).beta2(0.95).eps(0.0).eps_hat(1e-8);
    let gradients = gradients(12, 12);
    for (soap, shape) in [
        (soap.clone().max_precondition_dim(2), &[3_usize, 4] as &[usize]),
        (soap.clone().max_precondition_dim(1), &[3, 2, 2]),
        (soap.clone(), &[12]),
    ] {
        // It skips the first call, and steps like Adam from the second one.
        let ours = way(soap.clone(), shape, &gradients);
        assert_close(&ours, &way(adam.clone(), shape, &gradients[1..]));
        let ours = way(soap.skip_first(false), shape, &gradients);
        assert_close(&ours, &way(adam.clone(), shape, &gradients));
    }
}

#[test]
fn a_way_goes_on_in_the_middle_of_an_interval() {
    fn goes_on<U: Rule>(rule: U) {
        let mut walk = Walk::of_shape(rule, &[3, 4], false).unwrap();
        let mut p = numbers(12, 99);
        let gradients = gradients(13, 12);
        for g in &gradients[..6] {
            walk.step(0.1, &mut p, g).unwrap();
        }
        let (mut other, mut q) = (walk.clone(), p.clone());
        for g in &gradients[6..] {
            walk.step(0.1, &mut p, g).unwrap();
            other.step(0.1, &mut q, g).unwrap();
        }
        assert_eq!(p, q);
        assert_eq!(walk.evaluate(&p), other.evaluate(&q));
    }
    goes_on(Soap::new().precondition_frequency(4));
    goes_on(Soap::new().precondition_frequency(4).kl(true));
    goes_on(SPlus::new().inverse_steps(4));
}

/// Columns first or rows first, it is the same matrix.
#[test]
fn the_order_in_memory_changes_nothing() {
    fn is_same<U: Rule>(rule: U) {
        let turned =
            |x: &[f64]| -> Vec<f64> { (0..12).map(|place| x[place % 3 * 4 + place / 3]).collect() };
        let mut by_rows = Walk::of_shape(rule.clone(), &[3, 4], false).unwrap();
        let mut by_columns = Walk::of_shape(rule, &[4, 3], true).unwrap();
        let mut p = numbers(12, 99);
        let mut q = turned(&p);
        for g in gradients(9, 12) {
            by_rows.step(0.1, &mut p, &g).unwrap();
            by_columns.step(0.1, &mut q, &turned(&g)).unwrap();
        }
        assert_close(&turned(&p), &q);
    }
    is_same(Soap::new().precondition_frequency(2));
    is_same(Soap::new().precondition_frequency(2).kl(true));
    is_same(SPlus::new().inverse_steps(3));
}

#[test]
fn gradients_of_any_rank_and_scale_give_finite_steps() {
    fn is_finite<U: Rule>(rule: &U) {
        let rank_one: Vec<f64> =
            (0..12).map(|i| ((i / 4) as f64 - 1.5) * (i % 4 + 1) as f64).collect();
        for (shape, g) in [
            (&[3_usize, 4] as &[usize], vec![0.0; 12]),
            (&[3, 4], rank_one),
            (&[1, 12], numbers(12, 3)),
            (&[12, 1], numbers(12, 4)),
            (&[3, 2, 2], numbers(12, 5)),
            (&[12], numbers(12, 6)),
            (&[1, 1], vec![2.0]),
        ] {
            for scale in [1.0, 1e-30, 1e30] {
                let g: Vec<f64> = g.iter().map(|g| scale * g).collect();
                let mut walk = Walk::of_shape(rule.clone(), shape, false).unwrap();
                let mut p = vec![1.0; g.len()];
                for _ in 0..7 {
                    walk.step(0.1, &mut p, &g).unwrap();
                    assert!(p.iter().all(|p| p.is_finite()), "{shape:?} {p:?}");
                }
                walk.step(0.1, &mut p, &vec![f64::NAN; g.len()]).unwrap();
                walk.step(0.1, &mut p, &g).unwrap();
                let mut walk = Walk::of_shape(rule.clone(), shape, false).unwrap();
                for g in [vec![f64::NAN; g.len()], g.clone(), vec![f64::INFINITY; g.len()], g] {
                    walk.step(0.1, &mut p, &g).unwrap();
                }
            }
        }
    }
    is_finite(&Soap::new().precondition_frequency(2));
    is_finite(&Soap::new().precondition_frequency(2).skip_first(false).merge_dims(true));
    is_finite(&Soap::new().precondition_frequency(2).kl(true).precondition_1d(true));
    is_finite(&Soap::new().precondition_frequency(2).lift(1e-8).eps(0.0).clamp_eps(1e-8));
    is_finite(&SPlus::new().inverse_steps(2));
}

/// A NaN in the call that takes no step leaves nothing but the identity for a basis.
#[test]
fn soap_without_a_basis_goes_on_as_adam() {
    let soap = Soap::new().weight_decay(0.0).precondition_frequency(2);
    let adam = Adam::new().beta1(0.95).beta2(0.95).eps(0.0).eps_hat(1e-8);
    let mut gradients = gradients(7, 12);
    gradients[0][5] = f64::NAN;
    assert_close(&way(soap, &[3, 4], &gradients), &way(adam, &[3, 4], &gradients[1..]));
}

#[test]
fn merged_dimensions_are_those_of_a_matrix() {
    let soap = Soap::new().precondition_frequency(2).max_precondition_dim(6);
    let gradients = gradients(9, 24);
    let merged = way(soap.clone().merge_dims(true), &[4, 2, 3], &gradients);
    assert_close(&merged, &way(soap.clone(), &[4, 6], &gradients));
    assert_ne!(merged, way(soap, &[4, 2, 3], &gradients));
}

#[test]
fn splus_leaves_large_sides_and_vectors_alone() {
    let gradients = gradients(5, 12);
    let signs = SPlus::new().inverse_steps(1).nonstandard_constant(0.1);
    let vector = way(signs.clone(), &[12], &gradients);
    assert_close(&vector, &way(signs.clone().max_dim(3), &[3, 4], &gradients));
    assert_ne!(vector, way(signs, &[3, 4], &gradients));
}

#[test]
fn documented_traffic() {
    let of = |explanation: Explanation| (explanation.bytes_read(), explanation.bytes_written());
    assert_eq!(of(Explanation::of(&Soap::new())), (8, 4));
    assert_eq!(of(Explanation::of(&SPlus::new())), (16, 8));
}

#[test]
fn a_view_alone_is_enough() {
    let mut walk = Walk::of(Soap::new(), View::stack(2, 2, 3)).unwrap();
    let mut p = [1.0_f64; 12];
    for g in gradients(3, 12) {
        walk.step(0.1, &mut p, &g).unwrap();
    }
    assert!(p.iter().all(|p| p.is_finite()));
}
