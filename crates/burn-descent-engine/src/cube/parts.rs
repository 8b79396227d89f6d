//! The parts of sums and maxima made one number each.

use super::arguments::{address, buffer, compute_type};
use super::layout::cubes;
use crate::state::compute_dtype;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::Fold;
use cubecl::prelude::*;
use cubecl::zspace::metadata::Metadata;

/// Parts that are put together before they are put to others: a short sum loses less to rounding.
const RUN: usize = 64;

/// Numbers that are made of parts at once, where there are so many parts.
const MANY: usize = 256;

/// Two numbers made one.
#[cube]
pub(super) fn put<C: Float, N: Size>(
    a: Vector<C, N>,
    b: Vector<C, N>,
    #[comptime] fold: Fold,
) -> Vector<C, N> {
    if comptime!(fold == Fold::Max) { max(a, b) } else { a + b }
}

/// What changes nothing when a number is put to it; `least` is the least number there is.
#[cube]
pub(super) fn neutral<C: Float>(least: &InputScalar, #[comptime] fold: Fold) -> C {
    if comptime!(fold == Fold::Max) { least.get::<C>() } else { C::from_int(0) }
}

/// Where the parts of a list of numbers lie.
#[derive(CubeType, CubeLaunch)]
struct Parts {
    from: usize,
    to: usize,
    numbers: usize,
    /// Parts of one number, and from each to the next.
    parts: usize,
    step: usize,
    /// How many are left of each number.
    left: usize,
}

/// Each unit puts together what is one number, or one part that is left of it, of each list.
#[cube(launch_unchecked, address_type = "dynamic")]
fn gather<C: Float>(
    from: &[C],
    to: &mut [C],
    lists: &Sequence<Parts>,
    least: &InputScalar,
    #[comptime] folds: Vec<Fold>,
    #[define(C)] _dtype: ElemType,
) {
    let unit = ABSOLUTE_POS;
    #[unroll]
    for list in 0..lists.len() {
        let fold = comptime!(folds[list]);
        let parts = &lists[list];
        if unit < parts.numbers * parts.left {
            let number = unit / parts.left;
            let start =
                parts.from + number / parts.step * parts.parts * parts.step + number % parts.step;
            let mut sum = Vector::<C, Const<1>>::new(neutral::<C>(least, fold));
            for begin in range_stepped(unit % parts.left, parts.parts, parts.left * RUN) {
                let mut run = Vector::<C, Const<1>>::new(neutral::<C>(least, fold));
                for turn in 0..RUN {
                    let part = begin + turn * parts.left;
                    if part < parts.parts {
                        run = put::<C, Const<1>>(
                            run,
                            Vector::new(from[start + part * parts.step]),
                            fold,
                        );
                    }
                }
                sum = put::<C, Const<1>>(sum, run, fold);
            }
            to[parts.to + unit] = sum.extract(0usize);
        }
    }
}

/// A list of numbers in parts: `step` numbers side by side, then the next part of each.
#[derive(Clone, Copy)]
pub(super) struct InParts {
    pub(super) fold: Fold,
    pub(super) numbers: usize,
    pub(super) parts: usize,
    pub(super) step: usize,
    /// Where the list begins, and where the numbers go to.
    pub(super) from: usize,
    pub(super) to: usize,
}

impl InParts {
    /// How many parts a first launch leaves of each number, so that many units have something to do.
    fn left(&self) -> usize {
        if self.parts <= RUN { 1 } else { self.parts.min((MANY / self.numbers).max(1)) }
    }

    fn launch(&self, left: usize) -> PartsLaunch {
        PartsLaunch::new(self.from, self.to, self.numbers, self.parts, self.step, left)
    }
}

/// Puts the parts of each list together.
pub(super) fn put_together(from: &CubeTensor, lists: &[InParts], to: &CubeTensor) {
    if lists.iter().all(|list| list.left() == 1) {
        return launch(from, lists, |_| 1, to);
    }
    let mut end = 0;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for list in lists {
        let parts = list.left();
        first.push(InParts { to: end, ..*list });
        second.push(InParts { from: end, parts, step: 1, ..*list });
        end += list.numbers * parts;
    }
    let middle = room(from, end);
    launch(from, &first, InParts::left, &middle);
    launch(&middle, &second, |_| 1, to);
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
fn launch(from: &CubeTensor, lists: &[InParts], left: fn(&InParts) -> usize, to: &CubeTensor) {
    let compute = compute_type(to);
    let units = lists.iter().map(|list| list.numbers * left(list)).max().unwrap_or(0);
    let (cubes, block) = cubes(&to.client, units);
    // SAFETY: the lists lie in `from` with all of their parts, and there is room in `to` for what is left of
    // them, each list at a place of its own; a unit reads and writes inside of its list only. Nobody else
    // holds `to`.
    unsafe {
        gather::launch_unchecked(
            &to.client,
            cubes,
            block,
            address([from, to]),
            buffer(from),
            buffer(to),
            lists.iter().map(|list| list.launch(left(list))).collect(),
            least(to),
            lists.iter().map(|list| list.fold).collect(),
            compute,
        );
    }
}

/// The least number of the precision that a tensor is computed in.
pub(super) fn least(beside: &CubeTensor) -> InputScalar {
    let least = if beside.dtype == DType::F64 { f64::MIN } else { f32::MIN.into() };
    InputScalar::new(least, compute_type(beside))
}

/// Room for numbers beside a tensor, in the precision that this is computed in; for one at least.
pub(super) fn room(beside: &CubeTensor, count: usize) -> CubeTensor {
    let CubeTensor { client, device, .. } = beside;
    let dtype = compute_dtype(beside.dtype);
    let handle = client.empty(count.max(1) * dtype.size());
    let meta = Metadata::new([count], [1]);
    CubeTensor::new(client.clone(), handle, meta, device.clone(), dtype)
}
