//! A checked rule, ready to run: its code, and its options as values.

use crate::Place;
use crate::code::{Code, Forms};
use crate::matrices::Matrices;
use crate::scalars::Scalars;
use crate::state::tensor;
use crate::store::Keeping;
use crate::trial::Trials;
use burn::backend::DispatchTensor;
use burn::tensor::Shape;
use burn_descent_rules::noise::Draw;
use burn_descent_rules::{
    Auxiliary, Fields, InvalidOption, Keep, OptionError, Random, Rule, View, Whole, maximizes,
    outputs_first, set_numbers, to_pairs, values, with_pairs,
};
use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

/// A checked rule, ready to run.
pub(crate) struct Program {
    pub(crate) code: Arc<Code>,
    /// The name of the optimizer: that of its rule, or of the rule whose auxiliary one it is.
    pub(crate) name: &'static str,
    /// The codes of its rule, for programs of other options.
    forms: Forms,
    /// The rule with its options.
    pub(crate) values: Arc<dyn Values>,
    /// The seed of its random numbers, if it draws some.
    pub(crate) seed: Option<u64>,
    /// -1 where the loss is climbed, else 1.
    pub(crate) sign: f64,
    /// The options by name, once somebody has asked for them.
    options: OnceLock<Vec<(String, String)>>,
    /// The scalars that were asked for last: all parameters of a model ask for the same ones.
    last: Mutex<Option<Memo>>,
    /// The programs for tensors that are seen in one way, where they are others.
    variants: Mutex<HashMap<(View, bool), Arc<Program>>>,
    /// Is the rule with these options sound in each precision?
    pub(crate) trials: Trials,
}

/// A rule with its options, whatever its type.
pub(crate) trait Values: Send + Sync {
    fn scalars(&self, lr: f64, t: u64, memory: &mut [f64], loss: Option<f64>) -> Vec<f64>;
    fn starts(&self) -> Vec<f64>;
    fn memory(&self) -> Vec<f64>;
    fn options(&self) -> Vec<(String, String)>;
    fn with(&self, options: &[(&str, &str)], forms: &Forms) -> Result<Program, OptionError>;
    fn set(&self, numbers: &[(&str, f64)], forms: &Forms) -> Result<Program, OptionError>;
    fn is_another_for(&self, view: View, is_auxiliary: bool) -> bool;
    fn for_view(&self, view: View, is_auxiliary: bool, forms: &Forms) -> Option<Program>;
    fn whole(&self, x: Matrices, kept: &mut [Matrices], at: &mut Whole) -> Matrices;
    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep>;
    fn has_auxiliary(&self) -> bool;
}

/// The auxiliary rule of `rule`, for a tensor that it is for.
fn auxiliary_of<U: Rule>(rule: &U, view: View, is_auxiliary: bool) -> Option<&Auxiliary> {
    rule.auxiliary().filter(|_| is_auxiliary || view.is_vector())
}

/// The codes of the auxiliary rule, which is one for all rules.
static AUXILIARY: LazyLock<Forms> = LazyLock::new(Forms::default);

impl<U: Rule> Values for U {
    fn scalars(&self, lr: f64, t: u64, memory: &mut [f64], loss: Option<f64>) -> Vec<f64> {
        let k = self.remember(lr, t, Rule::scalars(self, lr, t), memory);
        let k = match loss {
            Some(loss) if U::LOSS => self.with_loss(k, loss),
            _ => k,
        };
        values(k.lanes())
    }

    fn starts(&self) -> Vec<f64> {
        values(self.start().lanes())
    }

    fn memory(&self) -> Vec<f64> {
        values(Rule::memory(self))
    }

    fn options(&self) -> Vec<(String, String)> {
        to_pairs(self)
    }

    fn with(&self, options: &[(&str, &str)], forms: &Forms) -> Result<Program, OptionError> {
        Ok(Program::of(with_pairs(self, options)?, forms)?)
    }

    fn set(&self, numbers: &[(&str, f64)], forms: &Forms) -> Result<Program, OptionError> {
        Ok(Program::of(set_numbers(self, numbers)?, forms)?)
    }

