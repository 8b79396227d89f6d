//! What an optimizer does, instead of training with it.

use crate::args::Common;
use crate::recipe::OPTIMIZER;
use anyhow::{Result, ensure};
use burn_descent::registry;
use burn_descent::rules::Explanation;

/// The explanation of the optimizer of this name, else of the one that the flags name, with the
/// options that they set.
///
/// # Errors
/// If there is no optimizer of this name, or it does not take these options; a search is none.
pub fn explain(flags: &Common, name: Option<&str>) -> Result<Explanation> {
    let chosen = flags.optimizer.as_ref().map(|chosen| &*chosen.name);
    if let (Some(name), Some(chosen)) = (name, chosen) {
        ensure!(name == chosen, "--explain {name} and --optimizer {chosen} are two: name one");
    }
    let name = name.or(chosen).unwrap_or(OPTIMIZER);
    let options: Vec<_> = flags.options().collect();
    let options = options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(registry::find(name)?.explain(&options.collect::<Vec<_>>())?)
}
