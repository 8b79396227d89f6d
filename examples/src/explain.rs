//! What an optimizer does, instead of training with it.

use crate::args::Common;
use crate::recipe::OPTIMIZER;
use anyhow::Result;
use burn_descent::registry;
use burn_descent::rules::Explanation;

/// The explanation of the optimizer of this name, else of the one that the flags name, with the
/// options that they set.
///
/// # Errors
/// If there is no optimizer of this name, or it does not take these options.
pub fn explain(flags: &Common, name: Option<&str>) -> Result<Explanation> {
    let name = name.or(flags.optimizer.as_deref()).unwrap_or(OPTIMIZER);
    let options = flags.set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(registry::find(name)?.explain(&options.collect::<Vec<_>>())?)
}