    fn is_another_for(&self, view: View, is_auxiliary: bool) -> bool {
        auxiliary_of(self, view, is_auxiliary).is_some() || Rule::for_view(self, view).is_some()
    }

    fn for_view(&self, view: View, is_auxiliary: bool, forms: &Forms) -> Option<Program> {
        // A rule that is allowed is allowed for all tensors.
        if let Some(auxiliary) = auxiliary_of(self, view, is_auxiliary) {
            let mut program = Program::of(auxiliary.clone(), &AUXILIARY).ok()?;
            program.name = U::NAME;
            program.sign = if maximizes(self) { -1.0 } else { 1.0 };
            return Some(program);
        }
        Program::of(Rule::for_view(self, view)?, forms).ok()
    }

    fn whole(&self, x: Matrices, kept: &mut [Matrices], at: &mut Whole) -> Matrices {
        Rule::whole(self, x, kept, at)
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        Rule::keeps(self, view, dims)
    }

    fn has_auxiliary(&self) -> bool {
        self.auxiliary().is_some()
    }
}

impl Program {
    /// Checks the options and compiles the rule.
    pub(crate) fn new<U: Rule>(rule: U) -> Result<Self, InvalidOption> {
        rule.check()?;
        Self::of(rule, &Forms::default())
    }

    /// The program of a checked rule of which these forms have been compiled.
    fn of<U: Rule>(rule: U, forms: &Forms) -> Result<Self, InvalidOption> {
        Ok(Self {
            code: Code::of(&rule, forms)?,
            name: U::NAME,
            forms: forms.clone(),
            seed: rule.seed(),
            sign: if maximizes(&rule) { -1.0 } else { 1.0 },
            values: Arc::new(rule),
            options: OnceLock::new(),
            last: Mutex::new(None),
            variants: Mutex::default(),
            trials: Trials::default(),
        })
    }

    /// The options by name.
    pub(crate) fn options(&self) -> &[(String, String)] {
        self.options.get_or_init(|| self.values.options())
    }

    /// The same rule with other options, given by name.
    pub(crate) fn with(&self, options: &[(&str, &str)]) -> Result<Self, OptionError> {
        self.values.with(options, &self.forms)
    }

    /// The same rule with these numbers as options.
    pub(crate) fn set(&self, numbers: &[(&str, f64)]) -> Result<Self, OptionError> {
        self.values.set(numbers, &self.forms)
    }

    /// The values of the states before the first step.
    pub(crate) fn starts(&self) -> Vec<f64> {
        self.values.starts()
    }

    /// What is remembered once for a parameter, before the first step; the stream of its noise is the last.
    pub(crate) fn memory(&self) -> Vec<f64> {
        let mut memory = self.values.memory();
        memory.resize(self.code.memory.len(), 0.0);
        memory
    }

    /// The scalars of step `t` at a learning rate, and at this loss if the rule needs it; the memory is brought
    /// forward.
    pub(crate) fn compute(
        &self,
        lr: f64,
        t: u64,
        memory: &mut [f64],
        loss: Option<f64>,
    ) -> Vec<f64> {
        let remembered = memory.len() - usize::from(self.seed.is_some());
        // Where the gradient is turned around, so is the loss.
        let loss = loss.map(|loss| self.sign * loss);
        self.values.scalars(lr, t, &mut memory[..remembered], loss)
    }

