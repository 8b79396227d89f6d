//! How an optimizer keeps its states and weights, and how those of one parameter are kept.

use super::{Dice, Rounding, Store, Weights};
use crate::code::Code;
use crate::state::compute_dtype;
use burn::tensor::{DType, Shape};
use burn_descent_rules::Domain;
use burn_descent_rules::noise::Draw;

/// Tensors of fewer numbers are kept as they are by default, as bitsandbytes does.
const SMALL: usize = 4096;

/// How the states of an optimizer, and weights of two bytes, are to be kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stores {
    pub(crate) all: Store,
    /// Those of states by their names; the last one of a name counts.
    pub(crate) own: Vec<(String, Store)>,
    /// Tensors of fewer numbers are kept as they are.
    pub(crate) small: usize,
    pub(crate) weights: Weights,
}

impl Default for Stores {
    fn default() -> Self {
        let (all, own, weights) = (Store::F32, Vec::new(), Weights::AsTheyAre);
        Self { all, own, small: SMALL, weights }
    }
}

/// How one state is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Coding {
    pub(crate) store: Store,
    /// Is it never less than 0?
    pub(crate) is_positive: bool,
}

impl Coding {
    /// What stands for it in a file: kind, sign and block.
    pub(crate) fn number(self) -> u64 {
        let (kind, block) = match self.store {
            Store::F32 => (0, 0),
            Store::Bf16(Rounding::Nearest) => (1, 0),
            Store::Bf16(Rounding::Stochastic) => (2, 0),
            Store::F16 => (3, 0),
            Store::Int8 { block } => (4, block),
            Store::Dynamic8 { block } => (5, block),
        };
        u64::from(self.is_positive) << 8 | kind | u64::from(block) << 16
    }

    /// What a number in a file stands for.
    pub(crate) fn of_number(number: u64) -> Option<Self> {
        let block = u32::try_from(number >> 16).ok()?;
        let store = match number & 0xff {
            0 => Store::F32,
            1 => Store::Bf16(Rounding::Nearest),
            2 => Store::Bf16(Rounding::Stochastic),
            3 => Store::F16,
            4 => Store::Int8 { block },
            5 => Store::Dynamic8 { block },
            _ => return None,
        };
        let coding = Self { store, is_positive: number >> 8 & 1 == 1 };
        (store.is_allowed() && coding.number() == number).then_some(coding)
    }

    /// Are there words in place of its numbers?
    pub(crate) fn is_words(self) -> bool {
        self.store != Store::F32
    }
}

/// How what is remembered of one parameter is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// Each state; none, where all are kept as they are computed.
    pub(crate) states: Vec<Coding>,
    pub(crate) weights: Weights,
}

impl Stores {
    /// Is all of it to be kept as it is computed?
    fn is_plain(&self) -> bool {
        self.all == Store::F32 && self.own.is_empty() && self.weights == Weights::AsTheyAre
    }

    /// Is something rounded by chance?
    pub(crate) fn rounds_by_chance(&self) -> bool {
        let stores = self.own.iter().map(|(_, store)| *store).chain([self.all]);
        let by_chance = |store| store == Store::Bf16(Rounding::Stochastic);
        self.weights == Weights::Stochastic || stores.into_iter().any(by_chance)
    }

    /// What is not as it is by default, by name.
    pub(crate) fn named(&self) -> Vec<(String, String)> {
        let Self { all, own, small, weights } = self;
        let mut named = Vec::new();
        if *all != Store::F32 {
            named.push(("keep".to_owned(), all.to_string()));
        }
        named.extend(own.iter().map(|(name, store)| (format!("keep.{name}"), store.to_string())));
        if *small != SMALL {
            named.push(("keep_small".to_owned(), small.to_string()));
        }
        if *weights != Weights::AsTheyAre {
            named.push(("keep_weights".to_owned(), weights.to_string()));
        }
        named
    }

    /// How those of a parameter of this shape and type are to be kept.
    pub(crate) fn of(&self, code: &Code, shape: &Shape, parameter: DType) -> Kept {
        // Each step of each parameter asks.
        if self.is_plain() {
            return Kept::default();
        }
        let is_small = shape.num_elements() < self.small;
        let coding = |(lane, name): (usize, &&str)| {
            let own = self.own.iter().rev().find(|(own, _)| own == name);
            let store = own.map_or(self.all, |(_, store)| *store);
            let is_element = code.stages.states[lane] == Domain::Element;
            let store = if is_element { store } else { Store::F32 };
            Coding { store, is_positive: code.stages.positive[lane] }
        };
        let mut states = Vec::new();
        if !is_small && compute_dtype(parameter) == DType::F32 {
            states.extend(code.states.iter().enumerate().map(coding));
        }
        if !states.iter().any(|coding: &Coding| coding.is_words()) {
            states.clear();
        }
        let is_narrow = matches!(parameter, DType::F16 | DType::BF16);
        let weights = if is_narrow { self.weights } else { Weights::AsTheyAre };
        Kept { states, weights }
    }
}

impl Kept {
    /// Are only such states kept in fewer bytes that may be?
    pub(crate) fn is_of(&self, code: &Code) -> bool {
        let may = |(lane, coding): (usize, &Coding)| {
            !coding.is_words() || code.stages.states.get(lane) == Some(&Domain::Element)
        };
        self.states.iter().enumerate().all(may)
    }

    /// Is all of it as it is computed?
    pub(crate) fn is_plain(&self) -> bool {
        self.states.is_empty() && self.weights == Weights::AsTheyAre
    }

    /// How a state is kept.
    pub(crate) fn state(&self, lane: usize) -> Coding {
        self.states.get(lane).copied().unwrap_or_default()
    }

    /// How many words there are of what rounding has lost of so many weights; `None` if that is not kept.
    pub(crate) fn lost(&self, numbers: usize) -> Option<usize> {
        self.weights.has_lost().then(|| numbers.div_ceil(2))
    }
}

/// What a step has to know of how its numbers are kept.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    pub(crate) kept: Kept,
    /// How many states there are.
    pub(crate) states: usize,
    /// The random numbers by which this step rounds.
    draw: Draw,
}

impl Keeping {
    pub(crate) fn new(kept: Kept, code: &Code, t: u64, stream: u32) -> Self {
        /// Tells the random numbers of rounding from those of rules.
        const SEED: u64 = 0x726f_756e_6469_6e67;
        Self { kept, states: code.states.len(), draw: Draw::new(SEED, t, stream) }
    }

    /// The random bits of the weights.
    pub(crate) fn dice_of_weights(&self) -> Dice {
        self.dice(self.states)
    }

    /// The random bits of a state.
    pub(crate) fn dice(&self, lane: usize) -> Dice {
        let [a, b, c] = self.draw.key;
        [a ^ (lane as u32 + 1), b, c]
    }
}
