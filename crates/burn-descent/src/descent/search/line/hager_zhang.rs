//! Wolfe's conditions, or their approximation, by secants within a bracket.
//!
//! W. W. Hager & H. Zhang 2005, "A new conjugate gradient method with guaranteed descent and an efficient
//! line search", <https://doi.org/10.1137/030601880>, section 4; the names of the steps are theirs.

use super::{Line, Ray, Trial};
use crate::descent::DescentError;
use core::convert::Infallible;

/// Losses that differ by this share are as low.
const EPSILON: f64 = 1e-6;
/// Where an interval is divided.
const THETA: f64 = 0.5;
/// What an iteration has to leave of the bracket at most.
const GAMMA: f64 = 0.66;
/// How much further out the next point is that shall bracket a minimum.
const RHO: f64 = 5.0;

/// How a search ends.
enum Ended {
    /// With a point that it is content with.
    Content(Box<Trial>),
    /// Without one: as often as allowed, or where two points cannot be told apart any more.
    Exhausted,
    Failed(DescentError),
}

/// A bracket: `φ'(a) < 0`, `φ(a)` no higher than the start, `φ'(b) ≥ 0`.
type Bracket = (Trial, Trial);

struct Secants<'s, 'r, 'g> {
    line: &'s Line,
    ray: &'s mut Ray<'r, 'g>,
    left: u64,
    /// The lowest so far.
    lowest: Trial,
    /// `φ(0) + ε |φ(0)|`: losses up to there are no higher than the start.
    level: f64,
}

pub(super) fn search(
    line: &Line,
    ray: &mut Ray<'_, '_>,
    t: f64,
    most: u64,
) -> Result<Trial, DescentError> {
    let (start, level) = (ray.start.clone(), ray.start.loss + EPSILON * ray.start.loss.abs());
    let mut secants = Secants { line, ray, left: most.max(1), lowest: start, level };
    let Err(ended) = secants.search(t);
    match ended {
        Ended::Content(trial) => Ok(*trial),
        Ended::Exhausted => Ok(secants.lowest),
        Ended::Failed(error) => Err(error),
    }
}

impl Secants<'_, '_, '_> {
    /// L0 to L3, until it ends.
    fn search(&mut self, t: f64) -> Result<Infallible, Ended> {
        let mut bracket = self.bracket(t)?;
        loop {
            bracket = self.narrow(bracket)?;
        }
    }

    /// Evaluates a point, and ends if it will do.
    fn at(&mut self, t: f64) -> Result<Trial, Ended> {
        if self.left == 0 {
            return Err(Ended::Exhausted);
        }
        self.left -= 1;
        let trial = self.ray.at(t).map_err(Ended::Failed)?;
        if self.is_content(&trial) {
            return Err(Ended::Content(Box::new(trial)));
        }
        if trial.loss < self.lowest.loss {
            self.lowest = trial.clone();
        }
        Ok(trial)
    }

    fn is_content(&self, trial: &Trial) -> bool {
        let Line { c1, c2, .. } = *self.line;
        let start = &self.ray.start;
        let is_flat = trial.slope >= c2 * start.slope;
        let wolfe = trial.loss <= start.loss + c1 * trial.t * start.slope;
        let approximate = (2.0 * c1 - 1.0) * start.slope >= trial.slope && trial.loss <= self.level;
        is_flat && (wolfe || approximate)
    }

    fn is_low(&self, trial: &Trial) -> bool {
        trial.loss <= self.level
    }

    /// B0 to B3: outwards until there is a bracket.
    fn bracket(&mut self, t: f64) -> Result<Bracket, Ended> {
        let mut low = self.ray.start.clone();
        let mut c = self.at(t)?;
        loop {
            if c.slope >= 0.0 && c.loss.is_finite() {
                return Ok((low, c));
            }
            if !self.is_low(&c) {
                let start = self.ray.start.clone();
                return self.inwards(start, c);
            }
            let t = RHO * c.t;
            low = core::mem::replace(&mut c, self.at(t)?);
        }
    }

    /// L1 and L2.
    fn narrow(&mut self, (a, b): Bracket) -> Result<Bracket, Ended> {
        let width = b.t - a.t;
        let (a, b) = self.secant_twice((a, b))?;
        if b.t - a.t > GAMMA * width {
            let middle = (a.t + b.t) / 2.0;
            return self.update((a, b), middle);
        }
        Ok((a, b))
    }

    /// S1 to S4.
    fn secant_twice(&mut self, (a, b): Bracket) -> Result<Bracket, Ended> {
        let c = secant(&a, &b);
        let (new_a, new_b) = self.update((a.clone(), b.clone()), c)?;
        let again = if c == new_b.t {
            secant(&b, &new_b)
        } else if c == new_a.t {
            secant(&a, &new_a)
        } else {
            return Ok((new_a, new_b));
        };
        self.update((new_a, new_b), again)
    }

    /// U0 to U3: the bracket with a point `t` as one of its ends, if that is within.
    fn update(&mut self, (a, b): Bracket, t: f64) -> Result<Bracket, Ended> {
        if !(a.t < t && t < b.t) {
            // Nothing lies between: no point is left to try.
            let middle = (a.t + b.t) / 2.0;
            return if a.t < middle && middle < b.t { Ok((a, b)) } else { Err(Ended::Exhausted) };
        }
        let c = self.at(t)?;
        if c.slope >= 0.0 && c.loss.is_finite() {
            Ok((a, c))
        } else if self.is_low(&c) {
            Ok((c, b))
        } else {
            self.inwards(a, c)
        }
    }

    /// U3: `φ'(b) < 0` but `φ(b)` is high, so that a minimum lies between.
    fn inwards(&mut self, mut a: Trial, mut b: Trial) -> Result<Bracket, Ended> {
        loop {
            let d = self.at((1.0 - THETA) * a.t + THETA * b.t)?;
            if d.slope >= 0.0 && d.loss.is_finite() {
                return Ok((a, d));
            }
            let end = if self.is_low(&d) { &mut a } else { &mut b };
            *end = d;
        }
    }
}

/// Where the straight line through both slopes is 0.
fn secant(a: &Trial, b: &Trial) -> f64 {
    (a.t * b.slope - b.t * a.slope) / (b.slope - a.slope)
}
