//! What the optimizers of other libraries are called here. A new optimizer is a new row.

mod adam_atan2_pytorch;
mod adam_mini;
mod apollo_torch;
mod burn_optim;
mod came_pytorch;
mod dadaptation;
mod formula;
mod galore_torch;
mod heavyball;
mod jaxopt;
mod keras;
mod kron_torch;
mod matrices;
mod numpy;
mod optax;
mod optimi;
mod prodigyopt;
mod pytorch_optimizer;
mod reasons;
mod schedulefree;
mod timm;
mod torch;

pub use matrices::{Aside, Listed};

use crate::{Point, Skip};
use matrices::COEFFICIENTS;
pub(crate) use matrices::{coefficients, is_on, kernels};

/// One optimizer of a library, or one of its variants.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The library's name of the optimizer.
    pub optimizer: &'static str,
    /// The row is for the cases where all of these hold. The first row that fits is taken.
    pub when: &'static [Condition],
    /// What it is here.
    pub ours: Ours,
}

/// A condition on a case.
#[derive(Clone, Copy, Debug)]
pub enum Condition {
    /// The hyper-parameter is there, and neither `null`, `false` nor 0.
    On(&'static str),
    /// It is not [`On`](Condition::On).
    Off(&'static str),
    /// The hyper-parameter is this word.
    Is(&'static str, &'static str),
    /// The hyper-parameter is a number that is greater.
    MoreThan(&'static str, f64),
    /// The learning rate changes from step to step.
    LrChanges,
    /// A tensor has more than two dimensions.
    Deep,
    /// A dimension of a matrix is larger than all others together, and at most the hyper-parameter.
    NullSpace(&'static str),
    /// There is more than one tensor.
    Several,
    /// The two largest dimensions of a tensor are not its last two, and as large as the hyper-parameter at
    /// least.
    LargestElsewhere(&'static str),
    /// A tensor has more than two dimensions, and the first two are larger than the hyper-parameter.
    FirstTwoLarger(&'static str),
}

/// What an optimizer of a library is here.
#[derive(Clone, Copy, Debug)]
pub enum Ours {
    /// One of our optimizers.
    Is {
        /// Our name of it.
        name: &'static str,
        /// Options that are always set.
        fixed: &'static [(&'static str, &'static str)],
        /// Which of our weights the library reports.
        point: Point,
        /// The library computes some of it in f32 even in its f64 run.
        low_precision: bool,
        /// The meaning of every hyper-parameter it may have: the first that is listed for it.
        hyper: &'static [&'static [(&'static str, Meaning)]],
        /// Its matrices are inputs × outputs, and that makes a difference.
        inputs_first: bool,
        /// The tensors that it leaves to an auxiliary rule, beside vectors.
        aside: &'static [Aside],
    },
    /// Something else, for this reason.
    Differs(&'static str),
}

/// What a hyper-parameter is here.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// The learning rate.
    Lr,
    /// The numeric option of this name.
    Number(&'static str),
    /// The same, where `null` or nothing stands for 0.
    NumberOrZero(&'static str),
    /// The option of this name that is true or false; `null` or nothing stands for false.
    Switch(&'static str),
    /// The same of two options.
    Switches([&'static str; 2]),
    /// The option of this name that is true where the hyper-parameter is false, `null` or nothing.
    Unless(&'static str),
    /// The numeric option of this name; where it is not there, this number.
    NumberOr(&'static str, f64),
    /// The option of this name; where the library does not report it and it was not given, or is `null`, it
    /// is at its default, which is ours.
    Given(&'static str),
    /// The learning rate as it was given, by default this one: what the library reports is what has become
    /// of it.
    GivenLr(f64),
    /// The numeric option of this name as it was given, by default ours: what the library reports is what has
    /// become of it.
    GivenNumber(&'static str),
    /// A list of two numbers, each the option of this name.
    Pair([&'static str; 2]),
    /// A list of two numbers, of which the first is the option of this name, and the second nothing.
    First(&'static str),
    /// A list of two numbers, of which the second is the option of this name, and the first nothing.
    Second(&'static str),
    /// A list of three numbers, each the option of this name.
    Triple([&'static str; 3]),
    /// One number that is two options.
    Both([&'static str; 2]),
    /// The learning rate, and the numeric option of this name.
    LrAnd(&'static str),
    /// The learning rate is this number in every step, whatever the hyper-parameter is.
    LrIs(f64),
    /// The numeric option of this name is the number and 1 more.
    OneMore(&'static str),
    /// The numeric option, first, is this number over the hyper-parameter of the other name.
    Over(&'static str, &'static str),
    /// The same, where `null` or nothing stands for 0.
    OverOrZero(&'static str, &'static str),
    /// The same, where `null` or nothing leaves it at its default, which is ours.
    Ratio(&'static str, &'static str),
    /// The numeric option of this name, and the option that is a word becomes this one; `null` or nothing leaves
    /// both as they are.
    Turns(&'static str, (&'static str, &'static str)),
    /// True or false, `null` or nothing for false: the option of this name is the second of these words, or the first.
    Flag(&'static str, [&'static str; 2]),
    /// An object: the option of this name, second, is what it has under this key, first, if it has it.
    Inside(&'static str, &'static str),
    /// The numeric option of this name is 1 less the number.
    Rest(&'static str),
    /// A number that stands for a word: the option of this name is the word that is listed beside it.
    Numbered(&'static str, &'static [(f64, &'static str)]),
    /// The coefficients of a Newton-Schulz iteration: a word, three numbers, or a list of three numbers a step, of which
    /// the word or the first number is listed beside our word; three others are our `own`.
    Coefficients(&'static [(Listed, &'static str)]),
    /// The axes of inputs and outputs of a kernel, of which the first is the outputs: the option of this name says what
    /// the matrices are.
    Axes(&'static str),
    /// The numeric option of this name is twice the number.
    Twice(&'static str),
    /// The numeric option of this name; where it is -1, the first number of the list of the other name.
    OrFirst(&'static str, &'static str),
    /// The numeric option of this name; where it is `null`, the second number of the list of the other name.
    OrSecond(&'static str, &'static str),
    /// The numeric option of this name is the number with the other sign; where it is not there, it is at its
    /// default, which is ours.
    Negative(&'static str),
    /// The numeric option of this name, where 0 stands for a number that is not finite.
    Finite(&'static str),
    /// A list of two numbers, each the option of this name; where the first is `null` it is this one.
    PairOr([&'static str; 2], f64),
    /// A word, or a number that stands for one: the option of this name is the word that is listed beside it; where it is `null` or not there, it is at its
    /// default, which is ours.
    Word(&'static str, &'static [(&'static str, &'static str)]),
    /// A word and a number: the number is the option that is listed for the word.
    Named(&'static [(&'static str, &'static str)]),
    /// The decay `d` of an average that starts at 0, where ours is a sum: the numeric option of
    /// this name, and the learning rate is to be multiplied with `1 - d`.
    Average(&'static str),
    /// We have it only switched off, for this reason.
    Off(&'static str),
    /// We have it only at this value, for this reason.
    Only(f64, &'static str),
    /// A condition reads it, so it must be there.
    Decides,
    /// It changes nothing, or nothing that a condition has not dealt with.
    Free,
}

/// The rows of every library.
pub const LIBRARIES: &[(&str, &[Row])] = &[
    ("adam_atan2_pytorch", adam_atan2_pytorch::ROWS),
    ("adam_mini", adam_mini::ROWS),
    ("apollo_torch", apollo_torch::ROWS),
    ("burn-optim", burn_optim::ROWS),
    ("came_pytorch", came_pytorch::ROWS),
    ("dadaptation", dadaptation::ROWS),
    ("formula", formula::ROWS),
    ("galore_torch", galore_torch::ROWS),
    ("heavyball", heavyball::ROWS),
    ("jaxopt", jaxopt::ROWS),
    ("keras", keras::ROWS),
    ("kron_torch", kron_torch::ROWS),
    ("numpy", numpy::ROWS),
    ("optax", optax::ROWS),
    ("optimi", optimi::ROWS),
    ("prodigyopt", prodigyopt::ROWS),
    ("pytorch_optimizer", pytorch_optimizer::ROWS),
    ("schedulefree", schedulefree::ROWS),
    ("timm", timm::ROWS),
    ("torch.optim", torch::ROWS),
];

/// Those that multiply in bf16 and whose files without an ending are of the library as it is.
const AS_IT_IS: [&str; 1] = ["scion"];

/// The name of an optimizer in the rows, from the one that its file has, whose ending may say how
/// the library was run.
pub(crate) fn plain_name(optimizer: &str) -> Result<&str, Skip> {
    if optimizer.ends_with("_kahan") {
        return Err(Skip::Bf16Weights);
    }
    if optimizer.ends_with("_bf16") || AS_IT_IS.contains(&optimizer) {
        return Err(Skip::Differs(reasons::BF16_INSIDE));
    }
    // The library, with a low precision that was fixed in it replaced by that of the weights.
    Ok(optimizer.strip_suffix("_patched").unwrap_or(optimizer))
}

/// The hyper-parameters of Adam that are called the same in PyTorch and here.
const ADAM: &[(&str, Meaning)] = &[
    ("lr", Meaning::Lr),
    ("betas", Meaning::Pair(["beta1", "beta2"])),
    ("eps", Meaning::Number("eps")),
    ("weight_decay", Meaning::Number("weight_decay")),
    ("amsgrad", Meaning::Switch("amsgrad")),
    ("maximize", Meaning::Switch("maximize")),
];

/// The hyper-parameters of SGD that are called the same in PyTorch and here.
const SGD: &[(&str, Meaning)] = &[
    ("lr", Meaning::Lr),
    ("momentum", Meaning::Number("momentum")),
    ("dampening", Meaning::Number("dampening")),
    ("nesterov", Meaning::Switch("nesterov")),
    ("maximize", Meaning::Switch("maximize")),
];

/// The sides of a matrix that GaLore projects.
const PROJECTIONS: &[(&str, &str)] = &[
    ("std", "std"),
    ("reverse_std", "reverse_std"),
    ("right", "right"),
    ("left", "left"),
    ("full", "full"),
];

/// What APOLLO scales.
const CHANNELS: &[(&str, &str)] = &[("channel", "channel"), ("tensor", "tensor")];

const EPS_OF_GALORE: &[(&str, Meaning)] = &[("eps", Meaning::Number("eps"))];

/// What GaLore and APOLLO do to tensors without a rank, as a second group of parameters.
const AUXILIARY_OF_GALORE: &[(&str, Meaning)] = &[
    // A condition has dealt with it, or it is that of the first group.
    ("auxiliary.lr", Meaning::Free),
    ("auxiliary.betas", Meaning::Pair(["auxiliary.beta1", "auxiliary.beta2"])),
    ("auxiliary.eps", Meaning::Number("auxiliary.eps_hat")),
    ("auxiliary.weight_decay", Meaning::Free),
    ("auxiliary.correct_bias", Meaning::Free),
    ("auxiliary.foreach", Meaning::Free),
    ("auxiliary.step", Meaning::Free),
];

/// APOLLO.
const OTHER_SIDE: &str =
    "APOLLO that projects another side than the shorter one, or decays in the gradient";

/// GaLore.
const LATE_DECAY: &str = "GaLore: the weight decay of vectors acts after their step; that of an auxiliary rule here is part \
     of it";

/// Why a velocity that holds the learning rate is ours only while the rate is constant.
const LR_IN_VELOCITY: &str = "its velocity holds the learning rate, ours does not: the same path \
                              only while the rate is constant";

/// StableAdamW.
const RMS_OF_TENSOR: &str =
    "StableAdamW's clipping around another rule; it is the option `stable` of AdamW";

/// A cautious step.
const CAUTION: &str = "a cautious step, which is an option of AdamW, Lion, ADOPT, LaProp, MARS, NAdam and SGD; a rule that is a chain gets \
     it by `Cautious`";

/// A row without conditions for this optimizer; what it is here comes next.
const fn row(optimizer: &'static str) -> Row {
    Row { optimizer, when: &[], ours: Ours::Differs("the row is not finished") }
}

impl Row {
    const fn when(self, when: &'static [Condition]) -> Self {
        Self { when, ..self }
    }

    const fn differs(self, reason: &'static str) -> Self {
        Self { ours: Ours::Differs(reason), ..self }
    }

    const fn is(
        self,
        name: &'static str,
        hyper: &'static [&'static [(&'static str, Meaning)]],
    ) -> Self {
        let (fixed, point, low_precision) = (&[] as &[_], Point::Trained, false);
        let (inputs_first, aside) = (false, &[] as &[_]);
        let ours = Ours::Is { name, fixed, point, low_precision, hyper, inputs_first, aside };
        Self { ours, ..self }
    }

    const fn fixed(mut self, to: &'static [(&'static str, &'static str)]) -> Self {
        if let Ours::Is { ref mut fixed, .. } = self.ours {
            *fixed = to;
        }
        self
    }

    const fn at(mut self, of: Point) -> Self {
        if let Ours::Is { ref mut point, .. } = self.ours {
            *point = of;
        }
        self
    }

    const fn low_precision(mut self) -> Self {
        if let Ours::Is { ref mut low_precision, .. } = self.ours {
            *low_precision = true;
        }
        self
    }

    const fn inputs_first(mut self) -> Self {
        if let Ours::Is { ref mut inputs_first, .. } = self.ours {
            *inputs_first = true;
        }
        self
    }

    const fn aside(mut self, tensors: &'static [Aside]) -> Self {
        if let Ours::Is { ref mut aside, .. } = self.ours {
            *aside = tensors;
        }
        self
    }
}
