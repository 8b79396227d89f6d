//! A power, held to the standard library's, which in f64 is wrong in the last digit at most.

use burn_descent_rules::Real;

/// Numbers in [0, 1) that fill it evenly: the fractions of multiples of an irrational number.
fn evenly(count: u32, irrational: f64) -> impl Iterator<Item = f64> {
    (0..count).map(move |i| (f64::from(i) * irrational).fract())
}

/// Bases of all magnitudes up to `10^most` and exponents in [-2, 2]: the 300,000 of a lattice, then around
/// each power of 2, where the exponent of the base changes, and around √2, where its part does.
fn arguments(most: f64) -> Vec<(f64, f64)> {
    let lattice = evenly(300_000, 2_f64.sqrt()).zip(evenly(300_000, 3_f64.sqrt()));
    let mut list: Vec<_> =
        lattice.map(|(a, b)| (10_f64.powf((2.0 * a - 1.0) * most), 4.0 * b - 2.0)).collect();
    let powers = (most * 10_f64.log2()) as i32;
    let bases = (-powers..=powers).flat_map(|n| [1.0, 2_f64.sqrt()].map(|m| m * 2_f64.powi(n)));
    for base in bases.flat_map(|x| [x, x * (1.0 + 1e-7), x * (1.0 - 1e-7), x * (1.0 - 1e-15)]) {
        for y in [-2.0, -1.0, -0.75, -0.5, 1e-9, 0.1, 0.24, 0.25, 1.0 / 3.0, 0.5, 1.0, 1.999] {
            list.push((base, y));
        }
    }
    list
}

#[test]
fn f32_is_within_four_ulp() {
    let mut worst = 0.0_f64;
    for (x, y) in arguments(30.0) {
        let (x, y) = (x as f32, y as f32);
        let exact = f64::from(x).powf(f64::from(y));
        let found = Real::powf(x, y);
        if exact > f64::from(f32::MAX) {
            assert_eq!(found, f32::INFINITY, "{x:e}^{y}");
            continue;
        }
        let near = exact.max(f64::from(f32::MIN_POSITIVE)) as f32;
        let ulp = f64::from(near.next_up()) - f64::from(near);
        worst = worst.max((f64::from(found) - exact).abs() / ulp);
    }
    println!("{worst:.4} ulp");
    assert!(worst < 3.0, "{worst}");
}

#[test]
fn f64_is_within_1e_13() {
    let mut worst = 0.0_f64;
    for (x, y) in arguments(300.0) {
        let (exact, found) = (x.powf(y), Real::powf(x, y));
        if exact.is_normal() {
            worst = worst.max((found / exact - 1.0).abs());
        } else {
            // 0, infinite, or denormal: then the last digit may differ.
            let near = [exact.next_down(), exact, exact.next_up()];
            assert!(near.contains(&found), "{x:e}^{y} = {found:e}, not {exact:e}");
        }
    }
    println!("{worst:.2e}");
    assert!(worst < 2e-15, "{worst:e}");
}

/// The powers of `x` with these exponents.
fn powers<R: Real, const N: usize>(x: f64, exponents: [f64; N]) -> [R; N] {
    exponents.map(|y| R::lit(x).powf(R::lit(y)))
}

macro_rules! assert_edges {
    ($t:ident) => {
        const ENDLESS: $t = $t::INFINITY;
        let some = [1e-30, 0.24, 2.0];
        for zero in [0.0, -0.0] {
            assert_eq!(powers::<$t, 3>(zero, some), [0.0; 3]);
            assert_eq!(powers::<$t, 3>(zero, some.map(|y| -y)), [ENDLESS; 3]);
        }
        assert_eq!(powers::<$t, 3>(f64::INFINITY, some), [ENDLESS; 3]);
        assert_eq!(powers::<$t, 3>(f64::INFINITY, some.map(|y| -y)), [0.0; 3]);
        for x in [0.0, -0.0, 1e-300, 1e-40, 0.3, 1.0, 1e30, 1e300, f64::INFINITY] {
            assert_eq!(powers::<$t, 2>(x, [0.0, -0.0]), [1.0; 2], "{x}");
        }
        for x in [-1e-30, -1.0, f64::NEG_INFINITY, f64::NAN] {
            assert!(powers::<$t, 4>(x, [0.0, 1.0, 2.0, -0.5]).iter().all(|x| x.is_nan()), "{x}");
        }
        for x in [0.0, 0.3, 1.0, f64::INFINITY] {
            assert!(powers::<$t, 1>(x, [f64::NAN])[0].is_nan(), "{x}");
        }
        // Great exponents leave the range, and those of 1 do not.
        assert_eq!(powers::<$t, 3>(1.0, [1e30, -1e30, 3e4]), [1.0; 3]);
        assert_eq!(powers::<$t, 4>(3.0, [1e4, 1e30, -1e4, -1e30]), [ENDLESS, ENDLESS, 0.0, 0.0]);
        // Denormal numbers, as base and as power.
        let (least, root) = ($t::from_bits(9), $t::from_bits(9).sqrt());
        assert!((Real::powf(least, 0.5) / root - 1.0).abs() < 4.0 * $t::EPSILON);
        assert_eq!(Real::powf(root, 2.0), least);
    };
}

#[test]
fn edges_are_as_documented() {
    fn in_f32() {
        assert_edges!(f32);
    }
    assert_edges!(f64);
    in_f32();
}
