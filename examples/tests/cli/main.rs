//! The programs as their users see them.

#![cfg(all(feature = "flex", feature = "ndarray"))]

mod folder;
mod learn;
mod refuse;
mod resume;
