//! KL-SOAP against loops of its own, by other ways to factor matrices.

use burn_descent_rules::{Soap, slices::Walk};

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

type Grid = Vec<Vec<f64>>;

fn product(a: &Grid, b: &Grid) -> Grid {
    let entry = |row: &Vec<f64>, c: usize| row.iter().zip(b).map(|(x, b)| x * b[c]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|c| entry(row, c)).collect()).collect()
}

fn transposed(a: &Grid) -> Grid {
    (0..a[0].len()).map(|c| a.iter().map(|row| row[c]).collect()).collect()
}

fn each(a: &Grid, b: &Grid, f: impl Fn(f64, f64) -> f64) -> Grid {
    let row = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect();
    a.iter().zip(b).map(row).collect()
}

fn identity(size: usize) -> Grid {
    (0..size).map(|r| (0..size).map(|c| f64::from(r == c)).collect()).collect()
}

fn diagonal(a: &Grid) -> Vec<f64> {
    (0..a.len()).map(|i| a[i][i]).collect()
}

/// Columns made orthonormal one after another.
fn gram_schmidt(a: &Grid) -> Grid {
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for mut x in transposed(a) {
        for _ in 0..2 {
            for q in &columns {
                let along: f64 = q.iter().zip(&x).map(|(q, x)| q * x).sum();
                x.iter_mut().zip(q).for_each(|(x, q)| *x -= along * q);
            }
        }
        let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        columns.push(x.iter().map(|x| x / norm).collect());
    }
    transposed(&columns)
}

/// The columns with the greatest values first.
fn sorted(basis: &Grid, values: &[f64]) -> Grid {
    let mut pairs: Vec<_> = transposed(basis).into_iter().zip(values).collect();
    pairs.sort_by(|a, b| b.1.total_cmp(a.1));
    transposed(&pairs.into_iter().map(|(column, _)| column).collect())
}

/// Eigenvectors by Jacobi's rotations.
fn eigenvectors(a: &Grid) -> Grid {
    let (mut a, mut vectors) = (a.clone(), identity(a.len()));
    for _ in 0..60 {
        for p in 0..a.len() {
            for q in p + 1..a.len() {
                let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                let mut turn = identity(a.len());
                (turn[p][p], turn[q][q]) = (angle.cos(), angle.cos());
                (turn[p][q], turn[q][p]) = (angle.sin(), -angle.sin());
                a = product(&transposed(&turn), &product(&a, &turn));
                vectors = product(&vectors, &turn);
            }
        }
    }
    sorted(&vectors, &diagonal(&a))
}

/// `x`, seen by its rows, whitened over its columns.
fn whitened(x: &Grid, factor: &Grid, basis: &Grid) -> Grid {
    let values = diagonal(&product(&transposed(basis), &product(factor, basis)));
    let x = product(x, basis);
    let over = |row: &Vec<f64>| {
        row.iter().zip(&values).map(|(x, value)| x / value.max(1e-8).sqrt()).collect()
    };
    x.iter().map(over).collect()
}

#[test]
fn soap_with_kl_whitens_each_factor_by_the_other() {
    let (rows, columns) = (4, 4);
    let (beta, lr) = (0.8, 0.1);
    let grid = |x: &[f64]| -> Grid { x.chunks(columns).map(<[f64]>::to_vec).collect() };
    let zeros = |size: usize| vec![vec![0.0; size]; size];
    let (mut l, mut r) = (zeros(rows), zeros(columns));
    let (mut ql, mut qr) = (identity(rows), identity(columns));
    let (mut m, mut v) = (zeros(rows), zeros(rows));
    let gradients: Vec<_> = (1..12).map(|seed| numbers(rows * columns, seed)).collect();
    let mut p = grid(&numbers(rows * columns, 99));
    for (t, g) in gradients.iter().map(|g| grid(g)).enumerate() {
        if t > 0 {
            let turned = |x: &Grid| product(&transposed(&ql), &product(x, &qr));
            m = each(&m, &g, |m, g| 0.95 * m + 0.05 * g);
            v = each(&v, &turned(&g), |v, g| 0.95 * v + 0.05 * g * g);
            let bias = 1.0 - 0.95_f64.powi(t as i32);
            let u =
                each(&turned(&m), &v, |m, v| m / bias / ((v / bias).sqrt() + 1e-8 / bias.sqrt()));
            let u = product(&ql, &product(&u, &transposed(&qr)));
            p = each(&p, &u, |p, u| p - lr * u);
        }
        let (left, right) = match t {
            0 => (g.clone(), transposed(&g)),
            _ => (whitened(&g, &r, &qr), whitened(&transposed(&g), &l, &ql)),
        };
        let average = |old: &Grid, x: &Grid| {
            let n = x[0].len() as f64;
            each(old, &product(x, &transposed(x)), |old, x| beta * old + (1.0 - beta) * x / n)
        };
        (l, r) = (average(&l, &left), average(&r, &right));
        if t == 0 {
            (ql, qr) = (eigenvectors(&l), eigenvectors(&r));
        } else if t % 3 == 0 {
            for (factor, basis, is_left) in [(&l, &mut ql, true), (&r, &mut qr, false)] {
                let values = diagonal(&product(&transposed(basis), &product(factor, basis)));
                // The second moments go with their columns.
                v = if is_left { transposed(&v) } else { v };
                v = sorted(&v, &values);
                v = if is_left { transposed(&v) } else { v };
                *basis = gram_schmidt(&product(factor, &sorted(basis, &values)));
            }
        }
    }
    let soap = Soap::new().weight_decay(0.0).shampoo_beta(beta).precondition_frequency(3);
    let mut walk = Walk::of_shape(soap.kl(true), &[rows, columns], false).unwrap();
    let mut ours = numbers(rows * columns, 99);
    for g in &gradients {
        walk.step(lr, &mut ours, g).unwrap();
    }
    let apart = ours.iter().zip(p.concat()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{apart}");
}
