//! What is kept of a parameter as tensors: by the host, where an engine does not do it in its pass.

use super::{Codes, Coding, Dice, Keeping, Narrow, WeightCoding, Weights};
use crate::state::flat;
use burn::backend::{DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Device, Int, Shape, Tensor, TensorData, bf16, f16};

/// A list of words. The rank in its type is of no matter: burn's tensors know their own.
type Words = Tensor<1, Int>;

/// The words of a tensor of them.
fn words_of(lane: &DispatchTensor) -> Vec<u32> {
    let data = Words::from_dispatch(lane.clone()).into_data();
    data.iter::<i32>().map(i32::cast_unsigned).collect()
}

/// The data of words, as a list of a rank.
fn data_of(words: Vec<u32>, rank: usize) -> TensorData {
    let shape = flat(words.len(), rank);
    TensorData::new(words.into_iter().map(u32::cast_signed).collect::<Vec<i32>>(), shape)
}

/// A tensor of words on a device.
pub(crate) fn on_device<const D: usize>(words: TensorData, device: &Device) -> DispatchTensor {
    Tensor::<D, Int>::from_data(words, (device, DType::I32)).into_dispatch()
}

/// So many words that are 0.
pub(crate) fn zeros<const D: usize>(words: usize, device: &Device) -> DispatchTensor {
    on_device::<D>(data_of(vec![0; words], D), device)
}

/// The same words on another device.
pub(crate) fn moved(lane: &DispatchTensor, device: &Device) -> DispatchTensor {
    Words::from_dispatch(lane.clone()).to_device(device).into_dispatch()
}

/// The words as data.
pub(crate) fn data(lane: &DispatchTensor) -> TensorData {
    Words::from_dispatch(lane.clone()).into_data()
}

/// So many numbers, kept in words; none, if these are not the words of so many.
pub(crate) fn decode(words: &TensorData, coding: Coding, count: usize) -> Vec<f32> {
    let mut words: Vec<u32> = words.iter::<i32>().map(i32::cast_unsigned).collect();
    if words.len() != coding.store.words(count) {
        return Vec::new();
    }
    let mut numbers = vec![0.0; count];
    if let Some(codes) = Codes::of(coding, count, &mut words) {
        codes.read(0, &mut numbers);
    }
    numbers
}

/// The words of these numbers, as a list of a rank.
pub(crate) fn encode(numbers: &[f32], coding: Coding, dice: Dice, rank: usize) -> TensorData {
    let mut words = vec![0; coding.store.words(numbers.len())];
    if let Some(mut codes) = Codes::of(coding, numbers.len(), &mut words) {
        codes.write(0, numbers, dice, 0);
    }
    data_of(words, rank)
}

impl Keeping {
    /// The parameter and its states as they are computed. What rounding has lost of the parameter is not among them.
    pub(crate) fn widen<const D: usize>(
        &self,
        parameter: DispatchTensor,
        lanes: &mut Vec<DispatchTensor>,
    ) -> DispatchTensor {
        let shape = parameter.shape();
        let device = Tensor::<D>::from_dispatch(parameter.clone()).device();
        let options = (&device, DType::F32);
        let lost = self.kept.weights.has_lost().then(|| lanes.pop()).flatten();
        for (lane, coding) in self.kept.states.iter().enumerate() {
            if coding.is_words() {
                let count = shape.num_elements();
                let numbers = decode(&data(&lanes[lane]), *coding, count);
                let numbers = TensorData::new(numbers, shape.clone());
                lanes[lane] = Tensor::<D>::from_data(numbers, options).into_dispatch();
            }
        }
        if self.kept.weights == Weights::AsTheyAre {
            return parameter;
        }
        let mut lost = lost.map(|lost| words_of(&lost)).unwrap_or_default();
        let numbers = match parameter.dtype() {
            DType::F16 => self.widened::<D, f16>(parameter, &mut lost),
            _ => self.widened::<D, bf16>(parameter, &mut lost),
        };
        Tensor::<D>::from_data(TensorData::new(numbers, shape), options).into_dispatch()
    }

    /// The parameter, in its own type, and its states after a step, as they are kept.
    pub(crate) fn narrow<const D: usize>(
        &self,
        parameter: DispatchTensor,
        dtype: DType,
        lanes: &mut Vec<DispatchTensor>,
    ) -> DispatchTensor {
        let device = Tensor::<D>::from_dispatch(parameter.clone()).device();
        for (lane, coding) in self.kept.states.iter().enumerate() {
            if coding.is_words() {
                let numbers = numbers::<D>(lanes[lane].clone());
                let words = encode(&numbers, *coding, self.dice(lane), D);
                lanes[lane] = on_device::<D>(words, &device);
            }
        }
        if self.kept.weights == Weights::AsTheyAre {
            return parameter;
        }
        let shape = parameter.shape();
        let numbers = numbers::<D>(parameter);
        let mut lost = vec![0; self.kept.lost(numbers.len()).unwrap_or(0)];
        let narrow = match dtype {
            DType::F16 => self.narrowed::<f16>(&numbers, &mut lost, shape),
            _ => self.narrowed::<bf16>(&numbers, &mut lost, shape),
        };
        if self.kept.weights.has_lost() {
            lanes.push(on_device::<D>(data_of(lost, D), &device));
        }
        Tensor::<D>::from_data(narrow, (&device, dtype)).into_dispatch()
    }

    /// What is beside so many weights in these words.
    pub(crate) fn weight_coding<'a>(&self, lost: &'a mut [u32], count: usize) -> WeightCoding<'a> {
        let lost: &mut [u16] = bytemuck::cast_slice_mut(lost);
        let count = count.min(lost.len());
        let dice = self.dice_of_weights();
        WeightCoding { weights: self.kept.weights, dice, lost: &mut lost[..count] }
    }

    fn widened<const D: usize, T: Narrow + burn::tensor::Element>(
        &self,
        parameter: DispatchTensor,
        lost: &mut [u32],
    ) -> Vec<f32> {
        let data = Tensor::<D>::from_dispatch(parameter).into_data();
        let narrow: Vec<T> = data.iter::<T>().collect();
        let mut numbers = vec![0.0; narrow.len()];
        self.weight_coding(lost, narrow.len()).read(0, &narrow, &mut numbers);
        numbers
    }

    fn narrowed<T: Narrow + burn::tensor::Element>(
        &self,
        numbers: &[f32],
        lost: &mut [u32],
        shape: Shape,
    ) -> TensorData {
        let mut narrow = vec![T::of_bits(0); numbers.len()];
        self.weight_coding(lost, numbers.len()).write(0, numbers, 0, &mut narrow);
        TensorData::new(narrow, shape)
    }
}

fn numbers<const D: usize>(tensor: DispatchTensor) -> Vec<f32> {
    Tensor::<D>::from_dispatch(tensor).into_data().iter::<f32>().collect()
}
