//! Lives at random: what users do between steps, in any order, and all of it once more by hand.
//!
//! A life that ends badly is made shorter and simpler by proptest, and printed as its actions.
//! `BURN_DESCENT_LIVES=100000` asks for so many.

mod by_hand;
mod formulas;
mod life;
mod lived;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;

/// As many as CI has time for.
const LIVES: u32 = 2000;

#[test]
fn a_life_at_random_is_what_it_is_by_hand() {
    let asked = std::env::var("BURN_DESCENT_LIVES").ok();
    let cases = asked.as_ref().map_or(LIVES, |lives| lives.parse().expect("a number of lives"));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    // The same ones each time, unless somebody asks for more.
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let actions = Cell::new(0);
    let held = runner.run(&life::life(), |life| {
        actions.set(actions.get() + lived::live(&life));
        Ok(())
    });
    if let Err(error) = held {
        panic!("{error}");
    }
    println!("{cases} lives, {} actions", actions.get());
}
