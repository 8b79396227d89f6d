//! Adam's bias correction.

use super::bowl::{Point, START, strides, walk};
use super::{Effort, Finding, Picture, through};
use anyhow::Result;
use burn_descent::rules::{Over, Paper, Real, fields, options};
use burn_descent::{Adam, Rule};

options! {
    /// Adam without its bias correction: a rule of the lab's own.
    struct Uncorrected {
        /// Decay of the first moment.
        beta1: Decay = 0.9,
        /// Decay of the second moment.
        beta2: Decay = 0.999,
        /// Added to the root.
        eps: Epsilon = 1e-8,
    }
}

fields! { struct Moments { m, v } }
fields! { struct Scalars { beta1, one_beta1, beta2, one_beta2, lr, eps } }

impl Rule for Uncorrected {
    const NAME: &'static str = "adam_uncorrected";
    const TITLE: &'static str = "Adam without bias correction";
    const PAPER: Paper = Adam::PAPER;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0 }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps } = *self;
        Scalars { beta1, one_beta1: 1.0 - beta1, beta2, one_beta2: 1.0 - beta2, lr, eps }
    }

    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        (p - k.lr * m / (v.sqrt() + k.eps), Moments { m, v })
    }
}

pub(super) fn correction_matters_first(_: &Effort) -> Result<Finding> {
    let (lr, steps) = (0.1, 10_000);
    let corrected = strides(Adam::new(), lr, steps)?;
    let uncorrected = strides(Uncorrected::new(), lr, steps)?;
    let ratio = |t: usize| uncorrected[t - 1] / corrected[t - 1];
    let greatest = uncorrected.iter().copied().fold(0.0, f64::max);
    // The start is on the positive side of both coordinates.
    let beyond = |path: Vec<Point>| path.into_iter().flatten().map(|x| -x).fold(0.0, f64::max);
    let [with, without] = [
        beyond(walk(Adam::new(), 0.5, START, 100)?),
        beyond(walk(Uncorrected::new(), 0.5, START, 100)?),
    ];
    let lines = |name: &str, strides: &[f64]| {
        through(name, (1..).map(f64::from).zip(strides.iter().copied()))
    };
    Ok(Finding {
        measured: format!(
            "Under a constant gradient steps without it are {:.1} times as long at step 1, {greatest:.1} \
             times at the worst, {:.1} times at step 100, {:.3} times at step {steps}; on the bowl at \
             rate 0.5 the walk without it overshoots by {without:.1}, with it by {with:.1}",
            ratio(1),
            ratio(100),
            ratio(steps),
        ),
        holds: ratio(1) > 2.0 && greatest > 2.0 && (ratio(steps) - 1.0).abs() < 0.01,
        picture: Picture::new(
            ("step", true),
            ("length of a step, in learning rates", false),
            vec![lines("adam", &corrected), lines("without bias correction", &uncorrected)],
        ),
    })
}
