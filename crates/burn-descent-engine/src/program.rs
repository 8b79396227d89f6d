//! A rule with its type forgotten: what the engines need to run it.

use burn_descent_rules::{
    Fields, Forms, Graph, InvalidOption, Nothing, OptionError, Presence, Rule, Visitor, to_pairs,
    trace_evaluate, trace_update, with_pairs,
};
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::cpu::Pass;

/// How many states a rule may have.
pub const MAX_STATES: usize = 4;

/// Makes a program of options by name.
type With = dyn Fn(&[(&str, &str)]) -> Result<Program, OptionError> + Send + Sync;

/// A checked rule, ready to run.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Name and value before the first step of each state.
    pub(crate) states: Vec<(&'static str, f64)>,
    /// Tells the states of this rule from those of another.
    pub(crate) fingerprint: u64,
    /// The scalars of step `t` at a learning rate.
    compute: Box<dyn Fn(f64, u64) -> Vec<f64> + Send + Sync>,
    /// Those that were asked for last: all parameters of a model ask for the same ones.
    last: Mutex<Option<Memo>>,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) pass_f32: Pass<f32>,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) pass_f64: Pass<f64>,
    /// The options by name.
    pub(crate) options: Vec<(String, String)>,
    /// The same rule with other options.
    pub(crate) with: Box<With>,
    pub(crate) update: Arc<Graph>,
    pub(crate) evaluate: Graph,
}

impl Program {
    /// Checks the options and compiles the rule.
    pub(crate) fn new<U: Rule>(rule: U) -> Result<Self, InvalidOption> {
        rule.check()?;
        let states = rule.start().lanes();
        assert!(states.len() <= MAX_STATES, "{}: more than {MAX_STATES} states", U::NAME);
        let bits = rule.start().presence();
        Ok(<U::State<f64> as Fields<f64>>::Forms::choose::<Nothing, _>(
            bits,
            Compile { rule, states },
        ))
    }

    /// The scalars of step `t` at a learning rate, then the factor of the gradient.
    pub(crate) fn scalars(&self, lr: f64, t: u64, scale: f64) -> Arc<[f64]> {
        let asked = [lr.to_bits(), t, scale.to_bits()];
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Memo { of, scalars }) = &*last
            && *of == asked
        {
            return scalars.clone();
        }
        let mut scalars = (self.compute)(lr, t);
        scalars.push(scale);
        let scalars: Arc<[f64]> = scalars.into();
        *last = Some(Memo { of: asked, scalars: scalars.clone() });
        scalars
    }
}

/// Scalars, and the bits of what they were computed from.
struct Memo {
    of: [u64; 3],
    scalars: Arc<[f64]>,
}

fn fingerprint(name: &str, states: &[(&str, f64)]) -> u64 {
    let names = states.iter().map(|(name, _)| *name);
    let text = core::iter::once(name).chain(names).collect::<Vec<_>>().join(" ");
    // FNV-1a: stable across versions and machines, unlike the hashers of std.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

struct Compile<U> {
    rule: U,
    states: Vec<(&'static str, f64)>,
}

impl<U: Rule> Visitor for Compile<U> {
    type Output = Program;

    fn visit<P: Presence>(self) -> Program {
        let Self { rule, states } = self;
        Program {
            name: U::NAME,
            fingerprint: fingerprint(U::NAME, &states),
            states,
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            pass_f32: crate::cpu::pass::<U, P, f32>,
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            pass_f64: crate::cpu::pass::<U, P, f64>,
            update: Arc::new(trace_update(&rule)),
            evaluate: trace_evaluate(&rule),
            options: to_pairs(&rule),
            with: {
                let rule = rule.clone();
                Box::new(move |options| Ok(Program::new(with_pairs(&rule, options)?)?))
            },
            compute: Box::new(move |lr, t| {
                rule.scalars(lr, t).lanes().into_iter().map(|(_, value)| value).collect()
            }),
            last: Mutex::new(None),
        }
    }
}
