//! The commands that train, as their users see them.

#![cfg(all(feature = "flex", feature = "ndarray"))]

mod backends;
mod claims;
mod compare;
mod folder;
