//! Whose memory a step writes to, and how much it keeps.

use crate::subject::step;
use crate::{Subject, bits};
use burn::tensor::{DType, Shape, Tensor};
use burn_descent::Place;

/// Parameters keep their precision; states are at least f32.
pub(crate) fn dtype(subject: &Subject) {
    let start = subject.tensor::<1>(1, [9]);
    let (walked, state) = subject.walk(&subject.optimizer(), start, None, 0..2);
    assert_eq!(walked.dtype(), subject.dtype);
    let wide = wide(subject.dtype);
    for state in state.expect("there is one after a step").tensors() {
        assert_eq!(state.dtype(), wide);
    }
}

/// The precision in which the states of a parameter are computed.
fn wide(parameter: DType) -> DType {
    if parameter == DType::F64 { DType::F64 } else { DType::F32 }
}

/// A tensor that nobody else holds keeps its memory, and so do its states.
pub(crate) fn in_place(subject: &Subject) {
    let optimizer = subject.optimizer();
    let start = subject.tensor::<1>(1, [1000]);
    let (tensor, state) = subject.walk(&optimizer, start, None, 0..1);
    let before = address(&tensor);
    let (tensor, _) = subject.walk(&optimizer, tensor, state, 1..3);
    assert_eq!(address(&tensor), before, "the parameter has moved");
}

/// Where the first element lies.
fn address(tensor: &Tensor<1>) -> usize {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    use burn::backend::{BackendTensor, DispatchTensorKind};
    match tensor.clone().into_dispatch().kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => tensor.bytes().as_ptr() as usize,
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        DispatchTensorKind::NdArray(BackendTensor::Float(tensor)) => {
            use burn::backend::ndarray::NdArrayTensor;
            match tensor {
                NdArrayTensor::F32(array) => array.view().as_ptr() as usize,
                NdArrayTensor::F64(array) => array.view().as_ptr() as usize,
                _ => unreachable!("a float tensor"),
            }
        }
        _ => unreachable!("only asked on the CPU"),
    }
}

/// What somebody else holds is not changed: parameter, gradient, and state.
pub(crate) fn shared(subject: &Subject) {
    let optimizer = subject.optimizer();
    let start = subject.tensor::<2>(1, [6, 7]);
    // Some optimizers stand still in their first steps.
    let (tensor, state) = subject.walk(&optimizer, start, None, 0..5);
    let gradient = subject.tensor::<2>(2, [6, 7]);
    let (held, held_gradient, held_state) = (tensor.clone(), gradient.clone(), state.clone());
    let (before, before_gradient) = (bits(&held), bits(&held_gradient));
    let states = |state: &Option<burn_descent::FusedState>| {
        state.as_ref().map(|state| state.tensors()).expect("there is one after a step")
    };
    let before_state = states(&held_state);

    // What finds its own rate begins with a small one, which half precision would round away.
    let lr = if optimizer.finds_rate() { 1e6 } else { 1.0 };
    let stepped = step(&optimizer, lr, tensor, gradient, state);
    assert!(bits(&stepped.0) != before, "the step did nothing");
    assert!(bits(&held) == before, "the clone of the parameter has changed");
    assert!(bits(&held_gradient) == before_gradient, "the gradient has changed");
    assert!(states(&held_state) == before_state, "the clone of the state has changed");

    // A view of a part is a holder too.
    let part = stepped.0.clone().slice([2..4, 0..7]);
    let before = bits(&part);
    let gradient = subject.tensor::<2>(3, [6, 7]);
    step(&optimizer, 0.1, stepped.0, gradient, Some(stepped.1));
    assert!(bits(&part) == before, "the view has changed");
}

/// The states are those that its page says, each as large as the parameter or as its domain, and all of them
/// as large as the plan says.
pub(crate) fn bytes(subject: &Subject) {
    let optimizer = subject.optimizer();
    let page = &subject.candidate.page;
    let coarse = page.coarse.iter().map(|(name, _)| *name);
    let mut names: Vec<_> = page.states.iter().copied().chain(coarse).collect();
    let mut found = optimizer.state_names();
    names.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, names);
    let sizes = |state: Option<burn_descent::FusedState>| -> Vec<usize> {
        let tensors = state.expect("there is one after a step").tensors();
        tensors.iter().map(|state| state.num_elements()).collect()
    };
    let vector = sizes(subject.walk(&optimizer, subject.tensor::<1>(1, [11]), None, 0..1).1);
    let matrix = sizes(subject.walk(&optimizer, subject.tensor::<2>(1, [6, 7]), None, 0..1).1);
    for (sizes, shape) in [(&vector, Shape::new([11])), (&matrix, Shape::new([6, 7]))] {
        let bytes = sizes.iter().sum::<usize>() * wide(subject.dtype).size();
        assert_eq!(bytes, optimizer.look(&shape, subject.dtype, Place::default()).bytes);
    }
    if !page.kept.is_empty() {
        return;
    }
    if page.coarse.is_empty() {
        assert!(vector.iter().all(|len| *len == 11) && matrix.iter().all(|len| *len == 42));
    } else {
        assert!(matrix.iter().all(|len| [1, 6, 7, 42].contains(len)), "{matrix:?}");
    }
}
