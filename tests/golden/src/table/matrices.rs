//! What libraries say of whole matrices.

use super::Meaning;
use crate::Case;
use serde_json::Value;

/// A tensor that a library leaves to an auxiliary rule.
#[derive(Clone, Copy, Debug)]
pub enum Aside {
    /// Of more than two dimensions.
    Deep,
    /// In whose name the word is, first, while the hyper-parameter is [`On`](super::Condition::On).
    Named(&'static str, &'static str),
    /// In whose name a word is of the list that the hyper-parameter is.
    Listed(&'static str),
    /// One of whose first two dimensions is 1, or that is a matrix, of the first dimension and of all others, with a
    /// side of less than so many.
    Narrow(usize),
}

impl Aside {
    /// Is it this tensor?
    pub(crate) fn holds(self, case: &Case, tensor: usize) -> bool {
        let shape = &case.shapes[tensor];
        let name = case.names.as_ref().map_or("", |names| &names[tensor]);
        match self {
            Aside::Deep => shape.len() > 2,
            Aside::Named(word, key) => is_on(case, key) && name.contains(word),
            Aside::Listed(key) => {
                let listed = case.hyper(key).and_then(Value::as_array).into_iter().flatten();
                listed.filter_map(Value::as_str).any(|word| name.contains(word))
            }
            Aside::Narrow(least) => {
                let others: usize = shape.iter().skip(1).product();
                shape.iter().take(2).any(|size| *size == 1)
                    || shape.first().is_some_and(|first| *first.min(&others) < least)
            }
        }
    }
}

/// Is a hyper-parameter there, and neither `null`, `false` nor 0?
pub(crate) fn is_on(case: &Case, key: &str) -> bool {
    match case.hyper(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(_) => true,
    }
}

/// A word or a number.
#[derive(Clone, Copy, Debug)]
pub enum Listed {
    /// A word.
    Word(&'static str),
    /// A number.
    Number(f64),
}

/// Coefficients of Newton-Schulz iterations, as libraries have them.
pub(super) const COEFFICIENTS: Meaning = Meaning::Coefficients(&[
    (Listed::Word("original"), "jordan"),
    (Listed::Word("standard"), "jordan"),
    (Listed::Word("quintic"), "quintic"),
    (Listed::Word("dion"), "quintic"),
    (Listed::Word("polar_express"), "polar_express_safe"),
    (Listed::Word("polar_express_safer"), "polar_express_safer"),
    (Listed::Number(3.4445), "jordan"),
    (Listed::Number(4.0848), "quintic"),
    (Listed::Number(8.28721201814563), "polar_express"),
    (Listed::Number(8.237312490495555), "polar_express_safe"),
    (Listed::Number(8.156554524902461), "polar_express_safer"),
]);

/// The word that is listed for coefficients, if one is.
pub(crate) fn coefficients(
    given: &Value,
    words: &[(Listed, &'static str)],
) -> Option<&'static str> {
    let first = match given.as_array().map(Vec::as_slice) {
        Some([Value::Array(first), ..]) => first.first()?,
        Some([first, ..]) => first,
        Some([]) => return None,
        None => given,
    };
    let is_first = |listed: Listed| match listed {
        Listed::Word(word) => first.as_str() == Some(word),
        Listed::Number(number) => first.as_f64() == Some(number),
    };
    words.iter().find(|(listed, _)| is_first(*listed)).map(|(_, word)| *word)
}

/// What the matrices of a kernel are whose outputs come first, by its axes.
pub(crate) fn kernels(axes: &Value) -> Option<&'static str> {
    let outputs_first = axes.get("output_axis")?.as_u64()? == 0;
    let all_others = axes.get("reduction_axis")?.is_array();
    outputs_first.then_some(if all_others { "flattened" } else { "positions_in_full" })
}
