//! Walks down a surface.

use crate::choice::Choice;
use crate::surfaces::Surface;
use anyhow::{Context, Result};
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, Optimizer};
use burn::tensor::{Device, Tensor};
use burn_descent::rules::check_lr;
use burn_descent::{Batch, Builder, Descent, DescentError, Refused};

/// Who walks: anything that [`Descent`] can do.
pub struct Walker {
    builder: Builder,
}

/// Where a walk has come by: the points to evaluate, which are those that are trained but for a few
/// optimizers.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// From the start; one more for each step. It ends before a point that is not finite.
    pub points: Vec<[f64; 2]>,
    /// The values there.
    pub values: Vec<f64>,
    /// Has it come to a point or value that is not finite?
    pub diverged: bool,
}

impl Walker {
    /// An optimizer with a learning rate that stays.
    ///
    /// # Errors
    /// If the rate is negative or not finite.
    pub fn new(optimizer: impl Optimizer, lr: f64) -> Result<Self> {
        check_lr("walk", lr)?;
        Ok(Descent::builder(optimizer).lr(lr).into())
    }

    /// An optimizer as chosen, with a learning rate.
    ///
    /// # Errors
    /// If the rate is negative or not finite.
    pub fn of(choice: &Choice, lr: f64) -> Result<Self> {
        check_lr(choice.method.name(), lr)?;
        Ok(choice.walk()?.lr(lr).into())
    }
}

impl From<Builder> for Walker {
    fn from(builder: Builder) -> Self {
        Self { builder }
    }
}

/// A point as a model.
#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

/// A walker on the way.
struct OnTheWay {
    point: Point,
    descent: Descent,
    /// Where it has come by.
    points: Vec<[f64; 2]>,
}

/// Walks so many steps from the start of a surface. All walk at the same time and never meet: one
/// backward pass finds the gradients of all. `watch` is called after each step.
///
/// ```
/// use burn::tensor::Device;
/// use burn_descent::{Build, Descent, Lookahead, Sgd};
/// use burn_descent_lab::{surfaces, walks::{Walker, walk}};
///
/// let bowl = surfaces::find("bowl")?;
/// let sgd = || Sgd::new().momentum(0.9).build();
/// let walkers = vec![
///     Walker::new(sgd()?, 0.02)?,
///     Descent::builder(sgd()?).lr(0.02).lookahead(Lookahead::new()).into(),
/// ];
/// let paths = walk(bowl, walkers, 50, &Device::default(), || ())?;
/// assert_eq!(paths[0].points.len(), 51);
/// assert!(paths.iter().all(|path| path.values[50] < path.values[0]));
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
/// If a walk cannot be built, a step is refused, or the device fails.
pub fn walk(
    surface: &Surface,
    walkers: Vec<Walker>,
    steps: u32,
    device: &Device,
    mut watch: impl FnMut(),
) -> Result<Vec<Path>> {
    let learning = device.clone().autodiff();
    let begin = |walker: Walker| {
        let start = surface.start.map(|number| number as f32);
        let point = Point { at: Param::from_tensor(Tensor::from_floats(start, &learning)) };
        let descent = walker.builder.build(&point)?;
        Ok(OnTheWay { point, descent, points: vec![surface.start] })
    };
    let mut all = walkers.into_iter().map(begin).collect::<Result<Vec<_>>>()?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    for _ in 0..steps {
        let points = all.iter().map(|one| one.point.at.val().inner()).collect();
        let points = Tensor::from_inner(Tensor::stack::<2>(points, 0)).require_grad();
        let heights = surface.at(points.clone());
        let gradients = heights.clone().sum().backward();
        let heights = heights.inner();
        let gradients = points.grad(&gradients).context("a surface must depend on its point")?;
        let step = |(row, one): (usize, OnTheWay)| {
            let of_row = row..row + 1;
            let height = heights.clone().slice_dim(0, of_row.clone());
            match one.descent.evaluates_loss() {
                true => one.search(surface),
                false => one.step(gradients.clone().slice_dim(0, of_row).squeeze_dim(0), height),
            }
        };
        all = all.into_iter().enumerate().map(step).collect::<Result<_>>()?;
        let evaluated = Tensor::stack::<2>(all.iter().map(OnTheWay::evaluated).collect(), 0);
        let evaluated = evaluated.try_into_vec_as::<f64>().context("the device failed")?;
        for (one, point) in all.iter_mut().zip(evaluated.as_chunks().0) {
            one.points.push(*point);
        }
        watch();
    }
    all.into_iter().map(|one| Path::new(surface, one.points, device)).collect()
}

impl OnTheWay {
    fn step(mut self, gradient: Tensor<1>, height: Tensor<1>) -> Result<Self> {
        let mut gradients = GradientsParams::new();
        gradients.register(self.point.at.id, gradient);
        let batch = Batch::new().loss(height);
        let stepped = self.descent.step_weighted(self.point, gradients, batch);
        let point = arrived(stepped.map(|(point, _)| point))?;
        Ok(Self { point, ..self })
    }

