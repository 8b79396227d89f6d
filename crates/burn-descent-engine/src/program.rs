//! A rule with its type forgotten: what the engines need to run it.

use burn::backend::DispatchTensor;
use burn::tensor::Shape;
use burn_descent_rules::forms::{RuleVisitor, choose, lanes};
use burn_descent_rules::noise::Draw;
use burn_descent_rules::{
    Fields, Graph, InvalidOption, Node, OptionError, Presence, Role, Rule, Stages, View, to_pairs,
    trace_evaluate, trace_update, with_pairs,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::scalars::Scalars;
use crate::trial::Trials;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::cpu::Passes;

/// How many states a rule may have of which there is one number for each element.
pub const MAX_STATES: usize = 4;

/// How many states it may have in all.
pub const MAX_LANES: usize = 8;

/// The name of the memory that tells the random numbers of a parameter from those of others.
const STREAM: &str = "noise stream";

/// Makes a program of options by name.
type With = dyn Fn(&[(&str, &str)]) -> Result<Program, OptionError> + Send + Sync;

/// Makes a program for tensors that are seen in one way, if it is another.
type Variant =
    dyn Fn(View) -> Option<Box<dyn FnOnce() -> Result<Program, InvalidOption>>> + Send + Sync;

/// Computes the scalars of step `t` at a learning rate; the memory is brought forward.
type Compute = dyn Fn(f64, u64, &mut [f64]) -> Vec<f64> + Send + Sync;

/// A checked rule, ready to run.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Name and value before the first step of each state.
    pub(crate) states: Vec<(&'static str, f64)>,
    /// Tells the states of this rule from those of another.
    pub(crate) fingerprint: u64,
    /// Name and value before the first step of what is remembered once for a parameter: the rule's
    /// memory, and the stream of its noise, if it has some.
    pub(crate) memory: Vec<(&'static str, f64)>,
    /// How many scalars the rule has.
    lanes: usize,
    /// The seed of its random numbers, if it draws some.
    pub(crate) seed: Option<u64>,
    /// The scalars of step `t` at a learning rate; the memory is brought forward.
    pub(crate) compute: Box<Compute>,
    /// Those that were asked for last: all parameters of a model ask for the same ones.
    last: Mutex<Option<Memo>>,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) f32: Passes<f32>,
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) f64: Passes<f64>,
    /// The options by name.
    pub(crate) options: Vec<(String, String)>,
    /// What they are by default.
    pub(crate) defaults: Vec<(String, String)>,
    /// The options that are a weight decay.
    pub(crate) decays: Vec<String>,
    /// The same rule with other options.
    pub(crate) with: Box<With>,
    /// The rule's type: what of the model one of its parameters sees is that of all others.
    pub(crate) family: core::any::TypeId,
    /// How the rule sees a tensor of this shape.
    pub(crate) view: fn(&[usize], bool) -> View,
    /// The rule for a tensor that is seen like this, if it is another.
    variant: Box<Variant>,
    /// Those that have been made.
    variants: Mutex<HashMap<View, Arc<Program>>>,
    /// The update, its sums inside.
    pub(crate) update: Arc<Graph>,
    /// The same, stage by stage.
    pub(crate) stages: Stages,
    /// [`Stages::sees_matrices`], which reads all of the graphs: each step asks.
    sees_matrices: bool,
    /// The stages as kernels run them, if they can.
    #[cfg(feature = "cube")]
    pub(crate) kernels: Option<crate::cube::Kernels>,
    pub(crate) evaluate: Graph,
    /// The scalars that it reads, lane by lane.
    judging: Vec<usize>,
    /// Is the rule with these options sound in each precision?
    pub(crate) trials: Trials,
}

impl Program {
    /// Checks the options and compiles the rule.
    pub(crate) fn new<U: Rule>(rule: U) -> Result<Self, InvalidOption> {
        rule.check()?;
        let states = rule.start().lanes();
        let stages = Stages::of(&rule)?;
        let coarse = stages.coarse().count();
        for (count, most, option) in [
            (states.len() - coarse, MAX_STATES, "states"),
            (coarse, MAX_LANES - MAX_STATES, "states of rows, columns and what is coarser"),
        ] {
            if count > most {
                return Err(InvalidOption {
                    owner: U::NAME,
                    option: option.into(),
                    value: count.to_string(),
                    allowed: format!("{most} at most"),
                });
            }
        }
        Ok(choose(&rule.clone(), Compile { rule, states, stages }))
    }

