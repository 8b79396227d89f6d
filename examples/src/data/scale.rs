//! Columns of mean 0 and variance 1.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// How a number is standardised: less the mean, divided by the standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The mean.
    pub mean: f64,
    /// The standard deviation; 1 where all numbers are the same.
    pub deviation: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { mean: 0.0, deviation: 1.0 }
    }
}

impl Scale {
    /// The scale of these numbers.
    ///
    /// # Errors
    /// If their variance is beyond f64: numbers of some 1e154 and more, or that differ by less than
    /// 1e-154.
    pub fn of(numbers: impl Iterator<Item = f64> + Clone) -> Result<Self> {
        let n = numbers.clone().count() as f64;
        let first = numbers.clone().next().unwrap_or(0.0);
        if numbers.clone().all(|number| number == first) {
            return Ok(Self { mean: first, deviation: 1.0 });
        }
        let mean = numbers.clone().sum::<f64>() / n;
        let variance = numbers.map(|number| (number - mean).powi(2)).sum::<f64>() / n;
        ensure!(variance.is_finite(), "its numbers are so large that their variance is infinite");
        ensure!(
            variance.is_normal(),
            "its numbers are so close together that their variance is lost in rounding to 0"
        );
        Ok(Self { mean, deviation: variance.sqrt() })
    }

    /// A number, standardised.
    pub fn apply(&self, number: f64) -> f32 {
        ((number - self.mean) / self.deviation) as f32
    }

    /// The number that was standardised.
    pub fn back(&self, standardised: f32) -> f64 {
        f64::from(standardised) * self.deviation + self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(numbers: &[f64]) -> Result<Scale> {
        Scale::of(numbers.iter().copied())
    }

    #[test]
    fn there_and_back() {
        let scale = scale(&[1.0, 2.0, 3.0, 6.0]).unwrap();
        assert_eq!((scale.mean, scale.deviation), (3.0, 3.5_f64.sqrt()));
        assert!((scale.back(scale.apply(17.0)) - 17.0).abs() < 1e-5);
    }

    #[test]
    fn numbers_that_are_the_same_have_no_rounding_for_a_deviation() {
        assert_eq!(scale(&[0.1; 3]).unwrap(), Scale { mean: 0.1, deviation: 1.0 });
        assert_eq!(scale(&[1e300; 3]).unwrap().apply(1e300), 0.0);
    }

    #[test]
    fn what_has_no_variance_in_f64_is_refused() {
        for numbers in [[1e300, -1e300], [1e160, 2e160], [f64::MAX, 1e308]] {
            assert!(scale(&numbers).unwrap_err().to_string().contains("infinite"));
        }
        for numbers in [[1e-170, 2e-170], [1e-160, -1e-160], [0.0, 5e-324]] {
            assert!(scale(&numbers).unwrap_err().to_string().contains("close together"));
        }
        assert!(scale(&[1e150, -1e150]).is_ok() && scale(&[1e-150, 2e-150]).is_ok());
    }
}
