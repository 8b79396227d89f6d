//! A direction from the last steps and what they did to the gradient.

use super::iterate::{Here, Last, Method, solver};
use super::{LineSearch, Memory, Vector};
use burn_descent_rules::InvalidOption;

solver! {
    /// L-BFGS: Newton's method with an inverse Hessian that follows from the last `history_size` steps.
    ///
    /// ```text
    /// s = w − w_last,    y = g − g_last,    kept if ⟨y, s⟩ > 1e-10, with ρ = 1 / ⟨y, s⟩, γ = ⟨y, s⟩ / ⟨y, y⟩
    /// q ← −g;     newest to oldest:    αᵢ = ρᵢ ⟨sᵢ, q⟩,     q ← q − αᵢ yᵢ
    /// d ← γ q;    oldest to newest:    βᵢ = ρᵢ ⟨yᵢ, d⟩,     d ← d + (αᵢ − βᵢ) sᵢ
    /// w ← w + t d,    t by the line search, which tries lr first;    in the first iteration d = −g and it
    ///                 tries min(1, 1 / ‖g‖₁) lr
    /// ```
    ///
    /// A call of [`step_with`](crate::Descent::step_with) makes up to `max_iter` iterations on the same
    /// loss, which is to be that of all data, or of batches so large that their gradients differ little;
    /// [`minimize`](crate::Descent::minimize) makes as many steps as it takes. The history goes on from
    /// step to step.
    ///
    /// - Learning rate 1, unless another is given. Evaluation by evaluation it is `torch.optim.LBFGS`, but
    ///   for two defaults, `line_search`, which there is [`Fixed`](LineSearch::Fixed), and `max_eval` with a
    ///   `max_iter` below 20, and for what is NaN or infinite.
    /// - Sums are taken in f64 where the device has it, for weights of f32 too: on f32 they end at about
    ///   1e-7 of the loss.
    /// - Memory: `2 history_size + 2` numbers a weight, in f32 (f64 for f64).
    /// - A loss or gradient that is NaN or infinite where the step begins refuses it; on the way it counts
    ///   as too far, and with a fixed step the weights are those before.
    /// - Reference: Liu & Nocedal 1989, <https://doi.org/10.1007/BF01589116>; Nocedal & Wright 2006,
    ///   algorithm 7.4.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use burn_descent::{Descent, Lbfgs, Stop, Until};
    ///
    /// let device = Device::default().autodiff();
    /// let model: Linear = LinearConfig::new(8, 1).init(&device);
    /// let mut descent = Descent::search(Lbfgs::new().history_size(10)).build(&model)?;
    /// let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
    /// let loss = |model: &Linear| (model.forward(x.clone()) - x.clone().sum_dim(1)).square().mean();
    /// let (model, minimum) = descent.minimize(model, loss, &Until::new())?;
    /// assert!(minimum.stop.is_final() && minimum.loss < 1e-8);
    /// # drop(model);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "bfgs")]
    #[doc(alias = "quasi-newton")]
    Lbfgs = "lbfgs", StrongWolfe, c2 = 0.9, keeps |search| (search.history_size as usize).saturating_mul(2), {
        /// How many steps the inverse Hessian follows from. 10,000 at most.
        history_size: Count(1) = 100,
    }
}

/// The longest history.
const LONGEST: u64 = 10_000;

/// The least `⟨y, s⟩` of a pair that is kept.
const CURVATURE: f64 = 1e-10;

impl Method for Lbfgs {
    fn check_own(&self) -> Result<(), InvalidOption> {
        let history = self.history_size;
        let bound = ("history_size", history as f64, history <= LONGEST, "<= 10000");
        InvalidOption::unless_all_hold("lbfgs", &[bound])
    }

    fn direction(
        &self,
        here: &Here<'_>,
        last: Option<&Last>,
        memory: &mut Memory,
    ) -> (Vector, f64) {
        let Some(last) = last else { return (here.downhill(), here.first()) };
        let (s, y) = last.difference(here.gradient);
        let ys = y.dot(&s);
        if ys > CURVATURE {
            *memory.numbers("gamma") = vec![ys / y.dot(&y)];
            self.push(memory.numbers("rho"), 1.0 / ys);
            self.push(memory.vectors("s"), s);
            self.push(memory.vectors("y"), y);
        }
        let gamma = memory.numbers("gamma").first().copied().unwrap_or(1.0);
        let rho = memory.numbers("rho").clone();
        let (s, y) = (memory.vectors("s").clone(), memory.vectors("y").clone());
        let pairs = || rho.iter().zip(s.iter().zip(&y)).map(|(rho, (s, y))| (*rho, s, y));

        let mut d = here.downhill();
        let mut alphas = Vec::with_capacity(rho.len());
        for (rho, s, y) in pairs().rev() {
            let alpha = rho * s.dot(&d);
            d = d.add(-alpha, y);
            alphas.push(alpha);
        }
        d = d.scale(gamma);
        for ((rho, s, y), alpha) in pairs().zip(alphas.into_iter().rev()) {
            let beta = rho * y.dot(&d);
            d = d.add(alpha - beta, s);
        }
        (d, here.lr)
    }
}

impl Lbfgs {
    /// Adds the newest of a list, and leaves the oldest out where there are too many.
    fn push<T>(&self, list: &mut Vec<T>, newest: T) {
        list.push(newest);
        let most = usize::try_from(self.history_size).unwrap_or(usize::MAX);
        list.drain(..list.len().saturating_sub(most));
    }
}
