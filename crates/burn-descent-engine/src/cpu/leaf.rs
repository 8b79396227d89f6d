//! Tensors of this engine, bare or in a leaf of autodiff, to be read or changed where they lie.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

use super::run::has_vectors;
#[cfg(feature = "flex")]
use burn::backend::flex::FlexTensor;
#[cfg(feature = "ndarray")]
use burn::backend::ndarray::NdArrayTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, BackendTensor, DispatchTensor, DispatchTensorKind};

/// A tensor of a backend of this engine, to be read.
enum Held<'a> {
    #[cfg(feature = "flex")]
    Flex(&'a FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(&'a NdArrayTensor),
}

/// A tensor of a backend of this engine, to be changed where it lies.
pub(crate) enum InPlace<'a> {
    #[cfg(feature = "flex")]
    Flex(&'a mut FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(&'a mut NdArrayTensor),
}

/// The tensor inside, whether it is bare or in autodiff; `None` for other backends.
fn held(tensor: &DispatchTensor) -> Option<Held<'_>> {
    match bare(&tensor.kind) {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(tensor) => inside(tensor).map(Held::Flex),
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(tensor) => inside(tensor).map(Held::NdArray),
        _ => None,
    }
}

/// The tensor inside, whether it is bare or in autodiff; `None` for other backends.
///
/// A tensor in autodiff keeps its node: a leaf that is changed here is the leaf that it was, as a
/// parameter is in PyTorch, and burn has nothing to register and nothing to forget.
pub(crate) fn in_place(tensor: &mut DispatchTensor) -> Option<InPlace<'_>> {
    let kind = match &mut tensor.kind {
        DispatchTensorKind::Autodiff(kind) => &mut **kind,
        kind => kind,
    };
    match kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(tensor) => inside_mut(tensor).map(InPlace::Flex),
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(tensor) => inside_mut(tensor).map(InPlace::NdArray),
        _ => None,
    }
}

/// Is it a tensor of this engine, bare or in autodiff, on a processor that runs its passes?
pub(crate) fn holds(tensor: &DispatchTensor) -> bool {
    has_vectors() && held(tensor).is_some()
}

/// Does nobody else hold the elements: no clone of the tensor, none of the model, and no graph that
/// has saved them for its backward pass?
pub(crate) fn is_alone(tensor: &DispatchTensor) -> bool {
    match held(tensor) {
        #[cfg(feature = "flex")]
        Some(Held::Flex(tensor)) => tensor.is_unique(),
        #[cfg(feature = "ndarray")]
        Some(Held::NdArray(NdArrayTensor::F32(array))) => array.is_unique(),
        #[cfg(feature = "ndarray")]
        Some(Held::NdArray(NdArrayTensor::F64(array))) => array.is_unique(),
        _ => false,
    }
}

fn bare(kind: &DispatchTensorKind) -> &DispatchTensorKind {
    match kind {
        DispatchTensorKind::Autodiff(kind) => kind,
        kind => kind,
    }
}

fn inside<B: Backend>(tensor: &BackendTensor<B>) -> Option<&FloatTensor<B>> {
    match tensor {
        BackendTensor::Float(tensor) => Some(tensor),
        BackendTensor::Autodiff(leaf) => Some(leaf.primitive()),
        _ => None,
    }
}

fn inside_mut<B: Backend>(tensor: &mut BackendTensor<B>) -> Option<&mut FloatTensor<B>> {
    match tensor {
        BackendTensor::Float(tensor) => Some(tensor),
        BackendTensor::Autodiff(leaf) => Some(primitive_mut::<B>(leaf)),
        _ => None,
    }
}

/// burn-autodiff's `AutodiffTensor`.
type Leaf<B> = FloatTensor<Autodiff<B>>;

/// The tensor of a leaf, to be changed, which burn lends only to be read.
///
/// Checked against burn-autodiff 0.22.1, where `AutodiffTensor<B>` is a struct of three fields:
/// `primitive`, which [`primitive()`](Leaf) lends as `&self.primitive`, and two counted pointers, to
/// the node and to its id. Neither says anything of the elements. Other versions of burn do not
/// compile here: see [`tests`].
#[allow(unsafe_code)] // burn lends the tensor of a leaf only to be read
fn primitive_mut<B: Backend>(leaf: &mut Leaf<B>) -> &mut FloatTensor<B> {
    const {
        let pointers = 2 * size_of::<std::sync::Arc<()>>();
        assert!(
            size_of::<Leaf<B>>() == size_of::<FloatTensor<B>>() + pointers,
            "a leaf of burn-autodiff 0.22.1 is its tensor and two pointers"
        );
    }
    let begin = (&raw const *leaf).addr();
    let offset = (&raw const *leaf.primitive()).addr() - begin;
    // SAFETY: `primitive()` lends the field `primitive` of `leaf` itself, so a value of its type
    // lies `offset` bytes into `leaf`. Whoever borrows `leaf` mutably may change all of it, and
    // the pointer comes from that borrow.
    unsafe { &mut *(&raw mut *leaf).byte_add(offset).cast::<FloatTensor<B>>() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Tensor;

    /// The field is found by the layout of one version of burn: with another one this does not
    /// compile, and `primitive_mut` has to be read anew beside burn-autodiff's `tensor.rs`.
    #[allow(long_running_const_eval)]
    const _: () = {
        const LOCK: &[u8] = include_bytes!("../../../../Cargo.lock");
        const EXPECTED: &[u8] = b"name = \"burn-autodiff\"\nversion = \"0.22.1\"\n";
        let (mut at, mut found) = (0, false);
        while !found && at + EXPECTED.len() <= LOCK.len() {
            let mut same = 0;
            while same < EXPECTED.len() && LOCK[at + same] == EXPECTED[same] {
                same += 1;
            }
            found = same == EXPECTED.len();
            at += 1;
        }
        assert!(found, "read `primitive_mut` beside the leaf of this version of burn-autodiff");
    };

    #[cfg(feature = "flex")]
    #[test]
    fn a_leaf_is_changed_where_it_lies() {
        let ones = Tensor::<1>::ones([3], &burn::tensor::Device::flex());
        let mut leaf = ones.autodiff().require_grad().into_dispatch();
        let Some(InPlace::Flex(tensor)) = in_place(&mut leaf) else { panic!("it lies on flex") };
        tensor.storage_mut::<f32>()[1] = 2.0;
        assert!(is_alone(&leaf));
        let leaf = Tensor::<1>::from_dispatch(leaf);
        let loss = leaf.clone().square().sum();
        assert!(!is_alone(&leaf.clone().into_dispatch()));
        let gradient = leaf.grad(&loss.backward()).expect("it is a leaf still");
        assert_eq!(gradient.into_data().iter::<f32>().collect::<Vec<_>>(), [2.0, 4.0, 2.0]);
    }
}
