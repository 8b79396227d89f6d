use super::Met;
use burn::tensor::{Tensor, TensorData};
use burn_descent_rules::noise::{Draw, fading};

/// Normal noise that dies away.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noise {
    pub(super) eta: f64,
    pub(super) seed: u64,
}

/// How fast the variance falls.
const GAMMA: f64 = 0.55;

impl Noise {
    /// The numbers are those of [`Noisy`](burn_descent_rules::chain::Noisy), in a stream for each path.
    pub(super) fn apply<const D: usize>(&self, met: Met<D>) -> Tensor<D> {
        let t = met.step + 1;
        let deviation = fading(self.eta, GAMMA, t) / met.factor;
        let draw = Draw::new(self.seed, t, crc32fast::hash(met.path.as_bytes()));
        let shape = met.gradient.shape();
        let numbers: Vec<f64> =
            (0..shape.num_elements()).map(|place| deviation * draw.normal::<f64>(place)).collect();
        let options = (&met.gradient.device(), met.gradient.dtype());
        met.gradient + Tensor::from_data(TensorData::new(numbers, shape), options)
    }
}
