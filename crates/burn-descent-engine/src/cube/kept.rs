//! States in words and weights of two bytes: read and written by the kernel of a step, or, around the step of a rule that
//! takes more than one, by kernels of their own.

use super::coding::{Half, UNITS, WIDTH, Width, read, read_weights, write, write_weights};
use super::emit::apply;
use super::extension::{Engine, Kernels, LIST, List, Words, Work};
use super::kernel::{
    address, alone, buffer, compute_type, numbers, on_device, stored_type, words as key,
};
use super::layout::Layout;
use super::passes::BUFFERS;
use crate::code::Code;
use crate::dispatch::{Step, beside};
use crate::scalars::Scalars;
use crate::store::{Coding, Keeping, Weights};
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Tensor};
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::prelude::*;
use std::sync::Arc;

/// How what is kept of a parameter lies in its tensors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Plan {
    /// How each state is kept.
    states: Vec<Coding>,
    weights: Weights,
    half: Half,
}

impl Plan {
    fn of(keeping: &Keeping, parameter: DType) -> Self {
        let states = (0..keeping.states).map(|lane| keeping.kept.state(lane)).collect();
        let half = if parameter == DType::F16 { Half::F16 } else { Half::Bf16 };
        Self { states, weights: keeping.kept.weights, half }
    }

    /// The states that lie in words.
    fn in_words(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|lane| self.is_words(*lane)).collect()
    }

    fn is_words(&self, lane: usize) -> bool {
        self.states[lane].is_words()
    }

    /// The place of a state among those that lie in words, or among those that do not.
    fn place(&self, lane: usize) -> usize {
        (0..lane).filter(|other| self.is_words(*other) == self.is_words(lane)).count()
    }

    /// The states that do not lie in words and those that do, and what is beside the weights behind these, if it is there.
    fn split(
        &self,
        states: &mut Vec<DispatchTensor>,
        has_lost: bool,
    ) -> (Vec<DispatchTensor>, Vec<DispatchTensor>) {
        let lost = (has_lost && self.weights.has_lost()).then(|| states.pop()).flatten();
        let lies_in_words =
            |lane: usize| self.states.get(lane).is_some_and(|state| state.is_words());
        let (mut full, mut words) = (Vec::new(), Vec::new());
        for (lane, state) in core::mem::take(states).into_iter().enumerate() {
            if lies_in_words(lane) { words.push(state) } else { full.push(state) }
        }
        words.extend(lost);
        (full, words)
    }

    /// Back from there.
    fn join(&self, full: Vec<DispatchTensor>, words: Vec<DispatchTensor>) -> Vec<DispatchTensor> {
        let (mut full, mut words) = (full.into_iter(), words.into_iter());
        let lanes = self.states.iter();
        let lane = |state: &Coding| if state.is_words() { words.next() } else { full.next() };
        let mut states: Vec<_> = lanes.filter_map(lane).collect();
        // What is kept of whole matrices, and what is beside the weights.
        states.extend(full.chain(words));
        states
    }

    /// The list of words that is beside the weights.
    fn lost(&self) -> usize {
        self.in_words().len()
    }

    /// Are the weights computed otherwise than they are kept?
    fn has_weights(&self) -> bool {
        self.weights != Weights::AsTheyAre
    }

    /// Do kernels take its lists?
    fn fits(&self) -> bool {
        self.lost() + usize::from(self.has_weights()) <= LIST
    }

    /// Does one kernel take all of them?
    fn fits_one(&self) -> bool {
        // Parameter, gradient, states, and the factor of the gradient.
        self.states.len() + usize::from(self.weights.has_lost()) + 3 <= BUFFERS
    }
}

/// What kernels have to know of numbers in words.
#[derive(Clone)]
pub(super) struct InWords {
    plan: Arc<Plan>,
    /// Three words for each list, and for the weights behind them: the random numbers of rounding follow from these.
    dice: Vec<u32>,
    /// What is done with each element; nothing, where numbers are read or written only.
    work: Work,
}

