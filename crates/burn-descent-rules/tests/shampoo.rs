//! Laws of Shampoo and its kin: factors of axes and blocks, and their roots.

use burn_descent_rules::slices::Walk;
use burn_descent_rules::{Dash, Graft, Merging, Real, Rule, ScalableShampoo, Shampoo, from_pairs};

/// Numbers between -1 and 1 that follow no pattern.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    let number = |i: usize| ((i * 7919 + seed * 104_729 + 13) % 1009) as f64 / 504.5 - 1.0;
    (0..count).map(number).collect()
}

/// The weights after steps of these gradients from 0.
fn walked<U: Rule, R: Real + Into<f64>>(rule: U, shape: &[usize], grads: &[Vec<f64>]) -> Vec<f64> {
    let mut p = vec![R::lit(0.0); shape.iter().product()];
    let mut walk = Walk::of_shape(rule, shape, false).unwrap();
    for g in grads {
        let g: Vec<R> = g.iter().map(|g| R::lit(*g)).collect();
        walk.step(0.1, &mut p, &g).unwrap();
    }
    p.into_iter().map(Into::into).collect()
}

/// `A⁻¹ᐟ²` by slow loops: Newton's steps for the root of `A` and its inverse, until they stand still.
fn inverse_square_root(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let times = |a: &[Vec<f64>], b: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let of = |r: usize, c: usize| (0..n).map(|k| a[r][k] * b[k][c]).sum();
        (0..n).map(|r| (0..n).map(|c| of(r, c)).collect()).collect()
    };
    let trace: f64 = (0..n).map(|i| a[i][i]).sum();
    let mut y: Vec<Vec<f64>> =
        a.iter().map(|row| row.iter().map(|x| x / trace).collect()).collect();
    let one = |r: usize, c: usize| f64::from(r == c);
    let mut z: Vec<Vec<f64>> = (0..n).map(|r| (0..n).map(|c| one(r, c)).collect()).collect();
    for _ in 0..60 {
        let zy = times(&z, &y);
        let e = |r: usize, c: usize| 1.5 * one(r, c) - 0.5 * zy[r][c];
        let e: Vec<Vec<f64>> = (0..n).map(|r| (0..n).map(|c| e(r, c)).collect()).collect();
        (y, z) = (times(&y, &e), times(&e, &z));
    }
    z.iter().map(|row| row.iter().map(|x| x / trace.sqrt()).collect()).collect()
}

#[test]
fn of_a_vector_it_is_full_matrix_adagrad() {
    let (n, eps) = (4, 0.01);
    let grads: Vec<_> = (0..6).map(|t| numbers(n, t)).collect();
    let ours = walked::<_, f64>(Shampoo::new().matrix_eps(eps), &[n], &grads);

    let (mut p, mut sum) = (vec![0.0; n], vec![vec![0.0; n]; n]);
    (0..n).for_each(|i| sum[i][i] = eps);
    for g in &grads {
        (0..n).for_each(|r| (0..n).for_each(|c| sum[r][c] += g[r] * g[c]));
        let root = inverse_square_root(&sum);
        (0..n).for_each(|r| p[r] -= 0.1 * (0..n).map(|c| root[r][c] * g[c]).sum::<f64>());
    }
    for (ours, slow) in ours.iter().zip(&p) {
        assert!((ours - slow).abs() < 1e-10, "{ours} {slow}");
    }
}

#[test]
fn blocks_are_stepped_as_tensors_of_their_own() {
    // 5 × 3 in blocks of 2: of rows 0 and 1, 2 and 3, 4; of columns 0 and 1, 2.
    let grads: Vec<_> = (0..4).map(|t| numbers(15, t)).collect();
    let rule = Shampoo::new().matrix_eps(1e-3).block_size(2);
    let whole = walked::<_, f64>(rule.clone(), &[5, 3], &grads);
    for (rows, columns) in [(0..2, 0..2), (2..4, 0..2), (4..5, 2..3), (2..4, 2..3)] {
        let cut = |x: &Vec<f64>| -> Vec<f64> {
            let row = |r: usize| columns.clone().map(move |c| r * 3 + c);
            rows.clone().flat_map(row).map(|place| x[place]).collect()
        };
        let grads: Vec<_> = grads.iter().map(cut).collect();
        let alone = walked::<_, f64>(rule.clone(), &[rows.len(), columns.len()], &grads);
        for (a, b) in cut(&whole).iter().zip(&alone) {
            assert!((a - b).abs() < 1e-12, "{rows:?} {columns:?}: {a} {b}");
        }
    }
}

#[test]
fn dimensions_that_are_merged_are_those_of_the_tensor_in_that_shape() {
    let grads: Vec<_> = (0..3).map(|t| numbers(24, t)).collect();
    let rule = Shampoo::new().matrix_eps(1e-3).block_size(6).merging(Merging::Small);
    let merged = walked::<_, f64>(rule, &[4, 1, 3, 2], &grads);
    let plain = walked::<_, f64>(Shampoo::new().matrix_eps(1e-3), &[4, 6], &grads);
    assert_eq!(merged, plain);
}

#[test]
fn a_factor_whose_root_fails_keeps_the_last_good_one() {
    let good = numbers(9, 1);
    let mut walk = Walk::of_shape(Shampoo::new(), &[3, 3], false).unwrap();
    let mut moved = |g: &[f64]| {
        let mut p = [0.0; 9];
        walk.step(0.1, &mut p, g).unwrap();
        p
    };
    let first = moved(&good);
    let mut bad = good.clone();
    // Its square is not finite, so the factors are not.
    bad[4] = 1e200;
    assert!(moved(&bad).iter().all(|x| x.is_finite()));
    assert_eq!(moved(&good), first);
}

