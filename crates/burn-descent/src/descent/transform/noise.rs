use super::Met;
use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// Normal noise that dies away.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Noise {
    pub(super) eta: f64,
    pub(super) seed: u64,
}

/// How fast the variance falls.
const GAMMA: f64 = 0.55;

impl Noise {
    pub(super) fn apply<const D: usize>(&self, met: Met<D>) -> Tensor<D> {
        let deviation = (self.eta / (1.0 + met.step as f64).powf(GAMMA)).sqrt() / met.factor;
        let mut random = self.generator(met.step, met.path);
        let shape = met.gradient.shape();
        let count = shape.num_elements();
        let noise: Vec<f64> = StandardNormal.sample_iter(&mut random).take(count).collect();
        let options = (&met.gradient.device(), met.gradient.dtype());
        let noise = Tensor::from_data(TensorData::new(noise, shape), options);
        met.gradient + noise.mul_scalar(deviation)
    }

    /// One stream of numbers for each seed, step and path.
    fn generator(&self, step: u64, path: &str) -> ChaCha8Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&step.to_le_bytes());
        key[16..20].copy_from_slice(&crc32fast::hash(path.as_bytes()).to_le_bytes());
        ChaCha8Rng::from_seed(key)
    }
}
