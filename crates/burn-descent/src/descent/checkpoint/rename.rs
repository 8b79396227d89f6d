//! A checkpoint for a model whose layers have other names.

use super::{Checkpoint, CheckpointError, Mismatch, Parameter};
use std::collections::{BTreeMap, HashSet};

impl Checkpoint {
    /// The checkpoint with its parameters under other paths: for a model whose layers were renamed
    /// since. `to` gives the new path of each, which is the old one for those that stay.
    ///
    /// ```
    /// # use burn::nn::{Linear, LinearConfig};
    /// # use burn::module::Module;
    /// # use burn::tensor::Device;
    /// # use burn_descent::{AdamW, Build, Checkpoint, Descent};
    /// #[derive(Module, Debug)]
    /// struct Old {
    ///     fc: Linear,
    /// }
    /// #[derive(Module, Debug)]
    /// struct New {
    ///     head: Linear,
    /// }
    /// # let layer = || LinearConfig::new(8, 1).init(&Device::default().autodiff());
    /// # let (old, new) = (Old { fc: layer() }, New { head: layer() });
    /// # let builder = || AdamW::new().build().map(|adamw| Descent::builder(adamw).lr(1e-3));
    /// # let checkpoint = builder()?.build(&old)?.checkpoint(&old)?;
    /// # let mut descent = builder()?.build(&new)?;
    /// let checkpoint = checkpoint.rename(|path| path.replace("fc.", "head."))?;
    /// let new = checkpoint.restore(&mut descent, &new)?;
    /// # drop(new);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError::Misfit`] if two parameters get one path, or one gets a path that no
    /// parameter can have.
    pub fn rename(mut self, to: impl Fn(&str) -> String) -> Result<Self, CheckpointError> {
        let paths: BTreeMap<String, String> = self
            .header
            .parameters
            .iter()
            .map(|parameter| (parameter.path.clone(), to(&parameter.path)))
            .collect();
        let mut taken = HashSet::new();
        let refused = paths.iter().filter(|(_, path)| {
            path.is_empty() || path.contains([':', '/']) || !taken.insert(path.as_str())
        });
        let refused: Vec<Mismatch> = refused
            .map(|(from, to)| Mismatch::Renamed { parameter: from.clone(), to: to.clone() })
            .collect();
        if !refused.is_empty() {
            return Err(CheckpointError::Misfit(refused));
        }
        let parameters = self.header.parameters.into_iter().map(|parameter| {
            let path = paths[&parameter.path].clone();
            Parameter { path, ..parameter }
        });
        self.header.parameters = parameters.collect();
        self.scalars = renamed(self.scalars, &paths);
        self.tensors = renamed(self.tensors, &paths);
        Ok(self)
    }
}

/// What is kept under the names of the file, under the new ones.
fn renamed<T>(kept: BTreeMap<String, T>, paths: &BTreeMap<String, String>) -> BTreeMap<String, T> {
    kept.into_iter().map(|(name, value)| (new_name(&name, paths), value)).collect()
}

/// `state/fc.weight.0` belongs to `fc.weight`, or to `fc.weight.0` if there is such a parameter.
fn new_name(name: &str, paths: &BTreeMap<String, String>) -> String {
    let Some((part, path)) = name.split_once('/') else { return name.to_owned() };
    let ends = path.rmatch_indices('.').map(|(end, _)| end);
    let owner = core::iter::once(path.len())
        .chain(ends)
        .find_map(|end| paths.get(&path[..end]).map(|to| (to, &path[end..])));
    owner.map_or_else(|| name.to_owned(), |(to, rest)| format!("{part}/{to}{rest}"))
}
