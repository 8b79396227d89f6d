//! The optimizers train models, with burn's own autodiff around them.

use crate::subject::Walker;
use crate::{Subject, bits};
use burn::module::{Module, Param, ParamGroup};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use burn_descent::{Build, Sgd};

/// A linear model `x ↦ x w + b`.
#[derive(Module, Debug)]
pub(crate) struct Line {
    /// Weights.
    pub(crate) w: Param<Tensor<2>>,
    /// Bias.
    pub(crate) b: Param<Tensor<1>>,
}

impl Line {
    /// The model on the device with autodiff.
    pub(crate) fn new(subject: &Subject) -> Self {
        let device = subject.device.clone().autodiff();
        let w =
            Tensor::from_data(subject.tensor::<2>(1, [4, 2]).into_data(), (&device, subject.dtype));
        let b =
            Tensor::from_data(subject.tensor::<1>(2, [2]).into_data(), (&device, subject.dtype));
        Self { w: Param::from_tensor(w.require_grad()), b: Param::from_tensor(b.require_grad()) }
    }

    /// The mean squared error on fixed data.
    pub(crate) fn loss(&self, subject: &Subject) -> Tensor<1> {
        self.loss_of(subject, 0..16)
    }

    /// The mean squared error on some of the sixteen examples.
    pub(crate) fn loss_of(&self, subject: &Subject, rows: core::ops::Range<usize>) -> Tensor<1> {
        let device = self.w.val().device();
        let x = Tensor::<2>::from_data(
            subject.tensor::<2>(3, [16, 4]).into_data(),
            (&device, subject.dtype),
        );
        let x = x.slice([rows, 0..4]);
        let truth = Tensor::<2>::from_data(
            subject.tensor::<2>(4, [4, 2]).into_data(),
            (&device, subject.dtype),
        );
        let error = x.clone().matmul(self.w.val()) + self.b.val().unsqueeze() - x.matmul(truth);
        (error.clone() * error).mean()
    }

    /// `steps` steps of burn's walk.
    pub(crate) fn walk(
        self,
        subject: &Subject,
        optimizer: &mut ModuleOptimizer,
        steps: usize,
    ) -> Self {
        self.train(subject, steps, |model, gradients| {
            optimizer.step(subject.lr(), model, gradients)
        })
    }

    /// `steps` steps of training.
    fn train(
        mut self,
        subject: &Subject,
        steps: usize,
        mut step: impl FnMut(Self, GradientsParams) -> Self,
    ) -> Self {
        for _ in 0..steps {
            let gradients = GradientsParams::from_grads(self.loss(subject).backward(), &self);
            self = step(self, gradients);
        }
        self
    }

    /// The bits of all weights.
    pub(crate) fn bits(&self) -> Vec<u8> {
        [bits(&self.w.val()), bits(&self.b.val())].concat()
    }
}

fn loss(model: &Line, subject: &Subject) -> f32 {
    model.loss(subject).into_scalar()
}

/// The loss falls, of the trained weights and of those to evaluate with.
pub(crate) fn descends(subject: &Subject) {
    let model = Line::new(subject);
    let mut walker = Walker::new(subject, subject.lr(), &model);
    let mut step = |model, gradients| walker.step(subject.lr(), model, gradients);
    let mut losses = vec![loss(&model, subject)];
    let model = model.train(subject, 20, &mut step);
    losses.push(loss(&model, subject));
    let model = model.train(subject, 20, &mut step);
    losses.push(loss(&model, subject));
    assert!(losses[0] > losses[1] && losses[1] > losses[2], "losses {losses:?}");
    let evaluated = loss(&walker.evaluate(&model), subject);
    // An average may be slow, and is on the way.
    let most = if subject.candidate.page.evaluated.is_empty() { losses[1] } else { losses[0] };
    assert!(evaluated < most, "evaluated at {evaluated} after {losses:?}");
}

/// In a parameter group the optimizer steps the parameters of the group, and no others.
pub(crate) fn groups(subject: &Subject) {
    let one_step = |mut optimizer: ModuleOptimizer| {
        let model = Line::new(subject).walk(subject, &mut optimizer, 1);
        (bits(&model.w.val().inner()), bits(&model.b.val().inner()))
    };
    let plain = Sgd::new().build().expect("defaults are allowed");
    let group = ParamGroup::from_path("b");
    let grouped =
        one_step(ModuleOptimizer::from(plain.clone()).with_group(group, subject.optimizer(), None));
    let outside = one_step(ModuleOptimizer::from(plain));
    let inside = one_step(ModuleOptimizer::from(subject.optimizer()));
    assert!(grouped.0 == outside.0, "a parameter outside the group");
    assert!(grouped.1 == inside.1, "a parameter of the group");
}
