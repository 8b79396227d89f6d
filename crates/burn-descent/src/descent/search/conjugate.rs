//! A direction from the gradient and the last direction.

use super::iterate::{Here, Last, Method, solver};
use super::{LineSearch, Memory, Vector};
use burn_descent_rules::choice;

choice! {
    /// How much of the last direction the next one keeps, `y = g − g_last`.
    pub enum Conjugate {
        /// `β = max(0, ⟨g, y⟩ / ⟨g_last, g_last⟩)`: begins anew by itself where steps are bad (Polak &
        /// Ribière 1969; Powell 1984).
        PolakRibiere = "polak_ribiere",
        /// `β = ⟨g, g⟩ / ⟨g_last, g_last⟩` (Fletcher & Reeves 1964).
        FletcherReeves = "fletcher_reeves",
        /// `β = ⟨y − 2 d ⟨y, y⟩ / ⟨d, y⟩, g⟩ / ⟨d, y⟩`, and not below `−1 / (‖d‖ min(0.01, ‖g_last‖))`:
        /// descends whatever the line search does (Hager & Zhang 2005).
        HagerZhang = "hager_zhang",
    }
}

solver! {
    /// Nonlinear conjugate gradients.
    ///
    /// ```text
    /// d ← −g + β d,    w ← w + t d,    t by the line search
    /// ```
    ///
    /// Where `d` would not descend, it is `−g`. The line search tries `min(1, 1 / ‖g‖₁) lr` in the first
    /// iteration, and then `lr t_last ⟨g_last, d_last⟩ / ⟨g, d⟩`, along which the loss would fall by as
    /// much as before. It needs less memory than [`Lbfgs`](crate::Lbfgs), and more evaluations.
    ///
    /// - Learning rate 1, unless another is given. `c2` is smaller than that of L-BFGS, as conjugate
    ///   directions need a better minimum along each.
    /// - Memory: 2 numbers a weight, in f32 (f64 for f64).
    /// - What is NaN or infinite: as [`Lbfgs`](crate::Lbfgs).
    /// - Reference: Nocedal & Wright 2006, section 5.2; Hager & Zhang 2005,
    ///   <https://doi.org/10.1137/030601880>.
    ///
    /// ```
    /// use burn_descent::{ConjugateGradient, Descent};
    ///
    /// let walk = Descent::search(ConjugateGradient::new().max_iter(50));
    /// # drop(walk);
    /// ```
    #[doc(alias = "ncg")]
    ConjugateGradient = "conjugate_gradient", StrongWolfe, c2 = 0.1, keeps |_| 0, {
        /// How much of the last direction the next one keeps.
        beta: Choice(Conjugate) = Conjugate::PolakRibiere,
    }
}

impl Method for ConjugateGradient {
    fn direction(&self, here: &Here<'_>, last: Option<&Last>, _: &mut Memory) -> (Vector, f64) {
        let g = here.gradient;
        let Some(last) = last.filter(|last| last.t > 0.0) else {
            return (here.downhill(), here.first());
        };
        let beta = self.beta.of(g, last);
        let conjugate = here.downhill().add(beta, &last.direction);
        let slope = g.dot(&conjugate);
        let (d, slope) =
            if slope < 0.0 { (conjugate, slope) } else { (here.downhill(), -g.dot(g)) };
        (d, here.lr * last.t * last.slope / slope)
    }
}

impl Conjugate {
    fn of(self, g: &Vector, last: &Last) -> f64 {
        let (g_last, d) = (&last.gradient, &last.direction);
        let y = || g.clone().add(-1.0, g_last);
        match self {
            Self::PolakRibiere => f64::max(0.0, g.dot(&y()) / g_last.dot(g_last)),
            Self::FletcherReeves => g.dot(g) / g_last.dot(g_last),
            Self::HagerZhang => {
                let y = y();
                let dy = d.dot(&y);
                let beta = (y.dot(g) - 2.0 * y.dot(&y) / dy * d.dot(g)) / dy;
                let norm = |x: &Vector| x.dot(x).sqrt();
                f64::max(beta, -1.0 / (norm(d) * f64::min(0.01, norm(g_last))))
            }
        }
    }
}
