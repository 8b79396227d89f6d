//! The kernels that read and write states in words and weights of two bytes, and their launches.

use super::arguments::{address, buffer, compute_type, numbers, stored_type, words as key};
use super::backend::alone;
use super::coding::{UNITS, WIDTH, Width, read, read_weights, write, write_weights};
use super::emit::apply;
use super::kept::{InWords, Plan};
use super::kernel::on_device;
use super::layout::Layout;
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::prelude::*;
use std::sync::Arc;

/// Updates what lies in words and what does not.
#[cube(launch_unchecked, address_type = "dynamic")]
fn update<P: Float, N: Size>(
    parameter: &mut Sequence<Box<[Vector<P, N>]>>,
    gradient: &Sequence<Box<[Vector<P, N>]>>,
    states: &mut Sequence<Box<[Vector<f32, N>]>>,
    lists: &mut Sequence<Box<[u32]>>,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[f32]>>,
    key: &Sequence<InputScalar>,
    dice: &Sequence<InputScalar>,
    count: usize,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[comptime] plan: Arc<Plan>,
    #[define(P)] _dtype: ElemType,
) {
    let unit = CUBE_POS * UNITS + UNIT_POS as usize;
    let last = (count - 1) / WIDTH;
    // Units beyond the last one go the same way, for all of a workgroup meet at its barriers, and keep nothing.
    let there = unit <= last;
    let i = min(unit, last);
    let mut inputs = Sequence::<Vector<f32, Width>>::new();
    let kept = load::<P, N>(&*parameter, i, count, 0usize);
    let (at, half) = comptime!((plan.lost(), plan.half));
    inputs.push(read_weights(kept, &*lists, i, count, at, plan.weights, half));
    inputs.push(load::<P, N>(gradient, i, count, 0usize));
    #[unroll]
    for lane in 0..comptime!(plan.states.len()) {
        let place = comptime!(plan.place(lane));
        if comptime!(plan.is_words(lane)) {
            inputs.push(read(&*lists, i, count, place, comptime!(plan.states[lane])));
        } else {
            inputs.push(load::<f32, N>(&*states, i, count, place));
        }
    }
    let known = on_device::<f32>(beside);
    let outputs = apply::<f32, Width>(i, &inputs, scalars, &known, key, graph, lanes);
    #[unroll]
    for lane in 0..comptime!(plan.states.len()) {
        let place = comptime!(plan.place(lane));
        let number = outputs[comptime!(lane + 1)];
        if comptime!(plan.is_words(lane)) {
            let coding = comptime!(plan.states[lane]);
            write(lists, number, unit, count, there, dice, place, coding);
        } else {
            store::<f32, N>(states, number, unit, count, place);
        }
    }
    let kept =
        write_weights(outputs[0usize], lists, unit, count, there, dice, at, plan.weights, half);
    store::<P, N>(parameter, kept, unit, count, 0usize);
}

/// The numbers of a unit, in vectors of four or one by one.
#[cube]
fn load<T: Float, N: Size>(
    tensors: &Sequence<Box<[Vector<T, N>]>>,
    unit: usize,
    count: usize,
    #[comptime] at: usize,
) -> Vector<f32, Width> {
    let tensor = &tensors[at];
    let mut numbers = Vector::<f32, Width>::empty();
    let width = N::value();
    if comptime!(width == WIDTH) {
        numbers = Vector::cast_from(tensor[unit]);
    } else {
        #[unroll]
        for lane in 0..WIDTH {
            let number = tensor[min(unit * WIDTH + lane, count - 1)];
            numbers.insert(lane, f32::cast_from(number.extract(0usize)));
        }
    }
    numbers
}

