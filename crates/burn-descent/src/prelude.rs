//! What most training programs import: `use burn_descent::{AdamW, prelude::*};`.
//!
//! The optimizer of a program is its own choice and is named beside it, as is a
//! [schedule](crate::schedules). No name here is one of burn's prelude.

pub use crate::{
    Build, Checkpoint, Descent, Ema, Group, NotFinite, Observer, Report, Schedule, Select, Trainer,
};
