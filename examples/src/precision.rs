//! The type of the weights, and how the optimizer keeps them.

use anyhow::{Result, ensure};
use burn::tensor::{DType, Device};
use burn_descent::Weights;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `f32`, `f64`, or a type of two bytes with the way in which it keeps what it cannot hold: `bf16-split`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Precision {
    /// The type of the weights.
    pub dtype: DType,
    /// How the optimizer keeps them.
    pub weights: Weights,
}

const TYPES: [(&str, DType); 4] =
    [("f32", DType::F32), ("f64", DType::F64), ("bf16", DType::BF16), ("f16", DType::F16)];

impl Default for Precision {
    fn default() -> Self {
        Self { dtype: DType::F32, weights: Weights::AsTheyAre }
    }
}

impl Precision {
    /// Finds out whether a device has it.
    ///
    /// # Errors
    /// If it has not.
    pub fn check(self, device: &Device) -> Result<()> {
        let has = device.supports_dtype(self.dtype);
        ensure!(has, "--weights {self}: this backend has no such numbers");
        Ok(())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, kept) = text.split_once('-').map_or((text, None), |(n, kept)| (n, Some(kept)));
        let dtype = TYPES.iter().find(|(known, _)| *known == name).map(|(_, dtype)| *dtype);
        let weights = kept.map_or(Ok(Weights::AsTheyAre), str::parse).ok();
        match (dtype, weights) {
            (Some(dtype @ (DType::F32 | DType::F64)), Some(weights)) if kept.is_none() => {
                Ok(Self { dtype, weights })
            }
            (Some(DType::F16), Some(Weights::Split)) => {
                Err("f16 cannot be split: take f16-kahan, or bf16-split".into())
            }
            (Some(dtype @ (DType::F16 | DType::BF16)), Some(weights)) => {
                Ok(Self { dtype, weights })
            }
            _ => Err(
                "it must be f32 or f64, or bf16 or f16 with what is done beside rounding: bf16, \
                      bf16-stochastic, bf16-kahan, bf16-split, f16, f16-stochastic, f16-kahan"
                    .into(),
            ),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = TYPES.iter().find(|(_, dtype)| *dtype == self.dtype);
        f.write_str(name.map_or("f32", |(name, _)| name))?;
        match self.weights {
            Weights::AsTheyAre => Ok(()),
            weights => write!(f, "-{weights}"),
        }
    }
}

impl TryFrom<String> for Precision {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> Self {
        precision.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_read_as_it_is_written() {
        for text in
            ["f32", "f64", "bf16", "bf16-stochastic", "bf16-kahan", "bf16-split", "f16-kahan"]
        {
            assert_eq!(text.parse::<Precision>().unwrap().to_string(), text);
        }
        for text in ["", "f64-kahan", "f32-split", "bf16-", "bf16-exact", "f16-split"] {
            let error = text.parse::<Precision>().unwrap_err();
            assert!(error.contains("bf16-split"), "{text}: {error}");
        }
    }
}