/// Writes those that are there.
#[cube]
fn store<T: Float, N: Size>(
    tensors: &mut Sequence<Box<[Vector<T, N>]>>,
    numbers: Vector<f32, Width>,
    unit: usize,
    count: usize,
    #[comptime] at: usize,
) {
    let tensor = &mut tensors[at];
    let width = N::value();
    if comptime!(width == WIDTH) {
        if unit * WIDTH < count {
            tensor[unit] = Vector::cast_from(numbers);
        }
    } else {
        #[unroll]
        for lane in 0..WIDTH {
            let place = unit * WIDTH + lane;
            if place < count {
                tensor[place] = Vector::new(T::cast_from(numbers.extract(lane)));
            }
        }
    }
}

/// Writes weights, if they are computed otherwise than they are kept, and states as they are computed.
#[cube(launch_unchecked, address_type = "dynamic")]
fn widen<P: Float, N: Size>(
    parameter: &Sequence<Box<[Vector<P, N>]>>,
    lists: &Sequence<Box<[u32]>>,
    to: &mut Sequence<Box<[Vector<f32, N>]>>,
    count: usize,
    #[comptime] plan: Arc<Plan>,
    #[define(P)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    if unit < count.div_ceil(WIDTH) {
        #[unroll]
        for number in 0..parameter.len() {
            let kept = load::<P, N>(parameter, unit, count, number);
            let (at, half) = comptime!((plan.lost(), plan.half));
            let wide = read_weights(kept, lists, unit, count, at, plan.weights, half);
            store::<f32, N>(to, wide, unit, count, number);
        }
        #[unroll]
        for at in 0..comptime!(plan.lost()) {
            let coding = comptime!(plan.states[plan.in_words()[at]]);
            let wide = read(lists, unit, count, at, coding);
            store::<f32, N>(to, wide, unit, count, comptime!(parameter.len() + at));
        }
    }
}

/// Keeps them.
#[cube(launch_unchecked, address_type = "dynamic")]
fn narrow<P: Float, N: Size>(
    from: &Sequence<Box<[Vector<f32, N>]>>,
    parameter: &mut Sequence<Box<[Vector<P, N>]>>,
    lists: &mut Sequence<Box<[u32]>>,
    dice: &Sequence<InputScalar>,
    count: usize,
    #[comptime] plan: Arc<Plan>,
    #[define(P)] _dtype: ElemType,
) {
    let unit = CUBE_POS * UNITS + UNIT_POS as usize;
    let last = (count - 1) / WIDTH;
    let there = unit <= last;
    let i = min(unit, last);
    #[unroll]
    for number in 0..parameter.len() {
        let wide = load::<f32, N>(from, i, count, number);
        let (at, half) = comptime!((plan.lost(), plan.half));
        let kept = write_weights(wide, lists, unit, count, there, dice, at, plan.weights, half);
        store::<P, N>(parameter, kept, unit, count, number);
    }
    #[unroll]
    for at in 0..comptime!(plan.lost()) {
        let coding = comptime!(plan.states[plan.in_words()[at]]);
        let wide = load::<f32, N>(from, i, count, comptime!(parameter.len() + at));
        write(lists, wide, unit, count, there, dice, at, coding);
    }
}

/// The width of the vectors in which tensors that have this layout are read.
fn width(layout: &Layout, tensors: &[&CubeTensor]) -> usize {
    if layout.holds_vectors(tensors, WIDTH) { WIDTH } else { 1 }
}

