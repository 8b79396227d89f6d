//! The kernel and its launch.

use super::emit::apply;
use super::extension::{Engine, List};
use crate::program::Program;
use crate::state::compute_dtype;
use burn::backend::cubecl::dtype_to_storage_type as dtype_to_elem_type;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use burn_descent_rules::noise::Noise;
use cubecl::calculate_cube_count_elemwise;
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
    sums: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    #[comptime] graph: Arc<Graph>,
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
        let mut totals = Sequence::<C>::new();
        #[unroll]
        for number in 0..sums.len() {
            let sum = &sums[number];
            totals.push(sum[0]);
        }
        let outputs = apply::<C, N>(i, &inputs, scalars, &totals, key, graph);
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
        sum: List<Self>,
        program: Arc<Program>,
        scalars: Arc<[f64]>,
    ) -> (FloatTensor<Self>, List<Self>) {
        let (parameter, gradient) = (writable(parameter), into_contiguous(gradient));
        let states: Vec<_> = states.into_vec().into_iter().map(writable).collect();
        let sum: Vec<_> = sum.into_vec().into_iter().map(into_contiguous).collect();
        launch(&program, &parameter, &gradient, &states, &sum, &scalars);
        (parameter, List::new(states))
    }
}

/// Contiguous, and copied if somebody else holds the buffer.
fn writable(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
fn launch(
    program: &Program,
    parameter: &CubeTensor,
    gradient: &CubeTensor,
    states: &[CubeTensor],
    sum: &[CubeTensor],
    scalars: &[f64],
) {
    let count = parameter.meta.num_elements();
    if count == 0 {
        return;
    }
    let client = &parameter.client;
    let stored = dtype_to_elem_type(parameter.dtype);
    let compute = dtype_to_elem_type(compute_dtype(parameter.dtype));
    let width = client
        .io_optimized_vector_sizes(stored.size().max(compute.size()))
        .find(|width| count.is_multiple_of(*width))
        .unwrap_or(1);
    let units = count / width;
    let cube_dim = CubeDim::new(client, units);
    let cubes = calculate_cube_count_elemwise(client, units, cube_dim);
    let key = program.noise.map_or(&[][..], |lane| &scalars[lane + 1..lane + Noise::LANES]);
    let word = |word: &f64| InputScalar::new(*word as u32, ElemType::from(UIntKind::U32));
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
            scalars.iter().map(|scalar| InputScalar::new(*scalar, compute)).collect(),
            sum.iter().map(buffer).collect(),
            key.iter().map(word).collect(),
            program.update.clone(),
            [stored, compute],
        );
    }
}
