//! Is one better than the other, run by run?

/// The two-sided p-value of Wilcoxon's signed-rank test for paired numbers: the chance of ranks as
/// one-sided as these, if each pair were as likely the other way round.
///
/// It is exact: all ways to turn the pairs round are counted, with ties sharing their ranks and
/// pairs without a difference left out. It asks nothing of the distribution of the numbers, and an
/// infinite one is just the last in rank. With `n` pairs it is never below `2 / 2^n`.
///
/// ```
/// use burn_descent_lab::statistics::signed_rank;
///
/// assert_eq!(signed_rank(&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 0.0, 0.0]), 0.125);
/// ```
pub fn signed_rank(a: &[f64], b: &[f64]) -> f64 {
    // Equal infinities have no difference, though infinity minus infinity is not a number.
    let differences = a.iter().zip(b).filter(|(a, b)| a != b).map(|(a, b)| a - b);
    let mut differences: Vec<f64> = differences.filter(|d| !d.is_nan()).collect();
    differences.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let ranks = doubled_ranks(&differences);
    let all: usize = ranks.iter().sum();
    let positive: usize =
        ranks.iter().zip(&differences).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let smaller = positive.min(all - positive);
    let below: f64 = chances(&ranks, all).iter().take(smaller + 1).sum();
    (2.0 * below).min(1.0)
}

/// Twice the rank of each of some differences, in the order of their sizes: ranks that are shared
/// are halves.
fn doubled_ranks(differences: &[f64]) -> Vec<usize> {
    let mut before = 0;
    let mut ranks = Vec::with_capacity(differences.len());
    for tied in differences.chunk_by(|a, b| a.abs() == b.abs()) {
        ranks.extend(vec![2 * before + tied.len() + 1; tied.len()]);
        before += tied.len();
    }
    ranks
}

/// The chance of each sum of the ranks that are positive, if each is with a chance of one half.
fn chances(ranks: &[usize], all: usize) -> Vec<f64> {
    let mut chances = vec![0.0; all + 1];
    chances[0] = 1.0;
    for rank in ranks {
        for sum in (0..=all).rev() {
            let with = sum.checked_sub(*rank).map_or(0.0, |rest| chances[rest]);
            chances[sum] = 0.5 * (chances[sum] + with);
        }
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(differences: &[f64]) -> f64 {
        signed_rank(differences, &vec![0.0; differences.len()])
    }

    /// `scipy.stats.wilcoxon(..., method="exact")`, SciPy 1.17. The first is after the example of
    /// Hollander & Wolfe's book, the depression scale, the second Darwin's maize.
    #[test]
    fn without_ties_it_is_that_of_scipy() {
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.07, 1.30];
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.15, 1.29];
        assert_eq!(signed_rank(&before, &after), 0.0390625);
        assert_eq!(signed_rank(&after, &before), 0.0390625);
        let maize = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75].map(f64::from);
        assert_eq!(p(&maize), 0.041259765625);
        assert_eq!(p(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 2.0 / 256.0);
    }

    /// SciPy's `PermutationMethod` over all permutations.
    #[test]
    fn with_ties_it_is_that_of_all_permutations() {
        assert_eq!(p(&[1.0, 1.0, 2.0, -2.0, 3.0, 3.0, 4.0, -1.0]), 0.140625);
        let with_zero = [0.5, 0.5, -0.5, 1.5, 2.0, 2.0, -3.0, 4.0, 4.5, 0.0];
        assert_eq!(p(&with_zero), 0.11328125);
    }

    #[test]
    fn what_diverged_is_worst() {
        let worst = f64::NEG_INFINITY;
        assert_eq!(signed_rank(&[0.9; 5], &[worst; 5]), 2.0 / 32.0);
        assert_eq!(signed_rank(&[worst; 5], &[worst; 5]), 1.0);
        assert_eq!(signed_rank(&[], &[]), 1.0);
    }
}
