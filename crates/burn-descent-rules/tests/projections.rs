//! Rules of projected and of whitened gradients meet matrices of every kind.

use burn_descent_rules::slices::Walk;
use burn_descent_rules::{
    Apollo, Channels, Diagonal, Directions, Explanation, Galore, Kron, Merge, Projection, PsgdPro,
    Rule,
};

/// Numbers that are as good as random.
fn number(t: usize, i: usize) -> f64 {
    ((t * 31 + i * 17) as f64 * 0.7).sin()
}

/// The weights after some steps down gradients by step and element.
fn walk<U: Rule>(rule: &U, shape: &[usize], g: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut p: Vec<f64> = (0..shape.iter().product()).map(|i| 0.5 + 0.1 * i as f64).collect();
    for by_columns in [false, true] {
        let mut walk = Walk::of_shape(rule.clone(), shape, by_columns).unwrap();
        for t in 0..4 {
            let g: Vec<f64> = (0..p.len()).map(|i| g(t, i)).collect();
            walk.step(0.01, &mut p, &g).unwrap();
        }
    }
    p
}

fn holds<U: Rule>(rule: &U) {
    let shapes: [&[usize]; 8] =
        [&[5], &[1, 6], &[6, 1], &[4, 4], &[3, 5], &[5, 3], &[4, 3, 2, 2], &[1, 1]];
    for shape in shapes {
        let what = format!("{} {shape:?}", U::NAME);
        let zero = walk(rule, shape, |_, _| 0.0);
        assert!(
            zero.iter().enumerate().all(|(i, p)| *p == 0.5 + 0.1 * i as f64),
            "{what} {zero:?}"
        );
        for size in [1e-30, 1.0, 1e30] {
            for (kind, end) in [
                ("any", walk(rule, shape, |t, i| size * number(t, i))),
                ("one number", walk(rule, shape, |_, i| if i == 0 { size } else { 0.0 })),
                ("rank one", walk(rule, shape, |t, _| size * number(t, 0))),
                (
                    "zero at first",
                    walk(rule, shape, |t, i| if t < 2 { 0.0 } else { size * number(t, i) }),
                ),
            ] {
                assert!(end.iter().all(|p| p.is_finite()), "{what}, {kind} {size}: {end:?}");
            }
        }
        for broken in [f64::NAN, f64::INFINITY] {
            let end =
                walk(rule, shape, |t, i| if (t, i) == (1, 0) { broken } else { number(t, i) });
            assert!(end[0].is_nan(), "{what}: {broken} is hidden");
        }
    }
}

#[test]
fn matrices_of_every_kind() {
    let galore = Galore::new().rank(2).update_proj_gap(2);
    holds(&galore);
    for side in [Projection::Longer, Projection::Left, Projection::Right, Projection::Full] {
        holds(&galore.clone().proj_type(side));
    }
    let apollo = Apollo::new().rank(2).update_proj_gap(2);
    holds(&apollo);
    holds(&Apollo::mini());
    holds(&apollo.clone().low_rank_step(true).scale(4.0));
    holds(&apollo.clone().proj(Directions::Singular).scale_type(Channels::Tensor));
    holds(&apollo.disable_nl(true).scale_front(true));
    let kron = Kron::new();
    holds(&kron);
    holds(&kron.clone().merge(Merge::Nothing));
    for diagonal in [Diagonal::Larger, Diagonal::Largest, Diagonal::All] {
        holds(&kron.clone().memory_save_mode(diagonal).merge(Merge::Last));
    }
    holds(&kron.max_prob(0.4));
    let pro = PsgdPro::new().weight_decay(0.0);
    holds(&pro);
    holds(&pro.clone().max_size(3));
    holds(&pro.max_update_rms(0.1).damping_noise_scale(0.0));
}

/// A walk that is interrupted draws what it would have drawn.
fn goes_on<U: Rule>(rule: U) {
    let steps = |walk: &mut Walk<U, f64>, p: &mut [f64], steps: core::ops::Range<usize>| {
        for t in steps {
            let g: Vec<f64> = (0..p.len()).map(|i| number(t, i)).collect();
            walk.step(0.01, p, &g).unwrap();
        }
    };
    let (mut p, mut other) = ([0.5; 12], [0.5; 12]);
    let mut one = Walk::of_shape(rule.clone(), &[4, 3], false).unwrap();
    steps(&mut one, &mut p, 0..9);
    let mut first = Walk::of_shape(rule.clone(), &[4, 3], false).unwrap();
    steps(&mut first, &mut other, 0..5);
    steps(&mut first.clone(), &mut other, 5..9);
    assert_eq!(p, other, "{}", U::NAME);
    assert_ne!(p, [0.5; 12]);
}

#[test]
fn interrupted_walks_go_on_bit_for_bit() {
    goes_on(Galore::new().rank(2).update_proj_gap(2));
    goes_on(Apollo::new().rank(2).update_proj_gap(2));
    goes_on(Kron::new().max_prob(0.4));
    goes_on(PsgdPro::new());
}

#[test]
fn another_seed_is_another_walk() {
    let end = |seed| walk(&Apollo::new().rank(1).seed(seed), &[4, 3], number);
    assert!(end(1) == end(1) && end(1) != end(2));
    let end = |seed| walk(&Kron::new().seed(seed), &[4, 3], number);
    assert!(end(1) == end(1) && end(1) != end(2));
    let end = |seed| walk(&PsgdPro::new().seed(seed), &[4, 3], number);
    assert!(end(1) == end(1) && end(1) != end(2));
}

/// What is projected onto all directions and back is itself: only the moments see another basis.
#[test]
fn all_directions_keep_every_gradient() {
    let rule = Galore::new().rank(9).scale(1.0).beta1(0.0).beta2(0.0).eps(1e6);
    let start = walk(&rule, &[4, 3], |_, _| 0.0);
    let end = walk(&rule, &[4, 3], |_, i| number(0, i));
    for (i, (end, start)) in end.iter().zip(start).enumerate() {
        assert!(((start - end) / (8.0 * 0.01 * 1e-6) - number(0, i)).abs() < 1e-4);
    }
}

#[test]
fn a_weight_is_read_and_written_as_their_pages_say() {
    fn traffic<U: Rule>(rule: U) -> [usize; 2] {
        let page = Explanation::of(&rule);
        [page.bytes_read(), page.bytes_written()]
    }
    assert_eq!(traffic(Galore::new()), [8, 4]);
    assert_eq!(traffic(Apollo::new()), [8, 4]);
    assert_eq!(traffic(Kron::new()), [20, 8]);
    assert_eq!(traffic(PsgdPro::new()), [20, 8]);
}
