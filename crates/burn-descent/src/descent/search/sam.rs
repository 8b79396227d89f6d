//! The gradient at the worst point nearby.

use super::{Ground, Memory, Search, Step};
use crate::descent::DescentError;
use burn_descent_engine::Reading;
use burn_descent_rules::{InvalidOption, check_options, options};

options! {
    /// Sharpness-aware minimisation: the gradient at the worst point within `rho`, to the first order.
    ///
    /// ```text
    /// e = ρ g / ‖g‖,    the gradient at w + e
    /// ```
    ///
    /// The step down it is taken from `w`: nothing is lost to rounding on the way back. Two gradients a
    /// step. Where `g` is 0, so is `e`.
    ///
    /// Reference: Foret et al. 2020, <https://arxiv.org/abs/2010.01412>, whose `ρ` is the default.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use burn_descent::{Build, Descent, Sam, Sgd};
    ///
    /// let device = Device::default().autodiff();
    /// let model: Linear = LinearConfig::new(8, 1).init(&device);
    /// let sgd = Sgd::new().momentum(0.9).build()?;
    /// let mut descent = Descent::builder(sgd).lr(0.1).search(Sam::new().rho(0.05)).build(&model)?;
    ///
    /// let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
    /// let y = x.clone().sum_dim(1);
    /// let (model, report, loss) =
    ///     descent.step_with(model, |model| (model.forward(x.clone()) - y.clone()).square().mean())?;
    /// # drop((model, report, loss));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "sharpness")]
    pub struct Sam {
        /// How far uphill.
        rho: Positive = 0.05,
    }
}

options! {
    /// Adaptive SAM: distances are measured in units of each weight, of `|w| + eta`.
    ///
    /// ```text
    /// T = |w| + η,    e = ρ T² g / ‖T g‖,    the gradient at w + e
    /// ```
    ///
    /// Two gradients a step. Usual: `rho` 0.5 to 2. As in the paper `η` is added for all parameters.
    ///
    /// Reference: Kwon et al. 2021, <https://arxiv.org/abs/2102.11600>.
    ///
    /// ```
    /// use burn_descent::{Asam, Build, Descent, Sgd};
    ///
    /// let walk = Descent::builder(Sgd::new().build()?).lr(0.1).search(Asam::new().rho(1.0));
    /// # drop(walk);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Asam {
        /// How far uphill.
        rho: Positive = 0.5,
        /// Added to the size of each weight.
        eta: NonNegative = 0.01,
    }
}

impl Search for Sam {
    fn name(&self) -> &'static str {
        "sam"
    }

    fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, self.name())
    }

    fn step(&self, ground: &mut Ground<'_>, _memory: &mut Memory) -> Result<Step, DescentError> {
        let g = ground.look()?.gradient;
        let e = g.clone().scale(climb(&g.norm(), self.rho));
        let uphill = ground.weights().clone().add(1.0, &e);
        Ok(Step::Down(ground.look_at(&uphill)?.gradient))
    }
}

impl Search for Asam {
    fn name(&self) -> &'static str {
        "asam"
    }

    fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, self.name())
    }

    fn step(&self, ground: &mut Ground<'_>, _memory: &mut Memory) -> Result<Step, DescentError> {
        let t = ground.weights().clone().map(|w| w.abs().add_scalar(self.eta));
        let tg = ground.look()?.gradient.times(&t);
        let factor = climb(&tg.norm(), self.rho);
        let e = tg.scale(factor).times(&t);
        let uphill = ground.weights().clone().add(1.0, &e);
        Ok(Step::Down(ground.look_at(&uphill)?.gradient))
    }
}

/// What gradients of this norm are multiplied by to be `rho` long; 0 where there is no way up.
fn climb(norm: &Reading, rho: f64) -> Reading {
    norm.map(
        |norm| if norm == 0.0 { 0.0 } else { rho / norm },
        |norm| {
            let flat = norm.clone().equal_elem(0.0);
            norm.recip().mul_scalar(rho).mask_fill(flat, 0.0)
        },
    )
}
