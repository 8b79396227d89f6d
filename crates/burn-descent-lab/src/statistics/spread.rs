//! Where numbers lie.

use serde::{Deserialize, Serialize};

/// The middle half of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The lower quartile.
    pub lower: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub upper: f64,
}

impl Spread {
    /// That of some numbers, in any order; there is none of no numbers, nor where one is NaN.
    pub fn of(values: &[f64]) -> Option<Self> {
        let at = |share| quantile(values, share);
        Some(Self { lower: at(0.25)?, median: at(0.5)?, upper: at(0.75)? })
    }
}

/// The number below which this share of the others lies, with straight lines between them: the
/// default of R and NumPy, type 7 of [Hyndman & Fan
/// 1996](https://doi.org/10.1080/00031305.1996.10473566).
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    let part = place.fract();
    // Not a sum of products: infinity times 0 is not a number.
    Some(if part == 0.0 || below == above { below } else { below + part * (above - below) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_numpy() {
        let spread = Spread::of(&[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]).unwrap();
        assert_eq!(spread, Spread { lower: 1.75, median: 3.5, upper: 5.25 });
        assert_eq!(quantile(&[7.0], 0.25), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn what_is_infinite_is_last_and_what_is_nan_has_no_place() {
        let infinite = f64::INFINITY;
        assert_eq!(quantile(&[infinite, 1.0, infinite], 0.5), Some(infinite));
        assert_eq!(quantile(&[-infinite, 1.0, 2.0], 0.5), Some(1.0));
        assert_eq!(quantile(&[f64::NAN, 1.0], 0.5), None);
    }
}
