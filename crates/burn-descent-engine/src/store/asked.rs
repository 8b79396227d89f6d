//! How an optimizer is asked to keep its states and weights.

use super::{Store, Weights};
use crate::{Fused, Place};
use burn::tensor::{Shape, f16};
use burn_descent_rules::{Domain, InvalidOption};
use std::sync::Arc;

impl Fused {
    /// The same optimizer, which keeps all of its states so: those of which there is one number for each weight, of
    /// parameters in f32 and less that are not [small](Self::keep_small).
    ///
    /// ```
    /// # use burn_descent_engine::burn_descent;
    /// use burn::tensor::{Device, Tensor};
    /// use burn_descent::{AdamW, Build, Store};
    ///
    /// let adamw = AdamW::new().build()?.keep_all(Store::int8())?;
    /// let x = Tensor::<1>::ones([8192], &Device::default());
    /// // Two moments of a byte, and four bytes more for each 256.
    /// assert_eq!(adamw.look(&x.shape(), x.dtype(), Default::default()).bytes, 2 * (8192 + 4 * 32));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    ///
    /// # Errors
    /// A size of blocks that is not allowed; a state that begins with a number that would be 0.
    pub fn keep_all(mut self, store: Store) -> Result<Self, InvalidOption> {
        self.check_store(None, store)?;
        let stores = Arc::make_mut(&mut self.stores);
        (stores.all, stores.own) = (store, Vec::new());
        Ok(self)
    }

    /// The same optimizer, which keeps the states of this name so, and others as before.
    ///
    /// ```
    /// # use burn_descent_engine::burn_descent;
    /// use burn_descent::{AdamW, Build, Rounding, Store};
    ///
    /// let adamw = AdamW::new().build()?;
    /// assert!(adamw.clone().keep("v", Store::Bf16(Rounding::Stochastic)).is_ok());
    /// assert!(adamw.keep("w", Store::F16).unwrap_err().to_string().contains("m, v"));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    ///
    /// # Errors
    /// If the optimizer has no state of this name of which there is one number for each weight; those of
    /// [`keep_all`](Self::keep_all).
    pub fn keep(mut self, state: &str, store: Store) -> Result<Self, InvalidOption> {
        let names: Vec<&str> = self.kept_states().into_iter().map(|(name, _)| name).collect();
        if !names.contains(&state) {
            let allowed = match names.is_empty() {
                true => "none: it has no state of which there is a number for each weight".into(),
                false => format!("one of its states: {}", names.join(", ")),
            };
            let (owner, value) = (self.name(), state.to_owned());
            return Err(InvalidOption { owner, option: "keep".into(), value, allowed });
        }
        self.check_store(Some(state), store)?;
        let stores = Arc::make_mut(&mut self.stores);
        stores.own.retain(|(name, _)| name != state);
        stores.own.push((state.to_owned(), store));
        Ok(self)
    }

    /// The states of which there is one number for each weight, and what they begin with; those of its auxiliary rule too.
    fn kept_states(&self) -> Vec<(&'static str, f64)> {
        let auxiliary = Place { is_auxiliary: true, ..Place::default() };
        let auxiliary = self.program.for_shape(&Shape::from([1]), auxiliary);
        let mut found: Vec<(&'static str, f64)> = Vec::new();
        for program in [&self.program, &auxiliary] {
            let states = program.code.states.iter().zip(&program.code.stages.states);
            for ((name, of), start) in states.zip(program.starts()) {
                if *of == Domain::Element && found.iter().all(|(known, _)| known != name) {
                    found.push((name, start));
                }
            }
        }
        found
    }

    /// Can the state of this name, or each one, be kept so?
    fn check_store(&self, state: Option<&str>, store: Store) -> Result<(), InvalidOption> {
        let refuse = |option: String, allowed: String| {
            let (owner, value) = (self.name(), store.to_string());
            Err(InvalidOption { owner, option: option.into(), value, allowed })
        };
        if !store.is_allowed() {
            return refuse("keep".into(), "in blocks of a power of two from 32 to 512".into());
        }
        for (name, start) in self.kept_states() {
            let is_meant = state.is_none_or(|state| state == name);
            if is_meant && store == Store::F16 && start != 0.0 && f16::from_f64(start) == f16::ZERO
            {
                let allowed = format!("what holds {start:e}, with which it begins; bf16 does");
                return refuse(format!("keep.{name}"), allowed);
            }
        }
        Ok(())
    }

    /// The same optimizer, which keeps states of parameters of fewer numbers as they are computed: 4096 by default.
    pub fn keep_small(mut self, numbers: usize) -> Self {
        Arc::make_mut(&mut self.stores).small = numbers;
        self
    }

    /// The same optimizer, which keeps weights in bf16 and f16 so; all others are kept as they are.
    pub fn keep_weights(mut self, weights: Weights) -> Self {
        Arc::make_mut(&mut self.stores).weights = weights;
        self
    }

    /// How states and weights are kept, by name, where they are not kept as they are computed: `keep`, `keep.v`,
    /// `keep_small` and `keep_weights`.
    pub fn kept(&self) -> Vec<(String, String)> {
        self.stores.named()
    }

    /// Has it a state of which there is one number for each weight, to be [kept](Self::keep_all) in fewer bytes?
    pub fn keeps_elements(&self) -> bool {
        self.program.code.stages.states.contains(&Domain::Element)
    }

    /// The names of those states that are never less than 0: in eight bits they are kept without a sign.
    pub fn positive_states(&self) -> Vec<&'static str> {
        let code = &self.program.code;
        let states = code.states.iter().zip(&code.stages.positive);
        states.filter(|(_, positive)| **positive).map(|(name, _)| *name).collect()
    }
}
