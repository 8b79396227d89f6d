//! The options of a `Descent`.

use super::group::AnyOptimizer;
use super::search::Search;
use super::{Group, LossScale, NotFinite, Select, Settings, Transform};
use crate::Schedule;
use crate::averaging::{Average, Lookahead, Mechanic};
use burn::optim::Optimizer;
use burn_descent_engine::Store;
use burn_descent_rules::schedules::ReduceOnPlateau;
use burn_descent_rules::{InvalidOption, Range};
use std::sync::Arc;

/// Builds a [`Descent`](crate::Descent): see [`Descent::builder`](crate::Descent::builder).
pub struct Builder {
    pub(super) groups: Vec<Group>,
    pub(super) lr: Option<Arc<dyn Schedule>>,
    pub(super) matrices_only: bool,
    pub(super) settings: Settings,
}

impl Builder {
    pub(super) fn new(optimizer: impl Optimizer) -> Self {
        Self::of(AnyOptimizer::new(optimizer))
    }

    /// With a search that moves the weights itself.
    pub(super) fn searching(search: impl Search) -> Self {
        let (name, vectors) = (search.name(), search.vectors());
        Self::of(AnyOptimizer::Search { name, vectors }).search(search)
    }

    fn of(optimizer: AnyOptimizer) -> Self {
        Self {
            groups: vec![Group::of("all", Select::all(), optimizer)],
            lr: None,
            matrices_only: false,
            settings: Settings {
                transforms: Vec::new(),
                clip_norm: None,
                not_finite: NotFinite::default(),
                accumulate: 1,
                average: None,
                keep_average: Store::F32,
                lookahead: None,
                mechanic: None,
                loss_scale: None,
                plateau: None,
                search: None,
                measure_every: None,
                empty_steps: false,
            },
        }
    }

    /// Adds a group of parameters with an optimizer or schedules of their own.
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// The learning rate, the same at every step, of every group that has none of its own. It must be
    /// finite and >= 0; [`build`](Self::build) refuses it otherwise.
    pub fn lr(self, lr: f64) -> Self {
        self.schedule(lr)
    }

    /// The learning rate as a schedule of the step, of every group that has none of its own.
    pub fn schedule(mut self, lr: impl Schedule) -> Self {
        self.lr = Some(Arc::new(lr));
        self
    }

    /// Weight decay for matrices and what has more dimensions, none for vectors: biases and the
    /// scales of normalisation.
    ///
    /// For vectors every option that is a [weight decay](crate::Fused::weight_decays), whatever its name,
    /// is 0, scheduled or not. The [plan](crate::Descent::plan) shows what is left, and `-` for an
    /// optimizer that has none. [`build`](Self::build) refuses it where no optimizer has one.
    pub fn decay_matrices_only(mut self) -> Self {
        self.matrices_only = true;
        self
    }

    /// Multiplies all learning rates by a factor that falls when a metric, given to
    /// [`Descent::observe_metric`](crate::Descent::observe_metric), stops improving. The value of `plateau` is the factor,
    /// which usually begins at 1.
    pub fn reduce_on_plateau(mut self, plateau: ReduceOnPlateau) -> Self {
        self.settings.plateau = Some(plateau);
        self
    }

    /// Scales all gradients of a step by one factor, so that the norm of all of them together is
    /// `max_norm` at most (Pascanu et al. 2012, <https://arxiv.org/abs/1211.5063>).
    ///
    /// The norm is taken after every transform of single gradients. The factor is folded into the
    /// optimizers' pass; on a GPU both stay on the device, and nothing waits for them. `max_norm > 0`, else
    /// [`build`](Self::build) refuses it.
    pub fn clip_norm(mut self, max_norm: f64) -> Self {
        self.settings.clip_norm = Some(max_norm);
        self
    }

    /// Clamps every element of the gradients to `[-limit, limit]`: [`Transform::clip_value`].
    pub fn clip_value(self, limit: f64) -> Self {
        self.transform(Transform::clip_value(limit))
    }

    /// Adds a transform of each gradient. Transforms are applied in the order in which they are added.
    pub fn transform(mut self, transform: Transform) -> Self {
        self.settings.transforms.push(transform);
        self
    }

    /// What to do when a gradient is not finite. Anything but [`NotFinite::Allow`] reads the norm
    /// of the gradients: a GPU waits for it.
    pub fn not_finite(mut self, policy: NotFinite) -> Self {
        self.settings.not_finite = policy;
        self
    }

