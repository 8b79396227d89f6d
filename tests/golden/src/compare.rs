//! How far two tensors are apart.

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
    if ours.len() != reference.len() {
        return f64::INFINITY;
    }
    let scale = largest_of(reference).max(floor);
    let error = |(a, b): (&f64, &f64)| {
        if a == b || (a.is_nan() && b.is_nan()) {
            0.0
        } else if a.is_finite() && b.is_finite() {
            (a - b).abs() / scale
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
