//! What a pass sees beyond its own numbers, in a kernel: sums, and states of coarser domains.

use super::layout::Rows;
use crate::grid::Level;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// Lists of numbers, and where what a pass sees of them lies.
#[derive(Default)]
pub(super) struct Around {
    pub(super) lists: Vec<CubeTensor>,
    /// Where what is seen begins in its list.
    pub(super) starts: Vec<usize>,
    /// In which list it lies, and which of its numbers stands for which of the pass.
    pub(super) seen: Vec<(usize, Level)>,
    /// The lines of a matrix.
    pub(super) lines: usize,
}

impl Around {
    pub(super) fn places(&self) -> PlacesLaunch {
        let starts = self.starts.iter().copied().collect();
        PlacesLaunch::new(starts, self.lines, self.seen.clone())
    }
}

/// The same for a kernel, beside the lists.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Places {
    starts: Sequence<usize>,
    lines: usize,
    #[cube(comptime)]
    seen: Vec<(usize, Level)>,
}

/// Adds what the numbers of a unit see to the inputs of a graph.
#[cube]
pub(super) fn see<C: Float, N: Size>(
    inputs: &mut Sequence<Vector<C, N>>,
    around: &Sequence<Box<[C]>>,
    places: &Places,
    walk: &Rows,
    unit: usize,
) {
    #[unroll]
    for number in 0..places.starts.len() {
        let (at, level) = comptime!(places.seen[number]);
        let list = &around[at];
        let (line, position) = walk.row_and_position(unit);
        let place = if comptime!(level == Level::Each) {
            unit * N::value()
        } else if comptime!(level == Level::Position) {
            (line / places.lines * walk.row + position) * N::value()
        } else if comptime!(level == Level::Line) {
            line
        } else if comptime!(level == Level::Matrix) {
            line / places.lines
        } else {
            0usize.runtime()
        };
        let start = places.starts[number] + place;
        if comptime!(level == Level::Each || level == Level::Position) {
            let mut numbers = Vector::<C, N>::empty();
            #[unroll]
            for lane in 0..N::value() {
                numbers.insert(lane, list[start + lane]);
            }
            inputs.push(numbers);
        } else {
            inputs.push(Vector::new(list[start]));
        }
    }
}
