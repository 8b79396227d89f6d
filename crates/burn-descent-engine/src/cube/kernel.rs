//! The kernel of an update, of one tensor or of many, and its launch.

#![allow(clippy::len_zero)] // in a kernel a sequence has a length, and no `is_empty`

use super::arguments::{address, buffer, compute_type, numbers, stored_type, words};
use super::around::{Around, Places, see};
use super::emit::apply;
use super::extension::Work;
use super::layout::{Rows, Walk, block, cubes};
use super::share::{Share, Shares, all_known, meet, put, share_of};
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Graph;
use cubecl::prelude::*;
use std::sync::Arc;

/// Every buffer but the gradient and what is [around](Around) is read and written in place. Where there are no
/// parameter and gradient it brings states of rows, columns and what is coarser forward. The learning rate and all else
/// that changes with the step are launch arguments: a new value compiles nothing.
///
/// Of many tensors, each unit updates a vector of one.
#[cube(launch_unchecked, address_type = "dynamic")]
fn update<P: Float, C: Float, N: Size>(
    parameters: &mut Sequence<Box<[Vector<P, N>]>>,
    gradients: &Sequence<Box<[Vector<P, N>]>>,
    states: &mut Sequence<Box<[Vector<C, N>]>>,
    around: &Sequence<Box<[C]>>,
    places: &Places,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    walk: &Rows,
    shares: &Sequence<Share>,
    counts: &Sequence<InputScalar>,
    sums: &Sequence<Box<[C]>>,
    #[comptime] each: Vec<usize>,
    #[comptime] graph: Arc<Graph>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    if comptime!(shares.len() > 0) {
        let count = comptime!(shares.len());
        let met = comptime!(2 + states.len() / count);
        let known = comptime!(counts.len().min(1) + each.iter().sum::<usize>());
        let mut about = Array::<usize>::new(3usize);
        let mut own = Array::<C>::new(comptime!(known.max(1)));
        share_of::<C>(&mut about, &mut own, shares, counts, sums, each, 0usize, count);
        let unit = (CUBE_POS - about[0usize]) * CUBE_DIM as usize + UNIT_POS as usize;
        if unit < about[2usize] {
            let mut found = Array::<Vector<C, N>>::new(met);
            meet::<P, C, N>(
                &mut found,
                &*parameters,
                gradients,
                &*states,
                shares,
                unit,
                0usize,
                count,
            );
            let mut inputs = Sequence::<Vector<C, N>>::new();
            #[unroll]
            for number in 0..met {
                inputs.push(found[number]);
            }
            let known = all_known::<C>(beside, &own, known);
            let outputs = apply::<C, N>(unit, &inputs, scalars, &known, key, graph, lanes);
            put::<P, C, N>(&outputs, parameters, states, shares, unit, 0usize, count);
        }
    } else {
        let unit = ABSOLUTE_POS;
        if unit < walk.units {
            let i = walk.place(unit);
            let mut inputs = Sequence::<Vector<C, N>>::new();
            if comptime!(parameters.len() == 1) {
                let parameter = &parameters[0usize];
                inputs.push(Vector::cast_from(parameter[i]));
            } else {
                inputs.push(Vector::new(C::from_int(0)));
            }
            inputs.push(first_of::<P, C, N>(gradients, i));
            #[unroll]
            for lane in 0..states.len() {
                let state = &states[lane];
                inputs.push(state[i]);
            }
            see::<C, N>(&mut inputs, around, places, walk, unit);
            let known = on_device::<C>(beside);
            let outputs = apply::<C, N>(unit, &inputs, scalars, &known, key, graph, lanes);
            #[unroll]
            for number in 0..parameters.len() {
                let parameter = &mut parameters[number];
                parameter[i] = Vector::cast_from(outputs[number]);
            }
            #[unroll]
            for lane in 0..states.len() {
                let state = &mut states[lane];
                state[i] = outputs[comptime!(parameters.len() + lane)];
            }
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

/// The tensors of an update: they have one layout.
pub(super) struct Tensors<'a> {
    /// None where states of rows, columns and what is coarser are brought forward.
    pub(super) parameter: Option<&'a CubeTensor>,
    pub(super) gradient: Option<&'a CubeTensor>,
    pub(super) states: &'a [CubeTensor],
}

impl<'a> Tensors<'a> {
    /// Those that the walk goes over.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a CubeTensor> + Clone {
        self.parameter.into_iter().chain(self.gradient).chain(self.states)
    }
}

/// What a launch over many tensors knows of them: nothing, where it is over one.
#[derive(Default)]
pub(super) struct Many<'a> {
    /// The number of each among all that are stepped together.
    pub(super) numbers: Vec<usize>,
    /// How many elements each has, if that is asked for.
    pub(super) counts: Vec<usize>,
    /// Sums over all that are stepped together, and how many of them each has.
    pub(super) sums: &'a [CubeTensor],
    pub(super) each: Vec<usize>,
}

/// Updates tensors, which are walked over in vectors of the same width: one, with what is around it, or many.
#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch(
    tensors: &[(Tensors<'_>, &Walk)],
    around: &Around,
    many: &Many<'_>,
    beside: &[CubeTensor],
    work: Work,
) {
    let all = || tensors.iter().flat_map(|(tensors, _)| tensors.all());
    let (Some(first), Some((_, walk))) = (all().next(), tensors.first()) else { return };
    let client = &first.client;
    let (stored, compute) = (stored_type(first), compute_type(first));
    let units = block(client);
    let walks = || many.numbers.iter().zip(tensors).map(|(number, (_, walk))| (*number, *walk));
    let shares = Shares::of(walks().map(|(_, walk)| walk.units.div_ceil(units)));
    let all_units = if shares.workgroups == 0 { walk.units } else { shares.workgroups * units };
    let (cubes, block) = cubes(client, all_units);
    let parameters = tensors.iter().filter_map(|(tensors, _)| tensors.parameter);
    let gradients = tensors.iter().filter_map(|(tensors, _)| tensors.gradient);
    let states = tensors.iter().flat_map(|(tensors, _)| tensors.states);
    let count = |count: &usize| InputScalar::new(*count as f64, compute);
    // SAFETY: all tensors of a walk have the layout that it is over, so a place is of the same element in each of them,
    // and it ends before the end of each buffer; the kernel leaves out the units beyond it in the last workgroup of a
    // tensor, and those beyond the last of them. What is around has a number for all that a unit asks for, and each list of
    // sums those of all tensors. Parameters and states have been laid alone, so no other tensor sees their buffers.
    unsafe {
        update::launch_unchecked(
            client,
            cubes,
            block,
            address(all()),
            walk.width,
            parameters.map(buffer).collect(),
            gradients.map(buffer).collect(),
            states.map(buffer).collect(),
            around.lists.iter().map(buffer).collect(),
            around.places(),
            numbers(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work.key),
            walk.launch(),
            shares.launch(walks()),
            many.counts.iter().map(count).collect(),
            many.sums.iter().map(buffer).collect(),
            many.each.clone(),
            work.graph,
            work.lanes,
            [stored, compute],
        );
    }
}