    /// Those of the scalars of a step that [`evaluate`](Program::evaluate) reads.
    pub(crate) fn judging<'a>(&'a self, scalars: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.judging.iter().map(|lane| scalars[*lane])
    }

    /// The scalars for [`evaluate`](Program::evaluate), of which it reads what
    /// [`judging`](Self::judging) kept of the step before. A state that an earlier version saved has
    /// kept nothing: then they are those of its last step with the options as they are now, and a
    /// learning rate of 0.
    pub(crate) fn judged_by(&self, kept: &[f64], t: u64, memory: &[f64]) -> Vec<f64> {
        if kept.len() != self.judging.len() {
            return (self.compute)(0.0, t.max(1), &mut memory.to_vec());
        }
        let mut scalars = vec![f64::NAN; self.lanes];
        self.judging.iter().zip(kept).for_each(|(lane, scalar)| scalars[*lane] = *scalar);
        scalars
    }

    /// How many sums the rule asks for.
    pub(crate) fn asked(&self) -> usize {
        let sums = self.stages.sums.iter().flat_map(|stage| &stage.sums);
        sums.map(|sum| sum.number + 1).max().unwrap_or(0)
    }

    /// The program for a parameter of this shape.
    pub(crate) fn for_shape(self: &Arc<Self>, shape: &Shape, by_columns: bool) -> Arc<Self> {
        let view = (self.view)(shape.as_slice(), by_columns);
        let Some(make) = (self.variant)(view) else { return self.clone() };
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(variant) = variants.get(&view) {
            return variant.clone();
        }
        // A rule that is allowed is allowed for all tensors.
        let variant = make().map_or_else(|_| self.clone(), Arc::new);
        variants.insert(view, variant.clone());
        variant
    }

    /// The tensor as the rule sees it: as one line where it knows no row and no column.
    pub(crate) fn seen(&self, view: View) -> View {
        if self.sees_matrices { view } else { View::vector(view.len()) }
    }

    /// The scalars of step `t` at a learning rate, then the factor of the gradient. The memory of the
    /// parameter is brought forward.
    pub(crate) fn scalars(
        &self,
        lr: f64,
        t: u64,
        view: View,
        factor: &Factor,
        memory: &mut Vec<f64>,
    ) -> Scalars {
        let (factor, on_device) = match factor {
            Factor::Number(factor) => (Some(*factor), vec![]),
            Factor::OnDevice(factor) => (None, vec![(self.lanes, (**factor).clone())]),
        };
        // The stream is the last that is remembered.
        let stream = memory.last().copied().unwrap_or(0.0) as u32;
        let draw = self.seed.map(|seed| Draw::new(seed, t, stream));
        let numbers = self.numbers(lr, t, factor, memory);
        Scalars { view: self.seen(view), numbers, on_device, draw }
    }

    /// The scalars that are numbers.
    fn numbers(&self, lr: f64, t: u64, factor: Option<f64>, memory: &mut Vec<f64>) -> Arc<[f64]> {
        let asked = (lr.to_bits(), t, factor.map(f64::to_bits));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Memo { of, before, after, numbers }) = &*last
            && *of == asked
            && before == memory
        {
            memory.clone_from(after);
            return numbers.clone();
        }
        let before = memory.clone();
        let rule = (self.compute)(lr, t, memory);
        let numbers: Arc<[f64]> = rule.into_iter().chain(factor).collect();
        let after = memory.clone();
        *last = Some(Memo { of: asked, before, after, numbers: numbers.clone() });
        numbers
    }
}

/// What every gradient is multiplied by.
#[derive(Clone, Debug)]
pub(crate) enum Factor {
    Number(f64),
    /// A tensor of one element.
    OnDevice(Box<DispatchTensor>),
}

/// Scalars, and what they were computed from.
struct Memo {
    /// Bits of the learning rate, step, bits of the factor.
    of: (u64, u64, Option<u64>),
    /// The memory before and after.
    before: Vec<f64>,
    after: Vec<f64>,
    numbers: Arc<[f64]>,
}

fn fingerprint<'a>(name: &'a str, kept: impl Iterator<Item = &'a (&'static str, f64)>) -> u64 {
    let names = kept.map(|(name, _)| *name);
    let text = core::iter::once(name).chain(names).collect::<Vec<_>>().join(" ");
    // FNV-1a: stable across versions and machines, unlike the hashers of std.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The lanes of the scalars that a graph reads.
fn scalars_of(graph: &Graph) -> Vec<usize> {
    let lane = |node: &Node| if let Node::Scalar(lane) = node { Some(*lane) } else { None };
    graph.nodes.iter().filter_map(lane).collect()
}

struct Compile<U> {
    rule: U,
    states: Vec<(&'static str, f64)>,
    stages: Stages,
}

impl<U: Rule> RuleVisitor for Compile<U> {
    type Output = Program;

    fn visit<P: Presence, Q: Presence>(self) -> Program {
        let Self { rule, states, stages } = self;
        let evaluate = trace_evaluate(&rule);
        let seed = rule.seed();
        let stream = seed.map(|_| (STREAM, 0.0));
        let streams = stream.iter().len();
        let memory = rule.memory().into_iter().chain(stream).collect::<Vec<_>>();
        Program {
            name: U::NAME,
            fingerprint: fingerprint(U::NAME, states.iter().chain(&memory)),
            states,
            memory,
            seed,
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            f32: Passes::of::<U, P, Q>(),
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            f64: Passes::of::<U, P, Q>(),
            #[cfg(feature = "cube")]
            kernels: crate::cube::Kernels::of(&stages, lanes::<U::Scalars<()>, Q>() + 1),
            sees_matrices: stages.sees_matrices(),
            stages,
            update: Arc::new(trace_update(&rule)),
            lanes: lanes::<U::Scalars<()>, Q>(),
            judging: scalars_of(&evaluate),
            evaluate,
            decays: (rule.bounds().into_iter())
                .filter(|bound| bound.role == Some(Role::WeightDecay))
                .map(|bound| bound.option.into_owned())
                .collect(),
            family: core::any::TypeId::of::<U>(),
            view: U::view,
            variant: {
                let rule = rule.clone();
                Box::new(move |view| {
                    let rule = rule.for_view(view)?;
                    Some(Box::new(move || Program::new(rule)))
                })
            },
            variants: Mutex::default(),
            trials: Trials::default(),
            options: to_pairs(&rule),
            defaults: to_pairs(&U::default()),
            with: {
                let rule = rule.clone();
                Box::new(move |options| Ok(Program::new(with_pairs(&rule, options)?)?))
            },
            compute: Box::new(move |lr, t, memory| {
                let remembered = memory.len() - streams;
                let memory = &mut memory[..remembered];
                let k = rule.remember(lr, t, rule.scalars(lr, t), memory);
                k.lanes().into_iter().map(|(_, value)| value).collect()
            }),
            last: Mutex::new(None),
        }
    }
}
