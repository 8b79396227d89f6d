//! Numbers into tensors, and out of them.

use burn::tensor::{DType, Device, Tensor};

/// `count` numbers between -1 and 1 (splitmix64).
pub fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The elements of a tensor as f64.
pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// The elements of a tensor bit by bit.
pub fn bits<const D: usize>(tensor: &Tensor<D>) -> Vec<u8> {
    tensor.to_data().into_bytes().to_vec()
}

/// Leaves memory to the tensors that come next in which nothing is a number: whoever reads beyond the
/// end of a tensor shows it.
pub fn spoil_memory(device: &Device) {
    let sizes = [64, 1024, 16_384].into_iter().cycle().take(12);
    let spoil = |size| Tensor::<1>::full([size], f64::NAN, (device, DType::F32));
    let spoilt: Vec<_> = sizes.map(spoil).collect();
    device.sync().expect("the device answers");
    drop(spoilt);
}
