//! What a life is made of, at random.

use burn_descent::{
    Adafactor, AdamW, Build, Builder, Descent, Ema, Group, Lamb, Lion, Lookahead, Nesterov,
    NotFinite, Prodigy, Select, Sgd, Swa, schedules::Linear,
};
use proptest::prelude::*;
use proptest::sample::select;

/// A model, a walk, and what is done with them.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Layers at the beginning.
    pub(crate) layers: usize,
    /// Is the first matrix large enough to be stepped by all threads together?
    pub(crate) large: bool,
    /// Does the model hold the first matrix in a second place?
    pub(crate) tied: bool,
    /// In f64, or in f32?
    pub(crate) wide: bool,
    pub(crate) rule: Rule,
    /// The rule of the vectors, if they are a group.
    pub(crate) vectors: Option<Rule>,
    pub(crate) accumulate: u32,
    pub(crate) options: Options,
    pub(crate) actions: Vec<Action>,
}

/// What may change while states are kept.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) lr: f64,
    /// Does the learning rate fall?
    pub(crate) falls: bool,
    pub(crate) decay: f64,
    pub(crate) matrices_only: bool,
    pub(crate) clip: Option<f64>,
    pub(crate) policy: NotFinite,
    pub(crate) mean: Option<Mean>,
    pub(crate) lookahead: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Mean {
    Ema(f64),
    Swa(u64, u64),
}

/// The rules that are written by hand a second time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    Momentum,
    AdamW,
    Lion,
    /// Is evaluated elsewhere.
    Nesterov,
    /// Sums over the tensor.
    Lamb,
    /// Has states of rows and columns.
    Adafactor,
    /// Sums over the model.
    Prodigy,
    /// burn's own SGD.
    Burns,
}

/// What is done between two looks at the model. Numbers of parameters are taken modulo how many there are.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Step(Gradients),
    Flush,
    Freeze(usize),
    Thaw(usize),
    FreezeAll,
    /// Somebody else changes the weights of a parameter, as clipping of weights does.
    Halve(usize),
    /// Keeps a clone of the model.
    Hold,
    /// Goes on with that clone.
    GoOnWithHeld,
    Save,
    /// Takes up what was saved, in a new process or in this one.
    Restore {
        anew: bool,
    },
    /// Builds the walk anew.
    Forget,
    /// A fresh walk as this one.
    Fresh,
    /// A new layer: for a walk that is built for it and takes up what fits, or for the walk as it is.
    Grow {
        taken_up: bool,
    },
    Change(Options),
    Cast {
        wide: bool,
    },
    Move,
}

/// The gradients of one call.
#[derive(Clone, Debug)]
pub(crate) struct Gradients {
    pub(crate) seed: u64,
    /// From a loss, or given.
    pub(crate) by_autodiff: bool,
    /// A bit for each parameter that has none.
    pub(crate) missing: u8,
    /// A parameter whose first number is another one.
    pub(crate) odd: Option<(usize, Odd)>,
    /// The weight of the micro-batch.
    pub(crate) weight: f64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Odd {
    /// All numbers of the parameter.
    Zeros,
    Tiny,
    Huge,
    Infinite,
    NotANumber,
}

impl Odd {
    /// The number in a life that is in f64 all along, or in one that is not: in f32 no square must leave the range that
    /// the reference has.
    pub(crate) fn number(self, wide: bool) -> f64 {
        match self {
            Odd::Zeros => 0.0,
            Odd::Tiny if wide => 1e-310,
            Odd::Huge if wide => 1e200,
            Odd::Tiny | Odd::Huge => 8.0,
            Odd::Infinite => f64::INFINITY,
            Odd::NotANumber => f64::NAN,
        }
    }
}

impl Rule {
    pub(crate) fn decays(self) -> bool {
        !matches!(self, Rule::Nesterov | Rule::Burns)
    }

    fn group(self, name: &str, of: Select, options: &Options) -> Group {
        let decay = options.decay;
        let built = match self {
            Rule::Momentum => Sgd::new().momentum(0.9).weight_decay(decay).build(),
            Rule::AdamW => AdamW::new().beta2(0.99).weight_decay(decay).build(),
            Rule::Lion => Lion::new().weight_decay(decay).build(),
            Rule::Nesterov => Nesterov::new().build(),
            Rule::Lamb => Lamb::new().weight_decay(decay).build(),
            Rule::Adafactor => Adafactor::new().relative_step(false).weight_decay(decay).build(),
            Rule::Prodigy => Prodigy::new().d0(0.01).weight_decay(decay).build(),
            Rule::Burns => {
                // A momentum that f32 holds, for burn keeps it so.
                let momentum = burn::optim::momentum::MomentumConfig::new();
                let momentum = momentum.with_momentum(0.5).with_dampening(0.0);
                let sgd = burn::optim::SgdConfig::new().with_momentum(Some(momentum));
                return Group::new(name, of, sgd.build());
            }
        };
        Group::new(name, of, built.expect("it is allowed"))
    }
}

/// The steps after which a learning rate that falls is a quarter, and a decay of vectors nothing.
pub(crate) const FALL: u64 = 8;

/// The learning rate of vectors that are a group.
pub(crate) const LR_OF_VECTORS: f64 = 0.05;

impl Life {
    /// The walk that is asked for.
    pub(crate) fn builder(&self, options: &Options) -> Builder {
        let all = self.rule.group("everything", Select::all(), options);
        // A group of all that there is: what the walk begins with has no parameter.
        let nothing = Sgd::new().build().expect("defaults are allowed");
        let mut builder = Descent::builder(nothing).group(all);
        if let Some(rule) = self.vectors {
            let mut group = rule.group("vectors", Select::rank(1), options).lr(LR_OF_VECTORS);
            if rule.decays() {
                group = group.option("weight_decay", Linear::new(options.decay, FALL));
            }
            builder = builder.group(group);
        }
        builder = match options.falls {
            true => builder.schedule(Linear::new(options.lr, FALL).end(options.lr / 4.0)),
            false => builder.lr(options.lr),
        };
        if self.only_matrices_decay(options) {
            builder = builder.decay_matrices_only();
        }
        if let Some(most) = options.clip {
            builder = builder.clip_norm(most);
        }
        builder = match options.mean {
            Some(Mean::Ema(decay)) => builder.average(Ema::new(decay)),
            Some(Mean::Swa(start, every)) => builder.average(Swa::new(start, every)),
            None => builder,
        };
        if let Some(k) = options.lookahead {
            builder = builder.lookahead(Lookahead::new().k(k).alpha(0.5));
        }
        builder.not_finite(options.policy).accumulate(self.accumulate)
    }

