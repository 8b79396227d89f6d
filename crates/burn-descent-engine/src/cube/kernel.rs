//! The kernel and its launch.

use super::around::{Around, Places, see};
use super::emit::apply;
use super::extension::{Engine, InPasses, List, Words, Work};
use super::kept::InWords;
use super::layout::{Layout, Rows, Walk};
use super::norm::launch_norm;
use super::reduce::{launch_add, launch_fold};
use super::step::Step;
use super::words::{launch_narrow, launch_update, launch_widen};
use crate::state::compute_dtype;
use burn::backend::cubecl::dtype_to_storage_type as dtype_to_elem_type;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::ir::UIntKind;
use cubecl::prelude::*;
use std::sync::Arc;

/// Every buffer but the gradient and what is [around](Around) is read and written in place. Where there are no
/// parameter and gradient it brings states of rows, columns and what is coarser forward. The learning rate and all else
/// that changes with the step are launch arguments: a new value compiles nothing.
#[cube(launch_unchecked, address_type = "dynamic")]
fn update<P: Float, C: Float, N: Size>(
    parameter: &mut Sequence<Box<[Vector<P, N>]>>,
    gradient: &Sequence<Box<[Vector<P, N>]>>,
    states: &mut Sequence<Box<[Vector<C, N>]>>,
    around: &Sequence<Box<[C]>>,
    places: &Places,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    walk: &Rows,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let unit = ABSOLUTE_POS;
    if unit < walk.units {
        let i = walk.place(unit);
        let mut inputs = Sequence::<Vector<C, N>>::new();
        if comptime!(parameter.len() == 1) {
            let parameter = &parameter[0usize];
            inputs.push(Vector::cast_from(parameter[i]));
        } else {
            inputs.push(Vector::new(C::from_int(0)));
        }
        inputs.push(first_of::<P, C, N>(gradient, i));
        #[unroll]
        for lane in 0..states.len() {
            let state = &states[lane];
            inputs.push(state[i]);
        }
        see::<C, N>(&mut inputs, around, places, walk, unit);
        let known = on_device::<C>(beside);
        let outputs = apply::<C, N>(unit, &inputs, scalars, &known, key, graph, lanes);
        #[unroll]
        for number in 0..parameter.len() {
            let parameter = &mut parameter[number];
            parameter[i] = Vector::cast_from(outputs[number]);
        }
        #[unroll]
        for lane in 0..states.len() {
            let state = &mut states[lane];
            state[i] = outputs[comptime!(parameter.len() + lane)];
        }
    }
}

/// The scalars that lie on the device.
#[cube]
pub(super) fn on_device<C: Float>(beside: &Sequence<Box<[C]>>) -> Sequence<C> {
    let mut known = Sequence::<C>::new();
    #[unroll]
    for number in 0..beside.len() {
        let scalar = &beside[number];
        known.push(scalar[0]);
    }
    known
}

/// The vector of a tensor, where there is one; a pass without it does not ask what it is.
#[cube]
pub(super) fn first_of<P: Float, C: Float, N: Size>(
    tensors: &Sequence<Box<[Vector<P, N>]>>,
    place: usize,
) -> Vector<C, N> {
    if comptime!(tensors.len() == 1) {
        let tensor = &tensors[0usize];
        Vector::cast_from(tensor[place])
    } else {
        Vector::new(C::from_int(0))
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
        if parameter.meta.num_elements() == 0 {
            return (parameter, states);
        }
        let parameter = untile(parameter);
        // Where a parameter cannot be walked over, it moves to where its gradient can.
        let layout = walkable(&parameter, &work).or_else(|| walkable(&gradient, &work));
        let layout = layout.unwrap_or_else(|| Layout::contiguous(&parameter));
        let (parameter, gradient) = (layout.lay_alone(parameter), layout.lay(gradient));
        let states = states.into_vec().into_iter().map(|state| layout.lay_alone(state));
        let states: Vec<_> = states.collect();
        let (gradient, beside) = (Some(&gradient), beside.into_vec());
        let tensors =
            Tensors { parameter: Some(&parameter), gradient, states: &states, beside: &beside };
        let walk = match work.key.is_empty() {
            true => Walk::places(&layout, &tensors.all()),
            false => Walk::elements(&layout, &tensors.all()),
        };
        launch(&tensors, &Around::default(), walk, work);
        (parameter, List::new(states))
    }

    fn update_kept(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: List<Self>,
        words: Words<Self>,
        beside: List<Self>,
        work: InWords,
    ) -> (FloatTensor<Self>, List<Self>, Words<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, states, words);
        }
        let (states, words, beside) = (states.into_vec(), words.into_vec(), beside.into_vec());
        let (parameter, states, words) =
            launch_update(parameter, gradient, states, words, &beside, work);
        (parameter, List::new(states), Words::new(words))
    }

    fn widen(
        parameter: FloatTensor<Self>,
        words: Words<Self>,
        to: List<Self>,
        work: InWords,
    ) -> List<Self> {
        if parameter.meta.num_elements() == 0 {
            return to;
        }
        List::new(launch_widen(parameter, words.into_vec(), to.into_vec(), work))
    }

    fn narrow(
        from: List<Self>,
        parameter: FloatTensor<Self>,
        words: Words<Self>,
        work: InWords,
    ) -> (FloatTensor<Self>, Words<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, words);
        }
        let (parameter, words) = launch_narrow(from.into_vec(), parameter, words.into_vec(), work);
        (parameter, Words::new(words))
    }

    fn step_in_passes(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: List<Self>,
        coarse: List<Self>,
        beside: List<Self>,
        work: InPasses,
    ) -> (FloatTensor<Self>, List<Self>, List<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, states, coarse);
        }
        let [states, coarse, beside] = [states, coarse, beside].map(List::into_vec);
        let step = Step::new(parameter, gradient, states, coarse, beside, work);
        let (parameter, states, coarse) = step.take();
        (parameter, List::new(states), List::new(coarse))
    }

    fn add(
        parts: FloatTensor<Self>,
        inputs: List<Self>,
        states: List<Self>,
        beside: List<Self>,
        work: Work,
    ) -> FloatTensor<Self> {
        let inputs: Vec<_> = inputs.into_vec().into_iter().map(untile).collect();
        if inputs[0].meta.num_elements() == 0 {
            return parts;
        }
        let states = states.into_vec();
        let layout = walkable(&inputs[0], &work);
        let layout = layout.unwrap_or_else(|| Layout::contiguous(&inputs[0]));
        let lay = |list: Vec<_>| list.into_iter().map(|tensor| layout.lay(tensor)).collect();
        let (inputs, states): (Vec<_>, Vec<_>) = (lay(inputs), lay(states));
        let parts = alone(parts);
        launch_add(&layout, &parts, &inputs, &states, &beside.into_vec(), work);
        parts
    }

    fn fold(from: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let to = alone(to);
        launch_fold(&from, &to);
        to
    }

    fn norm(squares: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let to = alone(to);
        launch_norm(&squares, &to);
        to
    }
}

