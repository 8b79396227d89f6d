//! Transforms of whole matrices.

use super::{Point, Transform};
use crate::{Empty, Matrix, NewtonSchulz, Over, Real, Scale, Whole, options};

options! {
    /// The orthogonal matrix that is nearest to the update, seen as outputs × inputs: [`Muon`](crate::Muon)'s direction.
    /// It stands before the learning rate.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::chain::{
    ///     AddDecayedWeights, Chain, Orthogonalize, ScaleByLearningRate, Trace,
    /// };
    /// use burn_descent::{Muon, rules::{View, slices::Walk}};
    ///
    /// // Muon with a heavy ball.
    /// let chain = Chain::of(Trace::new(0.9))
    ///     .then(Orthogonalize::new())
    ///     .then(AddDecayedWeights::new(0.1))
    ///     .then(ScaleByLearningRate::new());
    /// let muon = Muon::new().momentum(0.9).nesterov(false);
    ///
    /// let (mut x, mut y) = ([3.0_f64, 4.0, 0.0, 12.0], [3.0_f64, 4.0, 0.0, 12.0]);
    /// let mut of_chain = Walk::of(chain, View::matrix(2, 2))?;
    /// let mut of_muon = Walk::of(muon, View::matrix(2, 2))?;
    /// for g in [[1.0, -2.0, 0.1, 0.0], [0.5, 0.1, 3.0, -1.0]] {
    ///     of_chain.step(0.1, &mut x, &g)?;
    ///     of_muon.step(0.1, &mut y, &g)?;
    /// }
    /// assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-6));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    ///
    /// A chain has no auxiliary rule: give vectors, embeddings and the head a group of their own.
    ///
    /// Reference: Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>.
    pub struct Orthogonalize {
        /// How it is made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new(),
        /// What it is multiplied by.
        scale: Choice(Scale) = Scale::Original,
        /// The size of an element with [`Scale::MatchRms`].
        rms: Positive = 0.2,
    }
}

impl Transform for Orthogonalize {
    const NAME: &'static str = "orthogonalize";
    const SUMS: usize = 1;
    const WHOLES: usize = 1;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Empty<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> Empty<f64> {
        Empty::default()
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Empty<R>,
        _: Empty<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        (over.whole(u), s)
    }

    fn whole<M: Matrix>(&self, u: M, _: &mut [M], at: &mut Whole) -> M {
        let scale = self.scale.of(at.view.rows, at.view.columns, self.rms);
        self.newton_schulz.orthogonalize(u).scale(scale)
    }
}