#[test]
fn grafted_steps_are_as_long_as_those_of_the_other_rule() {
    let grads = [numbers(12, 3)];
    let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let step = |graft| walked::<_, f64>(Shampoo::new().graft(graft), &[3, 4], &grads);
    let of_g = 0.1 * length(&grads[0]);
    assert!((length(&step(Graft::Sgd)) - of_g).abs() < 1e-12);
    // The first step of both is the sign of the gradient, of twelve weights.
    for graft in [Graft::AdaGrad, Graft::Adam, Graft::Sqrtn] {
        assert!((length(&step(graft)) - 0.1 * 12_f64.sqrt()).abs() < 1e-6, "{graft:?}");
    }
    // RMSProp's second moment is a thousandth of the square then.
    assert!((length(&step(Graft::RmsProp)) - 0.1 * 12_f64.sqrt() * 1000_f64.sqrt()).abs() < 1e-3);
}

#[test]
fn an_average_is_multiplied_by_roots_of_factors_of_the_gradient() {
    // With one gradient again and again the average without bias is the gradient.
    let grads = vec![numbers(12, 5); 3];
    let plain = walked::<_, f64>(Shampoo::new(), &[3, 4], &grads);
    let averaged = walked::<_, f64>(Shampoo::new().beta1(0.9), &[3, 4], &grads);
    for (a, b) in plain.iter().zip(&averaged) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn roots_by_products_are_those_of_eigenvalues() {
    let grads: Vec<_> = (0..5).map(|t| numbers(16, t)).collect();
    let rule = |method: &str| {
        let pairs =
            [("inverse_root_method", method), ("newton_steps", "40"), ("matrix_eps", "1e-3")];
        from_pairs::<Dash>(&pairs).unwrap().precondition_frequency(1)
    };
    let products = walked::<_, f64>(rule("newton_db"), &[4, 4], &grads);
    // There it is added to the diagonal, and to the eigenvalues.
    let values = walked::<_, f64>(rule("eigh").matrix_eps(5e-4), &[4, 4], &grads);
    for (a, b) in products.iter().zip(&values) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

/// Every rule of the family, its roots taken in each step.
fn each(mut see: impl FnMut(&str, &dyn Fn(&[usize], &[Vec<f64>]) -> Vec<f64>)) {
    let scalable = ScalableShampoo::new()
        .start_preconditioning_step(1)
        .preconditioning_compute_steps(1)
        .block_size(3);
    let dash = Dash::new().precondition_frequency(1);
    let by_values = from_pairs::<Dash>(&[("inverse_root_method", "eigh")]).unwrap();
    let adam = Shampoo::new().graft(Graft::Adam);
    see("shampoo", &|shape, g| walked::<_, f64>(Shampoo::new(), shape, g));
    see("in blocks", &|shape, g| walked::<_, f64>(Shampoo::new().block_size(2), shape, g));
    see("of averages", &|shape, g| {
        let rule = Shampoo::new().beta1(0.9).beta2(0.9).matrix_eps(0.0).root_eps(1e-12);
        walked::<_, f64>(rule, shape, g)
    });
    see("as adam", &|shape, g| walked::<_, f64>(adam.clone(), shape, g));
    see("scalable", &|shape, g| walked::<_, f64>(scalable.clone(), shape, g));
    see("dash", &|shape, g| walked::<_, f64>(dash.clone(), shape, g));
    see("dash by values", &|shape, g| walked::<_, f64>(by_values.clone(), shape, g));
    see("without factors", &|shape, g| {
        walked::<_, f64>(Shampoo::new().merging(Merging::PytorchOptimizer), shape, g)
    });
    see("shampoo in f32", &|shape, g| walked::<_, f32>(Shampoo::new(), shape, g));
    see("dash in f32", &|shape, g| walked::<_, f32>(dash.clone(), shape, g));
}

#[test]
fn degenerate_matrices_give_finite_steps() {
    let shapes: [&[usize]; 9] =
        [&[], &[0, 3], &[4, 3], &[1, 5], &[5, 1], &[1, 1], &[5], &[1], &[2, 3, 2]];
    each(|name, walked| {
        for shape in shapes {
            let len = shape.iter().product::<usize>();
            let column = |i: usize| [2.0, -1.0, 0.5][i % 3];
            let rank_one: Vec<f64> = (0..len).map(|i| column(i) * (1 + i / 3) as f64).collect();
            for scale in [0.0, 1.0, 1e-30, 1e30] {
                if scale == 1e30 && name.ends_with("f32") {
                    continue;
                }
                for g in [&rank_one, &numbers(len, 7)] {
                    let g: Vec<f64> = g.iter().map(|g| g * scale).collect();
                    let p = walked(shape, &[g.clone(), g.clone(), g]);
                    assert!(p.iter().all(|x| x.is_finite()), "{name} {shape:?} × {scale}: {p:?}");
                }
            }
        }
    });
}

#[test]
fn numbers_that_are_not_finite_do_no_more_than_that() {
    each(|name, walked| {
        for not_finite in [f64::NAN, f64::INFINITY] {
            let mut g = numbers(12, 1);
            g[5] = not_finite;
            let p = walked(&[4, 3], &[numbers(12, 0), g, numbers(12, 2)]);
            assert!(!p[5].is_finite(), "{name}: it is not hidden");
        }
    });
}
