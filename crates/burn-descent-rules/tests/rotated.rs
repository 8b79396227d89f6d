//! Rules that see a matrix as a map go the same way in any basis of its inputs and outputs: gradients `U G Vᵀ` make
//! weights `U W Vᵀ`. SPlus does so from the first basis on that it finds; it begins with that of the tensor.

use burn_descent_rules::optimizers::*;
use burn_descent_rules::{Rule, slices::Walk};

const SIDE: usize = 4;

type Grid = [[f64; SIDE]; SIDE];

/// Numbers between -1 and 1, other ones for each step.
fn numbers(t: usize) -> Grid {
    let number = |place: usize| ((t * 29 + place) as f64 * 12.9898).sin() * 43758.5453 % 1.0;
    core::array::from_fn(|i| core::array::from_fn(|j| number(i * SIDE + j)))
}

fn product(a: &Grid, b: &Grid) -> Grid {
    core::array::from_fn(|i| core::array::from_fn(|j| (0..SIDE).map(|k| a[i][k] * b[k][j]).sum()))
}

fn transposed(a: &Grid) -> Grid {
    core::array::from_fn(|i| core::array::from_fn(|j| a[j][i]))
}

/// A rotation: of the first axis into the second, of the second into the third, and so on.
fn rotation(angle: f64) -> Grid {
    let identity: Grid = core::array::from_fn(|i| core::array::from_fn(|j| f64::from(i == j)));
    (1..SIDE).fold(identity, |so_far, axis| {
        let mut plane = identity;
        let (sin, cos) = (angle * axis as f64).sin_cos();
        (plane[axis - 1][axis - 1], plane[axis][axis]) = (cos, cos);
        (plane[axis - 1][axis], plane[axis][axis - 1]) = (-sin, sin);
        product(&plane, &so_far)
    })
}

fn end<U: Rule>(rule: U, gradient: impl Fn(usize) -> Grid) -> Grid {
    let mut walk = Walk::of_shape(rule, &[SIDE, SIDE], false).unwrap();
    let mut p = [0.0; SIDE * SIDE];
    for t in 0..12 {
        walk.step(0.1, &mut p, gradient(t).as_flattened()).unwrap();
    }
    core::array::from_fn(|i| core::array::from_fn(|j| p[i * SIDE + j]))
}

fn goes_the_same_way<U: Rule>(rule: U) {
    let (u, v) = (rotation(0.7), transposed(&rotation(1.9)));
    let turned = |x: &Grid| product(&product(&u, x), &v);
    let found = end(rule.clone(), |t| turned(&numbers(t)));
    let expected = turned(&end(rule, numbers));
    let largest = expected.as_flattened().iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    assert!(largest > 0.0, "it has moved");
    for (found, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
        let apart = (found - expected).abs() / largest;
        assert!(apart < 1e-9, "{}: {found} and {expected}", U::NAME);
    }
}

#[test]
fn the_basis_of_inputs_and_outputs_changes_nothing() {
    goes_the_same_way(Muon::new());
    goes_the_same_way(AdaGO::new());
    goes_the_same_way(Soap::new().precondition_frequency(2));
    goes_the_same_way(Soap::new().precondition_frequency(3).kl(true));
    goes_the_same_way(Shampoo::new());
}

/// It is no law of all rules: Adam sees elements.
#[test]
#[should_panic(expected = "adam: ")]
fn adam_goes_another_way() {
    goes_the_same_way(Adam::new());
}