/// The layout of a tensor that can be walked over as it lies. Noise is drawn by the places of
/// elements in their tensor.
fn walkable(tensor: &CubeTensor, work: &Work) -> Option<Layout> {
    Layout::of(tensor).filter(|layout| work.key.is_empty() || layout.is_in_order())
}

/// A list of sums, in a buffer that nobody else holds.
pub(super) fn alone(sums: CubeTensor) -> CubeTensor {
    Layout::contiguous(&sums).lay_alone(sums)
}

/// The type in which the elements of a tensor are stored.
pub(super) fn stored_type(tensor: &CubeTensor) -> ElemType {
    dtype_to_elem_type(tensor.dtype)
}

/// The type in which they are computed.
pub(super) fn compute_type(tensor: &CubeTensor) -> ElemType {
    dtype_to_elem_type(compute_dtype(tensor.dtype))
}

pub(super) fn buffer(tensor: &CubeTensor) -> BufferArg {
    tensor.clone().into_buffer_arg()
}

/// Numbers that index as many places of a buffer.
pub(super) fn address(tensors: &[&CubeTensor]) -> AddressType {
    let places = |tensor: &&CubeTensor| tensor.handle.size() as usize / tensor.dtype.size();
    AddressType::from_len(tensors.iter().map(places).max().unwrap_or(0))
}

/// The scalars that are numbers, as launch arguments.
pub(super) fn numbers(work: &Work, compute: ElemType) -> SequenceArg<InputScalar> {
    work.numbers.iter().map(|number| InputScalar::new(*number, compute)).collect()
}

/// Words that random numbers follow from, as launch arguments.
pub(super) fn words(list: &[u32]) -> SequenceArg<InputScalar> {
    let word = |word: &u32| InputScalar::new(*word, ElemType::UInt(UIntKind::U32));
    list.iter().map(word).collect()
}

/// The tensors of an update: they have one layout.
pub(super) struct Tensors<'a> {
    /// None where states of rows, columns and what is coarser are brought forward.
    pub(super) parameter: Option<&'a CubeTensor>,
    pub(super) gradient: Option<&'a CubeTensor>,
    pub(super) states: &'a [CubeTensor],
    pub(super) beside: &'a [CubeTensor],
}

impl<'a> Tensors<'a> {
    /// Those that the walk goes over.
    pub(super) fn all(&self) -> Vec<&'a CubeTensor> {
        self.parameter.into_iter().chain(self.gradient).chain(self.states).collect()
    }
}

/// A tensor, or none, as a launch argument.
pub(super) fn one_or_none<E: LaunchArg<RuntimeArg = BufferArg>>(
    tensor: Option<&CubeTensor>,
) -> SequenceArg<E> {
    tensor.into_iter().map(buffer).collect()
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch(tensors: &Tensors<'_>, around: &Around, walk: Walk, work: Work) {
    let all = tensors.all();
    let Some(first) = all.first() else { return };
    let client = &first.client;
    let (stored, compute) = (stored_type(first), compute_type(first));
    let (cubes, block) = walk.cubes(client);
    // SAFETY: all tensors have the layout that the walk is over, so a place is of the same element in each of
    // them, and the walk ends before the end of each buffer; the kernel leaves out the units beyond it in the
    // last cube. What is around has a number for all that a unit asks for. Parameter and states have been
    // laid alone, so no other tensor sees their buffers.
    unsafe {
        update::launch_unchecked(
            client,
            cubes,
            block,
            address(&all),
            walk.width,
            one_or_none(tensors.parameter),
            one_or_none(tensors.gradient),
            tensors.states.iter().map(buffer).collect(),
            around.lists.iter().map(buffer).collect(),
            around.places(),
            numbers(&work, compute),
            tensors.beside.iter().map(buffer).collect(),
            words(&work.key),
            walk.launch(),
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}
