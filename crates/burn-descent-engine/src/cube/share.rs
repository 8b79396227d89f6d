//! Many tensors in one launch: which of them a workgroup is for, what it meets there, and what is known of that tensor.

#![allow(clippy::len_zero)] // in a kernel a sequence has a length, and no `is_empty`

use super::layout::{Rows, Walk};
use cubecl::prelude::*;

/// The workgroups of one of many tensors.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Share {
    /// The first of them.
    first: usize,
    workgroups: usize,
    /// Which tensor it is of all that are stepped together.
    number: usize,
    walk: Rows,
}

/// The share of a workgroup, of the tensors from one on and before another: the first workgroup, how many there are, and the
/// vectors that they go over; and, if it is asked for, what is known of the tensor: how many elements it has, and its sums, of
/// which each list has those of a tensor before those of the next. All units of a workgroup take the same branches.
#[cube]
pub(super) fn share_of<C: Float>(
    about: &mut Array<usize>,
    own: &mut Array<C>,
    shares: &Sequence<Share>,
    counts: &Sequence<InputScalar>,
    sums: &Sequence<Box<[C]>>,
    #[comptime] each: Vec<usize>,
    #[comptime] from: usize,
    #[comptime] to: usize,
) {
    if comptime!(to - from == 1) {
        let share = &shares[from];
        about[0usize] = share.first;
        about[1usize] = share.workgroups;
        about[2usize] = share.walk.units;
        if comptime!(counts.len() > 0) {
            let count = &counts[from];
            own[0usize] = count.get::<C>();
        }
        #[unroll]
        for list in 0..sums.len() {
            let (many, before) = comptime!((each[list], 1 + each[..list].iter().sum::<usize>()));
            let sums = &sums[list];
            #[unroll]
            for number in 0..many {
                own[comptime!(before + number)] = sums[share.number * many + number];
            }
        }
    } else {
        let middle = comptime!((from + to) / 2);
        let next = &shares[middle];
        if CUBE_POS < next.first {
            let each = comptime!(each.clone());
            share_of::<C>(about, own, shares, counts, sums, each, from, middle);
        } else {
            let each = comptime!(each.clone());
            share_of::<C>(about, own, shares, counts, sums, each, middle, to);
        }
    }
}

/// Scalars that lie on the device, and what is known of the tensor of a workgroup.
#[cube]
pub(super) fn all_known<C: Float>(
    beside: &Sequence<Box<[C]>>,
    own: &Array<C>,
    #[comptime] many: usize,
) -> Sequence<C> {
    let mut all = Sequence::<C>::new();
    #[unroll]
    for number in 0..beside.len() {
        let scalar = &beside[number];
        all.push(scalar[0]);
    }
    #[unroll]
    for number in 0..many {
        all.push(own[number]);
    }
    all
}

/// A vector of the tensor of a workgroup: of the parameter, the gradient if there is one, and the states.
#[cube]
pub(super) fn meet<P: Float, C: Float, N: Size>(
    found: &mut Array<Vector<C, N>>,
    parameters: &Sequence<Box<[Vector<P, N>]>>,
    gradients: &Sequence<Box<[Vector<P, N>]>>,
    states: &Sequence<Box<[Vector<C, N>]>>,
    shares: &Sequence<Share>,
    vector: usize,
    #[comptime] from: usize,
    #[comptime] to: usize,
) {
    if comptime!(to - from == 1) {
        let share = &shares[from];
        let i = share.walk.place(vector);
        let parameter = &parameters[from];
        found[0usize] = Vector::cast_from(parameter[i]);
        if comptime!(gradients.len() > 0) {
            let gradient = &gradients[from];
            found[1usize] = Vector::cast_from(gradient[i]);
        }
        let lanes = comptime!(states.len() / shares.len());
        #[unroll]
        for lane in 0..lanes {
            let state = &states[comptime!(from * lanes + lane)];
            found[comptime!(2 + lane)] = state[i];
        }
    } else {
        let middle = comptime!((from + to) / 2);
        let next = &shares[middle];
        if CUBE_POS < next.first {
            meet::<P, C, N>(found, parameters, gradients, states, shares, vector, from, middle);
        } else {
            meet::<P, C, N>(found, parameters, gradients, states, shares, vector, middle, to);
        }
    }
}

/// Writes what has become of that vector to where it was.
#[cube]
pub(super) fn put<P: Float, C: Float, N: Size>(
    outputs: &Sequence<Vector<C, N>>,
    parameters: &mut Sequence<Box<[Vector<P, N>]>>,
    states: &mut Sequence<Box<[Vector<C, N>]>>,
    shares: &Sequence<Share>,
    vector: usize,
    #[comptime] from: usize,
    #[comptime] to: usize,
) {
    if comptime!(to - from == 1) {
        let share = &shares[from];
        let i = share.walk.place(vector);
        let parameter = &mut parameters[from];
        parameter[i] = Vector::cast_from(outputs[0usize]);
        let lanes = comptime!(states.len() / shares.len());
        #[unroll]
        for lane in 0..lanes {
            let state = &mut states[comptime!(from * lanes + lane)];
            state[i] = outputs[comptime!(1 + lane)];
        }
    } else {
        let middle = comptime!((from + to) / 2);
        let next = &shares[middle];
        if CUBE_POS < next.first {
            put::<P, C, N>(outputs, parameters, states, shares, vector, from, middle);
        } else {
            put::<P, C, N>(outputs, parameters, states, shares, vector, middle, to);
        }
    }
}

/// How the workgroups of a launch are shared out among tensors.
#[derive(Default)]
pub(super) struct Shares {
    shares: Vec<(usize, usize)>,
    /// Of all tensors.
    pub(super) workgroups: usize,
}

impl Shares {
    /// So many workgroups for each tensor.
    pub(super) fn of(workgroups: impl Iterator<Item = usize>) -> Self {
        let mut shares = Self::default();
        for count in workgroups {
            shares.shares.push((shares.workgroups, count));
            shares.workgroups += count;
        }
        shares
    }

    /// The same for a kernel, with the number and the walk of each tensor.
    pub(super) fn launch<'a>(
        &self,
        tensors: impl Iterator<Item = (usize, &'a Walk)>,
    ) -> SequenceArg<Share> {
        let share = |((first, workgroups), (number, walk)): (&(usize, usize), (_, &Walk))| {
            ShareLaunch::new(*first, *workgroups, number, walk.launch())
        };
        self.shares.iter().zip(tensors).map(share).collect()
    }
}
