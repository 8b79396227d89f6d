//! How far two tensors are apart.

use crate::MOVEMENT_TOLERANCE;

/// `max |ours - reference|` in units of `max(max |reference|, floor)`, over the elements.
///
/// Elements that are equal or both NaN agree. If only one of the two is finite, or they have
/// different lengths, the error is infinite.
///
/// ```
/// use burn_descent_golden::relative_error;
///
/// assert_eq!(relative_error(&[2.0, f64::NAN], &[4.0, f64::NAN], 0.0), 0.5);
/// assert_eq!(relative_error(&[1.0], &[f64::INFINITY], 0.0), f64::INFINITY);
/// ```
pub fn relative_error(ours: &[f64], reference: &[f64], floor: f64) -> f64 {
    error_in(largest_of(reference).max(floor), ours, reference)
}

/// `max |ours - reference|` in units of `max |reference - init|`: an error of the steps, where
/// [`relative_error`] is one of the weights, which a few small steps hardly change.
///
/// The unit is not so small that the last digits of the largest weight would count.
///
/// ```
/// use burn_descent_golden::movement_error;
///
/// assert_eq!(movement_error(&[101.0], &[100.5], &[100.0]), 1.0);
/// assert_eq!(movement_error(&[100.0], &[100.0], &[100.0]), 0.0);
/// ```
pub fn movement_error(ours: &[f64], reference: &[f64], init: &[f64]) -> f64 {
    let moved: Vec<f64> = reference.iter().zip(init).map(|(to, from)| to - from).collect();
    let digits = 4.0 * f64::EPSILON * largest_of(reference);
    error_in(largest_of(&moved).max(digits / MOVEMENT_TOLERANCE), ours, reference)
}

/// `max |ours - reference|` in some unit.
fn error_in(unit: f64, ours: &[f64], reference: &[f64]) -> f64 {
    if ours.len() != reference.len() {
        return f64::INFINITY;
    }
    let error = |(a, b): (&f64, &f64)| {
        if a == b || (a.is_nan() && b.is_nan()) {
            0.0
        } else if a.is_finite() && b.is_finite() {
            (a - b).abs() / unit
        } else {
            f64::INFINITY
        }
    };
    ours.iter().zip(reference).map(error).fold(0.0, f64::max)
}

/// The largest absolute value of the finite elements, 0 if there is none.
pub fn largest_of(tensor: &[f64]) -> f64 {
    tensor.iter().filter(|x| x.is_finite()).fold(0.0, |largest, x| x.abs().max(largest))
}
