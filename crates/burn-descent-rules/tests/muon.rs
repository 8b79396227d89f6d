//! Muon and its relatives where matrices are odd.

use burn_descent_rules::{
    AdaGO, AdaMuon, Auxiliary, Coefficients, Dion2, Explanation, Kernels, LayerNorm, Momentum,
    Muon, NewtonSchulz, NorMuon, Norm, Rule, Scale, Scion, View, slices::Walk,
};
use core::slice::from_ref;

/// Where 30 steps from ones end, with gradients that are these in turn.
fn end<U: Rule>(rule: &U, shape: &[usize], by_columns: bool, gradients: &[Vec<f64>]) -> Vec<f64> {
    let mut walk = Walk::of_shape(rule.clone(), shape, by_columns).unwrap();
    let mut x = vec![1.0; shape.iter().product()];
    for g in gradients.iter().cycle().take(30) {
        walk.step(0.01, &mut x, g).unwrap();
    }
    x
}

/// Numbers that look like random ones.
fn mixed(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|i| ((i as f64 + 1.0) * seed).sin() * 43758.5453 % 1.0).collect()
}

fn stays_finite<U: Rule>(rule: U) {
    for shape in [[4, 3], [3, 4], [1, 5], [5, 1], [1, 1], [3, 3]] {
        let count = shape[0] * shape[1];
        for size in [0.0, 1e-30, 1.0, 1e30] {
            let full: Vec<_> = mixed(count, 12.9898).iter().map(|x| x * size).collect();
            let rank_one: Vec<_> = (0..count)
                .map(|i| size * ((i / shape[1]) as f64 - 1.0) * ((i % shape[1]) as f64 + 0.5))
                .collect();
            for gradients in [vec![full.clone()], vec![rank_one], vec![full, vec![0.0; count]]] {
                for by_columns in [false, true] {
                    let x = end(&rule, &shape, by_columns, &gradients);
                    let is_fine = x.iter().all(|x| x.is_finite() && x.abs() < 100.0);
                    assert!(is_fine, "{rule:?} {shape:?} {size}: {x:?}");
                }
            }
        }
        let mut unknown = mixed(count, 3.0);
        unknown[count / 2] = f64::NAN;
        end(&rule, &shape, false, &[unknown]);
    }
    let vector = end(&rule, &[3], false, &[vec![1.0, 0.0, -1e30]]);
    assert!(vector.iter().all(|x| x.is_finite()), "{rule:?} {vector:?}");
}

/// The ways to make orthogonal.
fn ways() -> impl Iterator<Item = NewtonSchulz> {
    let plain = NewtonSchulz::new;
    [
        plain(),
        plain().eps_added(true),
        plain().scaled_eps(true).gram(true),
        plain().coefficients(Coefficients::PolarExpress).steps(8),
        plain().coefficients(Coefficients::Quintic).norm(Norm::Aol),
        plain().coefficients(Coefficients::PolarExpress).norm(Norm::Schatten),
        plain().norm(Norm::Spectral),
    ]
    .into_iter()
}

#[test]
fn muon_stays_finite() {
    ways().for_each(|way| stays_finite(Muon::new().newton_schulz(way)));
    for form in [Momentum::HeavyBall, Momentum::Corrected, Momentum::Added] {
        stays_finite(Muon::new().form(form).scale(Scale::MatchRms));
    }
}

#[test]
fn normuon_stays_finite() {
    stays_finite(NorMuon::new());
    stays_finite(NorMuon::new().keep_norm(false));
}

#[test]
fn adamuon_stays_finite() {
    stays_finite(AdaMuon::new());
    stays_finite(AdaMuon::new().sign(true).debias(false));
    stays_finite(AdaMuon::new().keep_norm(false).scale(Scale::Spectral));
}

#[test]
fn adago_stays_finite() {
    stays_finite(AdaGO::new());
    stays_finite(AdaGO::new().root(false).nesterov(true));
}

#[test]
fn dion2_stays_finite() {
    for fraction in [0.0, 0.5, 1.0] {
        stays_finite(Dion2::new().fraction(fraction));
    }
    stays_finite(Dion2::new().ef_decay(0.0).scale(Scale::MatchRms));
}

#[test]
fn scion_stays_finite() {
    for norm in [LayerNorm::Auto, LayerNorm::Sign, LayerNorm::Column, LayerNorm::Row] {
        stays_finite(Scion::new().norm(norm));
    }
    stays_finite(Scion::new().constraint(true).radius(2.0));
}

