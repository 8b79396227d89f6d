//! How far a walk has come: all that changes from step to step.

use super::Setup;
use super::accumulate::Accumulator;
use super::apply::States;
use super::loss_scale::Scale;
use super::search::Memory;
use super::visit::Tensors;
use crate::averaging::{Averages, Factors};
use burn_descent_rules::schedules::ReduceOnPlateau;

/// All that changes from step to step. A checkpoint holds this, and the weights.
pub(super) struct Position {
    /// Steps taken.
    pub(super) steps: u64,
    /// Steps skipped.
    pub(super) skipped: u64,
    pub(super) states: States,
    pub(super) accumulator: Accumulator,
    pub(super) averages: Averages,
    /// The slow weights of Lookahead.
    pub(super) slow: Tensors,
    /// Where parameters began, for Mechanic, and its factors.
    pub(super) starts: Tensors,
    pub(super) mechanic: Option<Factors>,
    pub(super) scale: Option<Scale>,
    pub(super) plateau: Option<ReduceOnPlateau>,
    /// What the search keeps.
    pub(super) search: Memory,
    /// Is a step under way? If so between two calls, a panic has ended it in the middle.
    pub(super) under_way: bool,
}

impl Position {
    /// Before the first step.
    pub(super) fn start(setup: &Setup) -> Self {
        Self {
            steps: 0,
            skipped: 0,
            states: States::default(),
            accumulator: Accumulator::default(),
            averages: Averages::default(),
            slow: Tensors::new(),
            starts: Tensors::new(),
            mechanic: setup.settings.mechanic.as_ref().map(Factors::start),
            scale: setup.settings.loss_scale.as_ref().map(Scale::start),
            plateau: setup.settings.plateau.clone(),
            search: Memory::default(),
            under_way: false,
        }
    }
}
