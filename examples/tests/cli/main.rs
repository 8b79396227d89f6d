//! The programs as their users see them.

#![cfg(all(feature = "flex", feature = "ndarray"))]

mod folder;
mod learn;
#[cfg(feature = "train")]
mod learner;
mod refuse;
mod resume;
mod walk;
