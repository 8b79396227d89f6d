//! Tensors where they lie: bare, or in a leaf of autodiff.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};

/// A tensor of a backend that this engine knows, to be changed where it lies.
pub(crate) enum Lying<'a> {
    #[cfg(feature = "flex")]
    Flex(&'a mut burn::backend::flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(&'a mut burn::backend::ndarray::NdArrayTensor),
}

/// The tensor inside, whether it is bare or in autodiff; `None` for other backends.
///
/// A tensor in autodiff keeps its node: a leaf that is changed here is the leaf that it was, as a
/// parameter is in PyTorch, and burn has nothing to register and nothing to forget.
pub(crate) fn find(tensor: &mut DispatchTensor) -> Option<Lying<'_>> {
    let kind = match &mut tensor.kind {
        DispatchTensorKind::Autodiff(kind) => &mut **kind,
        kind => kind,
    };
    match kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(tensor) => match tensor {
            BackendTensor::Float(tensor) => Some(Lying::Flex(tensor)),
            // SAFETY: burn's `primitive` lends a field.
            #[allow(unsafe_code)]
            BackendTensor::Autodiff(leaf) => {
                Some(Lying::Flex(unsafe { field_mut(leaf, |leaf| leaf.primitive()) }))
            }
            _ => None,
        },
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(tensor) => match tensor {
            BackendTensor::Float(tensor) => Some(Lying::NdArray(tensor)),
            // SAFETY: burn's `primitive` lends a field.
            #[allow(unsafe_code)]
            BackendTensor::Autodiff(leaf) => {
                Some(Lying::NdArray(unsafe { field_mut(leaf, |leaf| leaf.primitive()) }))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A field, to be changed, of a value whose type only lends it to be read.
///
/// # Safety
/// `field` lends a field of `W` itself, of type `F` as it is declared there, and `W` promises
/// nothing about it that its type does not.
///
/// # Panics
/// If what it lends does not lie inside of the value.
#[allow(unsafe_code)] // burn lends the tensor of a leaf only to be read
unsafe fn field_mut<W, F>(whole: &mut W, field: impl FnOnce(&W) -> &F) -> &mut F {
    let begin = (&raw const *whole).addr();
    let offset = (&raw const *field(whole)).addr().checked_sub(begin);
    let most = size_of::<W>().checked_sub(size_of::<F>());
    let offset = offset.filter(|offset| most.is_some_and(|most| *offset <= most));
    let offset = offset.expect("a field lies inside of its value");
    // SAFETY: a value of type `F` lies `offset` bytes into `whole`, as has just been seen, and
    // whoever borrows `whole` mutably may change all of it. The pointer comes from that borrow.
    unsafe { &mut *(&raw mut *whole).byte_add(offset).cast::<F>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Leaf {
        _node: u64,
        primitive: String,
        boxed: Box<String>,
    }

    #[test]
    #[allow(unsafe_code)]
    fn a_field_is_found_and_changed() {
        let leaf = || Leaf { _node: 1, primitive: "a".into(), boxed: Box::new("b".into()) };
        let mut changed = leaf();
        // SAFETY: a field.
        unsafe { field_mut(&mut changed, |leaf| &leaf.primitive) }.push_str("bc");
        assert_eq!(changed.primitive, "abc");
        // SAFETY: it lies elsewhere, and is refused.
        let outside = || unsafe { field_mut(&mut leaf(), |leaf| &*leaf.boxed) }.len();
        assert!(std::panic::catch_unwind(outside).is_err());
    }
}