    /// A step that evaluates the surface where it likes.
    fn search(mut self, surface: &Surface) -> Result<Self> {
        let height = |point: &Point| surface.at(point.at.val().unsqueeze());
        let stepped = self.descent.step_with(self.point, height);
        let point = arrived(stepped.map(|(point, ..)| point))?;
        Ok(Self { point, ..self })
    }

    /// The point to evaluate.
    fn evaluated(&self) -> Tensor<1> {
        self.descent.evaluate(&self.point).at.val()
    }
}

/// Where a step has come to: nowhere, if it has diverged.
fn arrived(stepped: Result<Point, Refused<Point>>) -> Result<Point> {
    match stepped {
        Err(Refused { model, error: DescentError::BadLoss { .. } }) => {
            let nowhere = |at: Tensor<1>| Tensor::from_inner(at.inner() * f64::NAN);
            Ok(Point { at: model.at.map(|at| nowhere(at).require_grad()) })
        }
        stepped => Ok(stepped.map_err(DescentError::from)?),
    }
}

impl Path {
    fn new(surface: &Surface, mut points: Vec<[f64; 2]>, device: &Device) -> Result<Self> {
        let all = points.len();
        let mut values = surface.values(&points, device)?;
        let finite = |(point, value): &(&[f64; 2], &f64)| {
            value.is_finite() && point.iter().all(|number| number.is_finite())
        };
        let good = points.iter().zip(&values).take_while(finite).count();
        points.truncate(good);
        values.truncate(good);
        Ok(Self { points, values, diverged: good < all })
    }

    /// How far the end is from the nearest minimum; infinite if it has diverged.
    pub fn distance(&self, surface: &Surface) -> f64 {
        let Some([x, y]) = self.points.last().filter(|_| !self.diverged) else {
            return f64::INFINITY;
        };
        let distances = surface.minima.iter().map(|[a, b]| (x - a).hypot(y - b));
        distances.fold(f64::INFINITY, f64::min)
    }

    /// The value at the end; infinite if it has diverged.
    pub fn end(&self) -> f64 {
        if self.diverged { f64::INFINITY } else { self.values.last().copied().unwrap_or(f64::NAN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surfaces::find;

    #[test]
    fn gradient_descent_on_the_bowl_is_a_power() {
        let bowl = find("bowl").unwrap();
        let (lr, choice) = (0.08, "sgd".parse().unwrap());
        let walker = Walker::of(&choice, lr).unwrap();
        let paths = walk(bowl, vec![walker], 40, &Device::default(), || ()).unwrap();
        let factor = [1.0 - lr, 1.0 - 20.0 * lr];
        for (step, point) in paths[0].points.iter().enumerate() {
            for i in 0..2 {
                let expected = bowl.start[i] * f64::powi(factor[i], step as i32);
                assert!((point[i] - expected).abs() < 1e-5, "{step}: {point:?}, {expected}");
            }
        }
        assert!(!paths[0].diverged);
    }

    #[test]
    fn who_diverges_stops_and_disturbs_nobody() {
        let bowl = find("bowl").unwrap();
        let choice = "sgd".parse().unwrap();
        let walkers =
            |rates: &[f64]| rates.iter().map(|lr| Walker::of(&choice, *lr).unwrap()).collect();
        let walk =
            |rates: &[f64]| walk(bowl, walkers(rates), 60, &Device::default(), || ()).unwrap();
        let (alone, together) = (walk(&[0.05]), walk(&[10.0, 0.05]));
        assert_eq!(alone[0], together[1]);
        assert!(together[0].diverged && together[0].points.len() < 61);
        assert!(together[0].points.as_flattened().iter().all(|number| number.is_finite()));
        assert_eq!(together[0].end(), f64::INFINITY);
    }

    #[test]
    fn a_search_walks_where_it_likes() {
        let bowl = find("bowl").unwrap();
        for name in ["lbfgs", "conjugate_gradient", "barzilai_borwein", "steepest_descent"] {
            let choice = format!("{name}:max_iter=1").parse().unwrap();
            let walker = Walker::of(&choice, 1.0).unwrap();
            let paths = walk(bowl, vec![walker], 60, &Device::default(), || ()).unwrap();
            assert_eq!(paths[0].points.len(), 61, "{name}");
            assert!(paths[0].distance(bowl) < 1e-2, "{name}: {:?}", paths[0].points.last());
        }
    }

    #[test]
    fn nobody_walks_nowhere() {
        let bowl = find("bowl").unwrap();
        assert!(walk(bowl, Vec::new(), 3, &Device::default(), || ()).unwrap().is_empty());
        assert!(Walker::of(&"adam".parse().unwrap(), f64::NAN).is_err());
    }
}
