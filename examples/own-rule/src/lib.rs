//! A tutorial: an update rule of one's own, in a crate of one's own.
//!
//! The rule is `softsign`, which lies between momentum and the sign of it:
//!
//! ```text
//! m ← β m + (1 − β) g
//! θ ← θ − η m / (|m| + δ)
//! ```
//!
//! Where the momentum is large against `δ` a weight moves by the learning rate, as with
//! [`SignSgd`](burn_descent::SignSgd); where it is small, in proportion. Below is all there is to
//! write:
//!
//! 1. the options, [`SoftSign`], by [`options!`]: their values, defaults and meaning;
//! 2. what is remembered of each weight and what a step needs, by [`fields!`]: here one state, `m`,
//!    and four scalars;
//! 3. where the state starts ([`start`](Rule::start)), and the scalars of a step, once and in f64
//!    ([`scalars`](Rule::scalars));
//! 4. the formula of one element ([`update`](Rule::update)), generic over [`Real`].
//!
//! Then it is an optimizer like any other: one pass on a CPU, one kernel on a GPU. It builds, its
//! options have names, and what is wrong with them is said:
//!
//! ```
//! use burn_descent::{Build, own::from_pairs};
//! use burn_descent_own_rule::SoftSign;
//!
//! let optimizer = SoftSign::new().delta(0.1).build()?;
//! assert_eq!(optimizer.state_names(), ["m"]);
//! let error = from_pairs::<SoftSign>(&[("momentun", "0.8")]).unwrap_err();
//! assert!(error.to_string().contains("did you mean `momentum`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It explains itself, by the graph that the GPU's kernel is made of:
//!
//! ```
//! use burn_descent::own::Explanation;
//! use burn_descent_own_rule::SoftSign;
//!
//! let page = Explanation::of(&SoftSign::new());
//! assert_eq!(page.formula, ["m ← beta·m + one_beta·g", "p ← p - lr·(m / (|m| + delta))"]);
//! assert_eq!((page.bytes_of_state(), page.bytes_read(), page.bytes_written()), (4, 12, 8));
//! ```
//!
//! It walks a whole model by [`Descent`](burn_descent::Descent), with schedules, clipping and a
//! checkpoint to go on from:
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Distribution, Tensor};
//! use burn_descent::schedules::Cosine;
//! use burn_descent::{Build, Checkpoint, Descent};
//! use burn_descent_own_rule::SoftSign;
//!
//! let device = Device::default().autodiff();
//! let mut model: Linear = LinearConfig::new(8, 1).init(&device);
//! let builder = || Descent::builder(SoftSign::new().build().unwrap()).schedule(Cosine::new(0.01, 20));
//! let mut descent = builder().clip_norm(1.0).build(&model)?;
//! for _ in 0..10 {
//!     let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
//!     let loss = (model.forward(x.clone()) - x.sum_dim(1)).square().mean();
//!     model = descent.step(model, loss.backward())?.0;
//! }
//! let file = descent.checkpoint(&model)?.into_bytes()?;
//!
//! let fresh: Linear = LinearConfig::new(8, 1).init(&device);
//! let mut resumed = builder().clip_norm(1.0).build(&fresh)?;
//! let model = Checkpoint::from_bytes(file)?.restore(&mut resumed, &fresh)?;
//! assert_eq!(resumed.steps(), 10);
//! # drop(model);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One line of a test holds it to every law that burn-descent's own rules are held to, on every
//! device there is: `burn_descent_conformance::check(SoftSign::new(), 0.01)`, in
//! `tests/softsign.rs`.
//!
//! And one line adds it to the registry, so that programs know it by its name: `src/main.rs` is the
//! classifier of the examples with one more optimizer, with its plots, saves and search for a
//! learning rate.
//!
//! ```sh
//! cargo run --release -p burn-descent-own-rule -- --optimizer softsign --plot softsign.svg
//! cargo run --release -p burn-descent-own-rule -- --explain softsign
//! ```
//!
//! The lab takes it the same way, to draw its walks and to compare it with others
//! (`crates/burn-descent-lab/examples/own_rule.rs`):
//!
//! ```sh
//! cargo run --release -p burn-descent-lab --example own_rule -- surface --optimizers softsign,lion --out walks
//! ```

use burn_descent::own::{Over, Real, Rule, fields, options};

options! {
    /// SoftSign: momentum where it is small against `delta`, its sign where it is large.
    pub struct SoftSign {
        /// Decay `β` of the momentum.
        momentum: Decay = 0.9,
        /// What is small, `δ`.
        delta: Positive = 1e-3,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// What is remembered of each weight.
    pub struct Momentum { m }
}
fields! {
    /// What is the same for all weights in a step.
    pub struct Scalars { beta, one_beta, delta, lr }
}

impl Rule for SoftSign {
    const NAME: &'static str = "softsign";
    type State<R: Copy> = Momentum<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Momentum<f64> {
        Momentum { m: 0.0 }
    }
    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { beta: self.momentum, one_beta: 1.0 - self.momentum, delta: self.delta, lr }
    }
    fn update<R: Real>(
        p: R,
        g: R,
        s: Momentum<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Momentum<R>) {
        let m = k.beta * s.m + k.one_beta * g;
        (p - k.lr * (m / (m.abs() + k.delta)), Momentum { m })
    }
}