/// As many workgroups as so many numbers ask for.
fn cubes(client: &Client, count: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(UNITS as u32);
    (cubecl::calculate_cube_count_elemwise(client, count.div_ceil(WIDTH), dim), dim)
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_update(
    parameter: CubeTensor,
    gradient: CubeTensor,
    states: Vec<CubeTensor>,
    lists: Vec<CubeTensor>,
    on_device: &[CubeTensor],
    InWords { plan, dice, work }: InWords,
) -> (CubeTensor, Vec<CubeTensor>, Vec<CubeTensor>) {
    let parameter = untile(parameter);
    let layout = Layout::contiguous(&parameter);
    let lay = |tensor| layout.lay_alone(tensor);
    let (parameter, gradient) = (lay(parameter), layout.lay(untile(gradient)));
    let states: Vec<_> = states.into_iter().map(lay).collect();
    let lists: Vec<_> = lists.into_iter().map(alone).collect();
    let count = parameter.meta.num_elements();
    let (client, dtype) = (&parameter.client, stored_type(&parameter));
    let (cubes, block) = cubes(client, count);
    let all: Vec<_> = [&parameter, &gradient].into_iter().chain(&states).collect();
    // SAFETY: the elements of parameter, gradient and states lie one after another, and there is room for whole vectors where
    // they are wider than one; each list has the words of as many numbers, for the state has been checked. The kernel reads
    // and writes nothing beyond the last vector and the last word. What is written has been laid alone, so no other tensor
    // sees its buffer.
    unsafe {
        update::launch_unchecked(
            client,
            cubes,
            block,
            address(all.iter().copied()),
            width(&layout, &all),
            [&parameter].map(buffer).into_iter().collect(),
            [&gradient].map(buffer).into_iter().collect(),
            states.iter().map(buffer).collect(),
            lists.iter().map(buffer).collect(),
            numbers(&work, compute_type(&parameter)),
            on_device.iter().map(buffer).collect(),
            key(&work.key),
            key(&dice),
            count,
            work.graph,
            work.lanes,
            plan,
            dtype,
        );
    }
    (parameter, states, lists)
}

#[allow(unsafe_code)] // as above
pub(super) fn launch_widen(
    parameter: CubeTensor,
    lists: Vec<CubeTensor>,
    to: Vec<CubeTensor>,
    InWords { plan, .. }: InWords,
) -> Vec<CubeTensor> {
    let layout = Layout::contiguous(&parameter);
    let to: Vec<_> = to.into_iter().map(|to| layout.lay_alone(to)).collect();
    let kept = plan.has_weights().then(|| layout.lay(untile(parameter.clone())));
    let all: Vec<_> = to.iter().chain(&kept).collect();
    let (client, count) = (&parameter.client, parameter.meta.num_elements());
    let (cubes, block) = cubes(client, count);
    // SAFETY: as in `launch_update`.
    unsafe {
        widen::launch_unchecked(
            client,
            cubes,
            block,
            address(all.iter().copied()),
            width(&layout, &all),
            kept.iter().map(buffer).collect(),
            lists.iter().map(buffer).collect(),
            to.iter().map(buffer).collect(),
            count,
            plan,
            stored_type(&parameter),
        );
    }
    to
}

#[allow(unsafe_code)] // as above
pub(super) fn launch_narrow(
    from: Vec<CubeTensor>,
    parameter: CubeTensor,
    lists: Vec<CubeTensor>,
    InWords { plan, dice, .. }: InWords,
) -> (CubeTensor, Vec<CubeTensor>) {
    let layout = Layout::contiguous(&parameter);
    let from: Vec<_> = from.into_iter().map(|from| layout.lay(untile(from))).collect();
    let lists: Vec<_> = lists.into_iter().map(alone).collect();
    let parameter = match plan.has_weights() {
        true => layout.lay_alone(untile(parameter)),
        false => parameter,
    };
    let kept = plan.has_weights().then_some(&parameter);
    let all: Vec<_> = from.iter().chain(kept).collect();
    let (client, count) = (&parameter.client, parameter.meta.num_elements());
    let (cubes, block) = cubes(client, count);
    // SAFETY: as in `launch_update`.
    unsafe {
        narrow::launch_unchecked(
            client,
            cubes,
            block,
            address(all.iter().copied()),
            width(&layout, &all),
            from.iter().map(buffer).collect(),
            kept.into_iter().map(buffer).collect(),
            lists.iter().map(buffer).collect(),
            key(&dice),
            count,
            plan,
            stored_type(&parameter),
        );
    }
    (parameter, lists)
}
