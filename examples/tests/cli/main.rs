//! The programs as their users see them.

#![cfg(all(feature = "flex", feature = "ndarray"))]

mod damage;
mod folder;
mod learn;
#[cfg(feature = "train")]
mod learner;
mod predict;
mod refuse;
mod resume;
mod search;
mod table;
#[cfg(unix)]
mod terminal;
mod walk;
