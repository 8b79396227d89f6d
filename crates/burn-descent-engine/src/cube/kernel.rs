//! The kernel and its launch.

use super::emit::apply;
use super::extension::{Engine, List, Work};
use super::norm::launch_norm;
use super::reduce::{launch_add, launch_fold};
use crate::state::compute_dtype;
use burn::backend::cubecl::dtype_to_storage_type as dtype_to_elem_type;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::calculate_cube_count_elemwise;
use cubecl::ir::UIntKind;
use cubecl::prelude::*;
use std::sync::Arc;

/// Every buffer but the gradient is read and written in place. The learning rate and all else
/// that changes with the step are launch arguments: a new value compiles nothing.
#[cube(launch_unchecked)]
fn update<P: Float, C: Float, N: Size>(
    parameter: &mut [Vector<P, N>],
    gradient: &[Vector<P, N>],
    states: &mut Sequence<Box<[Vector<C, N>]>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let i = ABSOLUTE_POS;
    if i < parameter.len() {
        let mut inputs = Sequence::<Vector<C, N>>::new();
        inputs.push(Vector::cast_from(parameter[i]));
        inputs.push(Vector::cast_from(gradient[i]));
        #[unroll]
        for lane in 0..states.len() {
            let state = &states[lane];
            inputs.push(state[i]);
        }
        let mut known = Sequence::<C>::new();
        #[unroll]
        for number in 0..beside.len() {
            let scalar = &beside[number];
            known.push(scalar[0]);
        }
        let outputs = apply::<C, N>(i, &inputs, scalars, &known, key, graph, lanes);
        parameter[i] = Vector::cast_from(outputs[0]);
        #[unroll]
        for lane in 0..states.len() {
            let state = &mut states[lane];
            state[i] = outputs[lane + 1];
        }
    }
}

impl Engine for CubeBackend {
    fn update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: List<Self>,
        beside: List<Self>,
        work: Work,
    ) -> (FloatTensor<Self>, List<Self>) {
        let (parameter, gradient) = (writable(parameter), into_contiguous(gradient));
        let states: Vec<_> = states.into_vec().into_iter().map(writable).collect();
        launch(&parameter, &gradient, &states, &contiguous(beside), work);
        (parameter, List::new(states))
    }

    fn add(
        parts: FloatTensor<Self>,
        inputs: List<Self>,
        states: List<Self>,
        beside: List<Self>,
        work: Work,
    ) -> FloatTensor<Self> {
        let parts = writable(parts);
        let (inputs, states, beside) = (contiguous(inputs), contiguous(states), contiguous(beside));
        launch_add(&parts, &inputs, &states, &beside, work);
        parts
    }

    fn fold(from: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let (from, to) = (into_contiguous(from), writable(to));
        launch_fold(&from, &to);
        to
    }

    fn norm(squares: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let (squares, to) = (into_contiguous(squares), writable(to));
        launch_norm(&squares, &to);
        to
    }
}

fn contiguous(list: List<CubeBackend>) -> Vec<CubeTensor> {
    list.into_vec().into_iter().map(into_contiguous).collect()
}

/// Contiguous, and copied if somebody else holds the buffer.
fn writable(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}

/// The type in which the elements of a parameter are stored.
pub(super) fn stored_type(parameter: &CubeTensor) -> ElemType {
    dtype_to_elem_type(parameter.dtype)
}

/// The type in which they are computed.
pub(super) fn compute_type(parameter: &CubeTensor) -> ElemType {
    dtype_to_elem_type(compute_dtype(parameter.dtype))
}

/// How many elements of a parameter and its states are loaded at a time.
pub(super) fn width(parameter: &CubeTensor) -> usize {
    let size = stored_type(parameter).size().max(compute_type(parameter).size());
    let count = parameter.meta.num_elements();
    let mut widths = parameter.client.io_optimized_vector_sizes(size);
    widths.find(|width| count.is_multiple_of(*width)).unwrap_or(1)
}

/// The scalars that are numbers, as launch arguments.
pub(super) fn numbers(work: &Work, compute: ElemType) -> SequenceArg<InputScalar> {
    work.numbers.iter().map(|number| InputScalar::new(*number, compute)).collect()
}

/// The words that noise follows from, as launch arguments.
pub(super) fn words(work: &Work) -> SequenceArg<InputScalar> {
    let word = |word: &u32| InputScalar::new(*word, ElemType::UInt(UIntKind::U32));
    work.key.iter().map(word).collect()
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
fn launch(
    parameter: &CubeTensor,
    gradient: &CubeTensor,
    states: &[CubeTensor],
    beside: &[CubeTensor],
    work: Work,
) {
    let count = parameter.meta.num_elements();
    if count == 0 {
        return;
    }
    let client = &parameter.client;
    let (stored, compute) = (stored_type(parameter), compute_type(parameter));
    let width = width(parameter);
    let units = count / width;
    let cube_dim = CubeDim::new(client, units);
    let cubes = calculate_cube_count_elemwise(client, units, cube_dim);
    let buffer = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
    // SAFETY: the shapes are equal and the tensors contiguous, so every buffer holds `count`
    // elements; the kernel leaves out the units beyond them in the last cube. Parameter and states
    // have just been made writable, so no other tensor sees their buffers.
    unsafe {
        update::launch_unchecked(
            client,
            cubes,
            cube_dim,
            width,
            buffer(parameter),
            buffer(gradient),
            states.iter().map(buffer).collect(),
            numbers(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work),
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}