    /// Those of the scalars of a step that `evaluate` reads.
    pub(crate) fn kept<'a>(&'a self, scalars: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.code.evaluate_reads.iter().map(|lane| scalars[*lane])
    }

    /// The scalars for `evaluate`, of which it reads what was [kept](Self::kept) of the step before. A
    /// state that an earlier version saved has kept nothing: then they are those of its last step with the
    /// options as they are now, and a learning rate of 0.
    pub(crate) fn scalars_kept(&self, kept: &[f64], t: u64, memory: &[f64]) -> Vec<f64> {
        if kept.len() != self.code.evaluate_reads.len() {
            return self.compute(0.0, t.max(1), &mut memory.to_vec(), None);
        }
        let mut scalars = vec![f64::NAN; self.code.lanes];
        self.code
            .evaluate_reads
            .iter()
            .zip(kept)
            .for_each(|(lane, scalar)| scalars[*lane] = *scalar);
        scalars
    }

    /// The program for a parameter of this shape.
    pub(crate) fn for_shape(self: &Arc<Self>, shape: &Shape, place: Place) -> Arc<Self> {
        let (view, is_auxiliary) = (self.code.view_of(shape, place), place.is_auxiliary);
        if !self.values.is_another_for(view, is_auxiliary) {
            return self.clone();
        }
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(variant) = variants.get(&(view, is_auxiliary)) {
            return variant.clone();
        }
        let Some(variant) = self.values.for_view(view, is_auxiliary, &self.forms).map(Arc::new)
        else {
            return self.clone();
        };
        variants.insert((view, is_auxiliary), variant.clone());
        variant
    }

    /// The scalars of step `t` at a learning rate, then the factor of the gradient. The memory of the
    /// parameter is brought forward.
    pub(crate) fn scalars(
        &self,
        lr: f64,
        t: u64,
        parameter: Shown<'_>,
        factor: &Factor,
        memory: &mut Vec<f64>,
        loss: Option<f64>,
    ) -> Scalars {
        let (factor, on_device) = match factor {
            Factor::Number(factor) => (Some(*factor), vec![]),
            Factor::OnDevice(factor) => (None, vec![(self.code.lanes, factor.clone())]),
        };
        // The stream is the last that is remembered.
        let stream = memory.last().copied().unwrap_or(0.0) as u32;
        let draw = self.seed.map(|seed| Draw::new(seed, t, stream));
        let numbers = self.numbers([Some(lr), factor, loss], t, memory);
        let Shown { shape, view, place, failed, keeping } = parameter;
        let random = Random { draw, ..Random::default() };
        let asked = self.code.sees_whole.then(|| {
            let dims = outputs_first(shape.as_slice(), place.by_columns);
            let (memory, failed) = (memory.clone(), failed.clone());
            self.asked(Whole { number: 0, t, lr, view, dims, memory, random, failed })
        });
        Scalars { view: self.code.seen(view), numbers, on_device, draw, asked, keeping }
    }

    /// The scalars that are numbers, of learning rate, factor and loss.
    fn numbers(&self, of: [Option<f64>; 3], t: u64, memory: &mut Vec<f64>) -> Arc<[f64]> {
        let asked = (of.map(|number| number.map(f64::to_bits)), t);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Memo { of, before, after, numbers }) = &*last
            && *of == asked
            && before == memory
        {
            memory.clone_from(after);
            return numbers.clone();
        }
        let before = memory.clone();
        let [lr, factor, loss] = of;
        let rule = self.compute(lr.unwrap_or_default(), t, memory, loss);
        let numbers: Arc<[f64]> = rule.into_iter().chain(factor).collect();
        let after = memory.clone();
        *last = Some(Memo { of: asked, before, after, numbers: numbers.clone() });
        numbers
    }
}

/// A parameter that is stepped.
pub(crate) struct Shown<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) view: View,
    pub(crate) place: Place,
    /// Where refreshes of its matrices that fail are counted.
    pub(crate) failed: &'a Arc<AtomicU64>,
    /// How it and its states are kept, where they are not as they are computed.
    pub(crate) keeping: Option<Arc<Keeping>>,
}

/// What every gradient is multiplied by.
#[derive(Clone, Debug)]
pub(crate) enum Factor {
    Number(f64),
    /// A tensor of one element.
    OnDevice(Arc<DispatchTensor>),
}

impl Factor {
    /// The product with a number.
    pub(crate) fn times(&self, number: f64) -> Self {
        match self {
            same if number == 1.0 => same.clone(),
            Self::Number(factor) => Self::Number(factor * number),
            Self::OnDevice(factor) => {
                let product = tensor(factor).mul_scalar(number);
                Self::OnDevice(Arc::new(product.into_dispatch()))
            }
        }
    }
}

/// Scalars, and what they were computed from.
struct Memo {
    /// Bits of learning rate, factor and loss, and the step.
    of: ([Option<u64>; 3], u64),
    /// The memory before and after.
    before: Vec<f64>,
    after: Vec<f64>,
    numbers: Arc<[f64]>,
}
