//! What a search keeps from step to step.

use super::Vector;
use std::collections::BTreeMap;

/// What a search keeps from step to step, under names of its own without `/`: lists of numbers, and lists
/// of [vectors](Vector). A checkpoint holds it.
///
/// Before each step it is brought to the devices and precisions of the weights. It is forgotten, and the
/// search begins anew, when it has vectors of a parameter that is not trained any more, or is not as
/// large as it was.
///
/// ```
/// use burn_descent::own::search::Memory;
///
/// let mut memory = Memory::default();
/// memory.numbers("losses").push(0.5);
/// assert_eq!(*memory.numbers("losses"), [0.5]);
/// assert!(memory.vectors("directions").is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub(in crate::descent) numbers: BTreeMap<String, Vec<f64>>,
    pub(in crate::descent) vectors: BTreeMap<String, Vec<Vector>>,
}

impl Memory {
    /// The numbers of this name; none at first.
    pub fn numbers(&mut self, name: &str) -> &mut Vec<f64> {
        entry(&mut self.numbers, name)
    }

    /// The vectors of this name; none at first.
    pub fn vectors(&mut self, name: &str) -> &mut Vec<Vector> {
        entry(&mut self.vectors, name)
    }

    /// Is nothing kept?
    pub fn is_empty(&self) -> bool {
        self.numbers.values().all(Vec::is_empty) && self.vectors.values().all(Vec::is_empty)
    }

    /// Keeps nothing any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The same beside these weights, or nothing if it does not fit them.
    pub(super) fn beside(self, weights: &Vector) -> Self {
        let of_list = |list: Vec<Vector>| -> Option<Vec<Vector>> {
            list.into_iter().map(|x| x.beside(weights)).collect()
        };
        let vectors = self.vectors.into_iter();
        let vectors = vectors.map(|(name, list)| Some((name, of_list(list)?)));
        match vectors.collect() {
            Some(vectors) => Self { numbers: self.numbers, vectors },
            None => Self::default(),
        }
    }
}

fn entry<'a, T>(lists: &'a mut BTreeMap<String, Vec<T>>, name: &str) -> &'a mut Vec<T> {
    if !lists.contains_key(name) {
        lists.insert(name.to_owned(), Vec::new());
    }
    lists.get_mut(name).expect("it is there")
}
