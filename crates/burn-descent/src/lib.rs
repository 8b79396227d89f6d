#![doc = "Optimizers for burn."]
#![forbid(unsafe_code)]

pub mod registry;

pub use burn_descent_engine::{Build, Fused, FusedState, StepError};
pub use burn_descent_rules as rules;
pub use burn_descent_rules::{
    AdaGrad, Adam, AdamW, InvalidOption, Nesterov, OptionError, RmsProp, Rule, Sgd,
};
