//! Functions of two numbers to walk down on.

use anyhow::{Context, Result, anyhow};
use burn::tensor::{Device, Tensor, TensorData};
use burn_descent::rules::unknown;
use std::f64::consts::TAU;

/// A function of two numbers, and what there is to see of it.
///
/// ```
/// use burn::tensor::Device;
/// use burn_descent_lab::surfaces::{self, Surface};
///
/// let device = Device::default();
/// let himmelblau = surfaces::find("himmelblau")?;
/// assert!(himmelblau.values(himmelblau.minima, &device)?.iter().all(|value| *value < 1e-3));
///
/// let flat = Surface { name: "flat", value: |x, _| x * 0.0, ..*himmelblau };
/// assert_eq!(flat.values(&[[1.0, 2.0]], &device)?, [0.0]);
/// # Ok::<(), anyhow::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in prose.
    pub title: &'static str,
    /// `value`, as text.
    pub formula: &'static str,
    /// What it shows of an optimizer.
    pub shows: &'static str,
    /// The function, of as many points as there are, element by element.
    pub value: fn(Tensor<1>, Tensor<1>) -> Tensor<1>,
    /// The part to look at, from left to right.
    pub x: [f64; 2],
    /// The part to look at, from bottom to top.
    pub y: [f64; 2],
    /// Where to begin.
    pub start: [f64; 2],
    /// Where it is least.
    pub minima: &'static [[f64; 2]],
    /// How small it is there.
    pub least: f64,
    /// How many steps tell optimizers apart.
    pub steps: u32,
}

/// Every surface.
pub static SURFACES: [Surface; 6] = [
    Surface {
        name: "bowl",
        title: "Elongated bowl",
        formula: "(x² + 20 y²) / 2",
        shows: "Twenty times as steep across as along: a rate that is right for one is wrong for \
                the other. Momentum gathers speed along, adaptive rates make both alike.",
        value: |x, y| (x.square() + y.square() * 20.0) * 0.5,
        x: [-4.0, 2.5],
        y: [-2.8, 2.8],
        start: [-3.2, 2.2],
        minima: &[[0.0, 0.0]],
        least: 0.0,
        steps: 60,
    },
    Surface {
        name: "rosenbrock",
        title: "Rosenbrock's banana",
        formula: "(1 − x)² + 100 (y − x²)²",
        shows: "A bent valley with steep walls and an almost flat floor: an optimizer that bounces \
                between the walls makes little headway.",
        value: |x, y| (-x.clone() + 1.0).square() + (y - x.square()).square() * 100.0,
        x: [-2.0, 2.0],
        y: [-1.0, 3.0],
        start: [-1.2, 2.4],
        minima: &[[1.0, 1.0]],
        least: 0.0,
        steps: 300,
    },
    Surface {
        name: "beale",
        title: "Beale's function",
        formula: "(1.5 − x + x y)² + (2.25 − x + x y²)² + (2.625 − x + x y³)²",
        shows: "Plains between steep corners: where the gradient is small, only optimizers whose \
                steps do not shrink with it make headway.",
        value: |x, y| {
            let term = |sum: f64, power: Tensor<1>| (x.clone() * power - x.clone() + sum).square();
            let y2 = y.clone().square();
            let y3 = y2.clone() * y.clone();
            term(1.5, y) + term(2.25, y2) + term(2.625, y3)
        },
        x: [-1.0, 4.5],
        y: [-2.5, 2.5],
        start: [1.0, 1.6],
        minima: &[[3.0, 0.5]],
        least: 0.0,
        steps: 150,
    },
    Surface {
        name: "himmelblau",
        title: "Himmelblau's function",
        formula: "(x² + y − 11)² + (x + y² − 7)²",
        shows: "Four minima, all alike: from the hill between them, small things decide which one \
                is reached.",
        value: |x, y| {
            (x.clone().square() + y.clone() - 11.0).square() + (x + y.square() - 7.0).square()
        },
        x: [-5.0, 5.0],
        y: [-5.0, 5.0],
        start: [-0.4, -1.2],
        minima: &[[3.0, 2.0], [-2.805118, 3.131313], [-3.779310, -3.283186], [3.584428, -1.848127]],
        least: 0.0,
        steps: 80,
    },
    Surface {
        name: "rastrigin",
        title: "Rastrigin's function",
        formula: "20 + x² − 10 cos 2πx + y² − 10 cos 2πy",
        shows: "A bowl full of dents: each is a trap for an optimizer that only goes down.",
        value: |x, y| {
            let dent = |x: Tensor<1>| x.clone().square() - (x * TAU).cos() * 10.0;
            dent(x) + dent(y) + 20.0
        },
        x: [-3.4, 3.4],
        y: [-3.4, 3.4],
        start: [-2.6, 2.3],
        minima: &[[0.0, 0.0]],
        least: 0.0,
        steps: 120,
    },
    Surface {
        name: "saddle",
        title: "Saddle",
        formula: "x² − y² + y⁴ / 2",
        shows: "Down to the saddle, where the gradient vanishes, and on to one side: which \
                optimizers linger there, and which leave at once?",
        value: |x, y| {
            let y2 = y.square();
            x.square() - y2.clone() + y2.square() * 0.5
        },
        x: [-2.0, 2.0],
        y: [-2.0, 2.0],
        start: [-1.7, 0.01],
        minima: &[[0.0, 1.0], [0.0, -1.0]],
        least: -0.5,
        steps: 80,
    },
];