    /// burn's optimizers have no decay that could be switched off.
    pub(crate) fn only_matrices_decay(&self, options: &Options) -> bool {
        let rules = [Some(self.rule), self.vectors];
        let is_burns = rules.iter().flatten().any(|rule| *rule == Rule::Burns);
        options.matrices_only && !is_burns
    }

    /// Is it in f64 all along?
    pub(crate) fn stays_wide(&self) -> bool {
        self.wide && !self.actions.iter().any(|action| matches!(action, Action::Cast { .. }))
    }

    /// Does burn keep a state, in the precision in which it was made?
    pub(crate) fn has_foreign(&self) -> bool {
        [Some(self.rule), self.vectors].contains(&Some(Rule::Burns))
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    use Rule::*;
    select(&[Momentum, AdamW, Lion, Nesterov, Lamb, Adafactor, Prodigy, Burns][..])
}

fn options() -> impl Strategy<Value = Options> {
    let mean = prop_oneof![
        2 => Just(None),
        2 => select(&[0.5, 0.9][..]).prop_map(|decay| Some(Mean::Ema(decay))),
        1 => (1..5_u64, 1..3_u64).prop_map(|(start, every)| Some(Mean::Swa(start, every))),
    ];
    let policy = [NotFinite::Allow, NotFinite::Skip, NotFinite::Error, NotFinite::Zero];
    let numbers = (select(&[0.01, 0.1][..]), any::<bool>(), select(&[0.0, 0.1][..]));
    let around = (
        any::<bool>(),
        proptest::option::of(select(&[0.1, 1.0, 10.0][..])),
        select(policy.to_vec()),
        mean,
        proptest::option::weighted(0.3, 1..4_u64),
    );
    (numbers, around).prop_map(|((lr, falls, decay), around)| {
        let (matrices_only, clip, policy, mean, lookahead) = around;
        Options { lr, falls, decay, matrices_only, clip, policy, mean, lookahead }
    })
}

fn gradients() -> impl Strategy<Value = Gradients> {
    use Odd::*;
    let odd = (0..8_usize, select(&[Zeros, Tiny, Huge, Infinite, NotANumber][..]));
    (
        0..1000_u64,
        any::<bool>(),
        prop_oneof![3 => Just(0_u8), 1 => any::<u8>()],
        proptest::option::weighted(0.15, odd),
        select(&[1.0, 1.0, 0.5, 3.0][..]),
    )
        .prop_map(|(seed, by_autodiff, missing, odd, weight)| Gradients {
            seed,
            by_autodiff,
            missing,
            odd,
            weight,
        })
}

fn action() -> impl Strategy<Value = Action> {
    use Action::*;
    prop_oneof![
        20 => gradients().prop_map(Step),
        2 => Just(Flush),
        3 => (0..8_usize).prop_map(Freeze),
        3 => (0..8_usize).prop_map(Thaw),
        1 => Just(FreezeAll),
        1 => (0..8_usize).prop_map(Halve),
        2 => Just(Hold),
        2 => Just(GoOnWithHeld),
        3 => Just(Save),
        3 => any::<bool>().prop_map(|anew| Restore { anew }),
        1 => Just(Forget),
        1 => Just(Fresh),
        1 => any::<bool>().prop_map(|taken_up| Grow { taken_up }),
        2 => options().prop_map(Change),
        1 => any::<bool>().prop_map(|wide| Cast { wide }),
        1 => Just(Move),
    ]
}

pub(crate) fn life() -> impl Strategy<Value = Life> {
    let model =
        (1..3_usize, proptest::bool::weighted(0.003), any::<bool>(), proptest::bool::weighted(0.7));
    let walk =
        (rule(), proptest::option::weighted(0.4, rule()), prop_oneof![2 => Just(1), 1 => 2..4_u32]);
    let actions = prop::collection::vec(action(), 1..40);
    (model, walk, options(), actions).prop_map(|(model, walk, options, actions)| {
        let (layers, large, tied, wide) = model;
        let (rule, vectors, accumulate) = walk;
        // burn reads its states in f32.
        let wide = wide && rule != Rule::Burns && vectors != Some(Rule::Burns);
        Life { layers, large, tied, wide, rule, vectors, accumulate, options, actions }
    })
}
