//! The tensor inside of a leaf of autodiff, to be read or changed where it lies.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, BackendTensor, DispatchTensorKind};

/// The kind of tensor without the autodiff around it.
pub(crate) fn bare(kind: &DispatchTensorKind) -> &DispatchTensorKind {
    match kind {
        DispatchTensorKind::Autodiff(kind) => kind,
        kind => kind,
    }
}

/// The same, to be changed.
pub(crate) fn bare_mut(kind: &mut DispatchTensorKind) -> &mut DispatchTensorKind {
    match kind {
        DispatchTensorKind::Autodiff(kind) => kind,
        kind => kind,
    }
}

/// The floats of a tensor, or of a leaf.
pub(crate) fn inside<B: Backend>(tensor: &BackendTensor<B>) -> Option<&FloatTensor<B>> {
    match tensor {
        BackendTensor::Float(tensor) => Some(tensor),
        BackendTensor::Autodiff(leaf) => Some(leaf.primitive()),
        _ => None,
    }
}

/// The same, to be changed: a leaf keeps its node.
pub(crate) fn inside_mut<B: Backend>(tensor: &mut BackendTensor<B>) -> Option<&mut FloatTensor<B>> {
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
    /// The field is found by the layout of one version of burn: with another one this does not
    /// compile, and `primitive_mut` has to be read anew beside burn-autodiff's `tensor.rs`.
    #[allow(long_running_const_eval)]
    const _: () = {
        const LOCK: &[u8] = include_bytes!("../../../Cargo.lock");
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
}