/// Their names, to be read.
pub fn names() -> String {
    SURFACES.iter().map(|surface| surface.name).collect::<Vec<_>>().join(", ")
}

/// The surface of this name.
///
/// # Errors
/// If there is none, with the name that is nearest.
pub fn find(name: &str) -> Result<&'static Surface> {
    SURFACES.iter().find(|surface| surface.name == name).ok_or_else(|| {
        anyhow!(unknown("function", name, SURFACES.iter().map(|surface| surface.name)))
    })
}

impl Surface {
    /// The values at points, which are the rows of a tensor; to be differentiated.
    pub fn at(&self, points: Tensor<2>) -> Tensor<1> {
        let column = |index| points.clone().slice_dim(1, index..index + 1).squeeze_dim::<1>(1);
        (self.value)(column(0), column(1))
    }

    /// The values at points.
    ///
    /// # Errors
    /// If the device fails.
    pub fn values(&self, points: &[[f64; 2]], device: &Device) -> Result<Vec<f64>> {
        let numbers: Vec<f32> = points.as_flattened().iter().map(|number| *number as f32).collect();
        let points = Tensor::from_data(TensorData::new(numbers, [points.len(), 2]), device);
        self.at(points).try_into_vec_as::<f64>().context("the device failed")
    }

    /// Is a point in the part to look at?
    pub fn has(&self, [x, y]: [f64; 2]) -> bool {
        let within = |[least, greatest]: [f64; 2], number| (least..=greatest).contains(&number);
        within(self.x, x) && within(self.y, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::DType;

    /// Values and gradients in f64.
    fn differentiate(surface: &Surface, points: &[[f64; 2]]) -> (Vec<f64>, Vec<f64>) {
        let device = Device::default().autodiff();
        let data = TensorData::new(points.as_flattened().to_vec(), [points.len(), 2]);
        let points = Tensor::<2>::from_data(data, (&device, DType::F64)).require_grad();
        let values = surface.at(points.clone());
        let gradients = points.grad(&values.clone().sum().backward()).unwrap();
        (values.try_into_vec_as().unwrap(), gradients.try_into_vec_as().unwrap())
    }

    fn grid(surface: &Surface) -> Vec<[f64; 2]> {
        let along = |[from, to]: [f64; 2], i: u32| from + (to - from) * (f64::from(i) + 0.3) / 7.0;
        (0..49).map(|i| [along(surface.x, i % 7), along(surface.y, i / 7)]).collect()
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for surface in &SURFACES {
            let points = grid(surface);
            let (_, gradients) = differentiate(surface, &points);
            for axis in 0..2 {
                let at = |step: f64| {
                    let mut points = points.clone();
                    points.iter_mut().for_each(|point| point[axis] += step);
                    differentiate(surface, &points).0
                };
                let (after, before) = (at(1e-5), at(-1e-5));
                for (i, point) in points.iter().enumerate() {
                    let expected = (after[i] - before[i]) / 2e-5;
                    let (found, name) = (gradients[2 * i + axis], surface.name);
                    let error = (found - expected).abs() / (1.0 + expected.abs());
                    assert!(error < 1e-6, "{name} at {point:?}: {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn minima_are_where_the_table_says() {
        for surface in &SURFACES {
            let (values, gradients) = differentiate(surface, surface.minima);
            let name = surface.name;
            assert!(values.iter().all(|value| (value - surface.least).abs() < 1e-9), "{name}");
            assert!(gradients.iter().all(|gradient| gradient.abs() < 1e-4), "{name}");
            assert!(surface.minima.iter().all(|minimum| surface.has(*minimum)), "{name}");
            let (values, _) = differentiate(surface, &grid(surface));
            assert!(values.iter().all(|value| *value > surface.least), "{name}");
            assert!(surface.has(surface.start), "{name}");
        }
    }

    #[test]
    fn names_are_found_or_suggested() {
        assert!(SURFACES.iter().all(|surface| find(surface.name).is_ok()));
        let error = find("rosenbrok").unwrap_err().to_string();
        assert!(error.contains("did you mean `rosenbrock`?") && error.contains("himmelblau"));
    }
}