#[test]
fn a_turned_matrix_goes_the_same_way() {
    fn check<U: Rule>(rule: U) {
        let turn = |x: &[f64]| (0..12).map(|i| x[i % 4 * 3 + i / 4]).collect::<Vec<_>>();
        let gradients = [mixed(12, 12.9898), mixed(12, 7.0)];
        let x = end(&rule, &[4, 3], false, &gradients);
        let turned = end(&rule, &[3, 4], true, &gradients.each_ref().map(|g| turn(g)));
        let apart = turn(&x).iter().zip(&turned).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-12, "{rule:?}: {apart:e}");
    }
    check(Muon::new().scale(Scale::Spectral));
    check(NorMuon::new());
    check(AdaMuon::new());
    check(AdaGO::new());
    check(Dion2::new().fraction(0.5));
    check(Scion::new());
    check(Scion::new().norm(LayerNorm::Row));
}

/// Kernels of convolutions, whose positions come last either way, and of transposed ones, whose inputs come first.
#[test]
fn each_position_of_a_kernel_is_a_matrix() {
    let (outputs, inputs, positions) = (3, 2, 4);
    let g = mixed(outputs * inputs * positions, 12.9898);
    let of_kernel = |kernels| Muon::new().weight_decay(0.0).kernels(kernels);
    let in_full = end(&of_kernel(Kernels::PositionsInFull), &[3, 2, 2, 2], false, from_ref(&g));
    for position in 0..positions {
        let at =
            |x: &[f64]| x.iter().skip(position).step_by(positions).copied().collect::<Vec<_>>();
        let alone = end(&of_kernel(Kernels::Flattened), &[3, 2], false, &[at(&g)]);
        let apart = at(&in_full).iter().zip(&alone).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-12, "{position}: {apart:e}");
    }
    // Steps over the root of 4 positions are half as long.
    let shared = end(&of_kernel(Kernels::Positions), &[3, 2, 2, 2], false, from_ref(&g));
    for (shared, full) in shared.iter().zip(&in_full) {
        assert!(((shared - 1.0) - 0.5 * (full - 1.0)).abs() < 1e-12);
    }
    // Inputs and outputs exchanged.
    let exchange = |x: &[f64]| -> Vec<f64> {
        let place = |i: usize| (i / 4 % 3 * 2 + i / 12) * 4 + i % 4;
        (0..24).map(|i| x[place(i)]).collect()
    };
    let turned = end(&of_kernel(Kernels::PositionsInFull), &[2, 3, 2, 2], true, &[exchange(&g)]);
    let apart =
        exchange(&in_full).iter().zip(&turned).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{apart:e}");
}

#[test]
fn what_is_left_to_the_auxiliary_rule_goes_its_way() {
    let auxiliary = Auxiliary::new().beta2(0.95).weight_decay(0.1);
    let muon = Muon::new().auxiliary(auxiliary.clone());
    let g = mixed(6, 12.9898);
    let alone = end(&auxiliary, &[6], false, from_ref(&g));
    assert_eq!(end(&muon, &[6], false, from_ref(&g)), alone);
    let walk = Walk::<_, f64>::of(muon, View::matrix(2, 3)).unwrap();
    let (mut walk, mut x) = (walk.left_to_auxiliary().unwrap(), vec![1.0; 6]);
    (0..30).for_each(|_| walk.step(0.01, &mut x, &g).unwrap());
    assert_eq!(x, alone);
}

/// Heavy ball points where the average does.
#[test]
fn the_size_of_the_momentum_is_nothing() {
    let g = [mixed(12, 12.9898), mixed(12, 7.0)];
    let average = end(&Muon::new(), &[4, 3], false, &g);
    let sum = end(&Muon::new().form(Momentum::HeavyBall), &[4, 3], false, &g);
    assert!(average.iter().zip(&sum).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn a_cautious_decay_leaves_out_weights_that_the_step_enlarges() {
    let step = |rule: Muon| {
        let mut x = [1.0_f64, 0.0, 0.0, 1.0];
        let mut walk = Walk::of(rule.weight_decay(0.5), View::matrix(2, 2)).unwrap();
        walk.step(0.1, &mut x, &[1.0, 0.0, 0.0, -1.0]).unwrap();
        x
    };
    let (plain, cautious) = (step(Muon::new()), step(Muon::new().cautious_decay(true)));
    assert_eq!(plain[0], cautious[0]);
    assert!((cautious[3] - plain[3] - 0.05).abs() < 1e-15);
}

#[test]
fn traffic_is_as_the_documentation_says() {
    fn traffic<U: Rule>(rule: &U) -> (usize, usize) {
        let page = Explanation::of(rule);
        (page.bytes_read(), page.bytes_written())
    }
    let all = [
        traffic(&Muon::new()),
        traffic(&NorMuon::new()),
        traffic(&AdaMuon::new()),
        traffic(&AdaGO::new()),
        traffic(&Scion::new()),
        traffic(&Dion2::new()),
    ];
    assert_eq!(all, [(20, 8), (20, 8), (28, 12), (20, 8), (20, 8), (28, 8)]);
}
