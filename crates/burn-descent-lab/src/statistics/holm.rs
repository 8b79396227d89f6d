//! Several tests at once.

/// The p-values of several tests, adjusted so that the chance of even one false alarm among them
/// stays below the level that each is held against (Holm 1979,
/// <https://www.jstor.org/stable/4615733>). It asks nothing of how the tests depend on one another.
///
/// ```
/// use burn_descent_lab::statistics::holm;
///
/// assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut greatest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        greatest = greatest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = greatest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")` in R.
    #[test]
    fn values_are_those_of_r() {
        let adjusted = holm(&[0.05, 0.01, 0.04, 0.02, 0.03]);
        let expected = [0.09, 0.05, 0.09, 0.08, 0.09];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
    }

    #[test]
    fn they_are_chances_and_keep_their_order() {
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[0.02]), [0.02]);
        assert!(holm(&[]).is_empty());
    }
}