    /// Scales the loss, for training in f16. A step whose gradients overflow is skipped; if they
    /// do at the least scale, [`not_finite`](Self::not_finite) decides, which is then
    /// [`NotFinite::Skip`] by default.
    pub fn loss_scale(mut self, scale: LossScale) -> Self {
        self.settings.loss_scale = Some(scale);
        self
    }

    /// A step for every `count` calls: with the mean of their gradients, which is that of one batch of
    /// `count` times the size. [`Descent::flush`](crate::Descent::flush) takes the step before all are
    /// there.
    pub fn accumulate(mut self, count: u32) -> Self {
        self.settings.accumulate = count;
        self
    }

    /// Averages the weights along the walk; [`Descent::evaluate`](crate::Descent::evaluate) gives the averaged ones.
    pub fn average(mut self, average: impl Into<Average>) -> Self {
        self.settings.average = Some(average.into());
        self
    }

    /// Keeps the [average](Self::average) of weights in f32 and less so. `Store::Bf16(Rounding::Stochastic)` halves its
    /// memory and is right on average; rounded to the nearest, an average of many steps stands still, for a share of a step is
    /// less than what tells two numbers apart.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use burn_descent::{AdamW, Build, Descent, Ema, Rounding, Store};
    ///
    /// let model = burn::nn::LinearConfig::new(64, 64).init(&Device::default().autodiff());
    /// let descent = Descent::builder(AdamW::new().build()?)
    ///     .average(Ema::new(0.999))
    ///     .keep_average(Store::Bf16(Rounding::Stochastic))
    ///     .lr(1e-3)
    ///     .build(&model)?;
    /// assert_eq!(descent.plan().kept, [("average", 2 * (64 * 64 + 64))]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Other formats than f32 and bf16 are refused by [`build`](Self::build): in a byte, and in f16 near 0, an average does not move.
    pub fn keep_average(mut self, store: Store) -> Self {
        self.settings.keep_average = store;
        self
    }

    /// Adds Lookahead: every few steps the weights go back part of the way.
    pub fn lookahead(mut self, lookahead: Lookahead) -> Self {
        self.settings.lookahead = Some(lookahead);
        self
    }

    /// Adds Mechanic, which tunes a factor of the optimizers' steps.
    pub fn mechanic(mut self, mechanic: Mechanic) -> Self {
        self.settings.mechanic = Some(mechanic);
        self
    }

    /// Takes gradients at other points than the weights: by [`Sam`](crate::Sam), [`Asam`](crate::Asam),
    /// [`Ahead`](crate::Ahead), or a [`Search`] of your own. Steps are taken with
    /// [`Descent::step_with`](crate::Descent::step_with).
    pub fn search(mut self, search: impl Search) -> Self {
        self.settings.search = Some(Arc::new(search));
        self
    }

    /// Accepts a step in which no parameter has a gradient, and changes nothing then; by default such a step is refused. For
    /// training that freezes everything for a while.
    pub fn allow_empty_steps(mut self) -> Self {
        self.settings.empty_steps = true;
        self
    }

    /// Measures every `every` steps how far the weights moved, and [reports](crate::Report) it. Such a step copies the weights
    /// and reads them twice more; on a GPU the numbers stay on the device until they are read.
    pub fn measure_updates(mut self, every: u64) -> Self {
        self.settings.measure_every = Some(every);
        self
    }

    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        let settings = &self.settings;
        let bounds = [
            settings.clip_norm.map(|norm| Range::Positive.of("clip_norm", norm)),
            Some(Range::Positive.of("accumulate", f64::from(settings.accumulate))),
            settings.measure_every.map(|every| Range::Positive.of("measure_updates", every as f64)),
        ];
        bounds.iter().flatten().try_for_each(|bound| bound.check("descent"))?;
        settings.transforms.iter().try_for_each(Transform::check)?;
        settings.average.iter().try_for_each(Average::check)?;
        check_kept_average(settings.keep_average)?;
        settings.lookahead.iter().try_for_each(Lookahead::check)?;
        settings.mechanic.iter().try_for_each(Mechanic::check)?;
        settings.loss_scale.iter().try_for_each(LossScale::check)?;
        settings.plateau.iter().try_for_each(ReduceOnPlateau::check)?;
        settings.search.iter().try_for_each(|search| search.check())
    }
}

fn check_kept_average(store: Store) -> Result<(), InvalidOption> {
    match store {
        Store::F32 | Store::Bf16(_) => Ok(()),
        other => Err(InvalidOption {
            owner: "descent",
            option: "keep_average".into(),
            value: other.to_string(),
            allowed: "f32, bf16 or bf16-stochastic: an average moves by less than what tells two numbers of others apart"
                .into(),
        }),
    }
}