impl InWords {
    fn of(keeping: &Keeping, parameter: DType) -> Self {
        let plan = Plan::of(keeping, parameter);
        let mut dice: Vec<_> =
            plan.in_words().into_iter().flat_map(|lane| keeping.dice(lane)).collect();
        dice.extend(keeping.dice_of_weights());
        Self { plan: Arc::new(plan), dice, work: Work::new(Arc::default(), &Scalars::none()).0 }
    }
}

/// Can kernels read and write what is kept of a parameter of this type?
pub(crate) fn reads(keeping: &Keeping, parameter: DType) -> bool {
    Plan::of(keeping, parameter).fits()
}

/// One step: in one kernel, if the rule has one for all that it does, or by `full` between two.
pub(crate) fn step_kept<const D: usize>(
    keeping: &Keeping,
    full: Step,
    code: &Code,
    scalars: Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let words = InWords::of(keeping, parameter.dtype());
    let graph = match &code.kernels {
        Some(Kernels::Whole(kernels)) if !code.sees_whole => kernels.alone(),
        _ => None,
    };
    match graph.filter(|_| words.plan.fits_one()) {
        Some(graph) => {
            let gradient = beside::<D>(&parameter, gradient);
            let scalars = scalars.beside(&parameter);
            step_in_one(words, graph, &scalars, parameter, gradient, states)
        }
        None => {
            let step = |parameter, states: &mut Vec<DispatchTensor>| {
                full(code, scalars, parameter, gradient, states)
            };
            step_between::<D>(words, step, parameter, states)
        }
    }
}

fn step_in_one(
    words: InWords,
    graph: &Arc<Graph>,
    scalars: &Scalars,
    parameter: DispatchTensor,
    gradient: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let plan = words.plan.clone();
    let (work, beside) = Work::new(graph.clone(), scalars);
    let (full, lists) = plan.split(states, true);
    let (parameter, full, lists) = <Dispatch as Engine>::update_kept(
        parameter,
        gradient,
        List::new(full),
        Words::new(lists),
        beside,
        InWords { work, ..words },
    );
    *states = plan.join(full.into_vec(), lists.into_vec());
    parameter
}

fn step_between<const D: usize>(
    words: InWords,
    step: impl FnOnce(DispatchTensor, &mut Vec<DispatchTensor>) -> DispatchTensor,
    parameter: DispatchTensor,
    states: &mut Vec<DispatchTensor>,
) -> DispatchTensor {
    let plan = words.plan.clone();
    let (full, lists) = plan.split(states, true);
    let device = Tensor::<D>::from_dispatch(parameter.clone()).device();
    let empty = |_| Tensor::<D>::empty(parameter.shape(), (&device, DType::F32)).into_dispatch();
    let count = plan.lost() + usize::from(plan.has_weights());
    let to = List::new((0..count).map(empty).collect());
    let wide = <Dispatch as Engine>::widen(
        parameter.clone(),
        Words::new(lists.clone()),
        to,
        words.clone(),
    );
    let mut wide = wide.into_vec();
    // What is kept of the parameter is written over after the step.
    let (wide_parameter, kept) = match plan.has_weights() {
        true => (wide.remove(0), Some(parameter)),
        false => (parameter, None),
    };
    *states = plan.join(full, wide);
    let parameter = step(wide_parameter, states);
    let (full, wide) = plan.split(states, false);
    let (parameter, from) = match kept {
        Some(kept) => (kept, core::iter::once(parameter).chain(wide).collect()),
        None => (parameter, wide),
    };
    let (parameter, lists) =
        <Dispatch as Engine>::narrow(List::new(from), parameter, Words::new(lists), words);
    *states = plan.join(full, lists.into_vec());
    parameter
}

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
            address(&all),
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
            address(&all),
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
            address(&all),
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
