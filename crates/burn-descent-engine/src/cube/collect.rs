//! The sums and maxima of a pass: each unit goes over some vectors of some lines, and leaves a part of each.

use super::arguments::{
    address, buffer, compute_type, numbers as scalars, one_or_none, stored_type, words,
};
use super::around::{Around, Places, see};
use super::emit::apply;
use super::extension::Work;
use super::kernel::{Tensors, first_of, on_device};
use super::layout::{Rows, Walk, cubes};
use super::parts::{InParts, least, neutral, put, put_together, room};
use crate::grid::{Grid, Level};
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::{Fold, Graph};
use cubecl::prelude::*;
use std::sync::Arc;

/// Vectors of a line that a unit goes over at most.
const REACH: usize = 8;

/// Vectors up to which each unit goes over one of a line.
const FEW: usize = 1 << 14;

/// Lines that a unit goes over: the more, the fewer parts there are, as long as there are enough units.
const TALL: core::ops::RangeInclusive<usize> = 8..=32;

/// Units that are enough.
const UNITS: usize = 1 << 12;

/// How the lines are shared out among the units.
#[derive(CubeType, CubeLaunch)]
struct Tiles {
    units: usize,
    /// Units beside each other, along a line.
    across: usize,
    /// Lines of a unit, and units below each other in a matrix.
    tall: usize,
    down: usize,
    /// Lines of a matrix.
    lines: usize,
}

/// The first of the lines of a unit, and the one behind its last.
#[cube]
fn lines_of(tiles: &Tiles, unit: usize) -> (usize, usize) {
    let block = unit / tiles.across;
    let matrix = block / tiles.down * tiles.lines;
    let first = block % tiles.down * tiles.tall;
    (matrix + first, matrix + min(first + tiles.tall, tiles.lines))
}

/// Puts the outputs of the graph together: for each line, for each position of the lines, or in all, by
/// their levels.
#[cube(launch_unchecked, address_type = "dynamic")]
fn collect<P: Float, C: Float, N: Size>(
    parts: &mut [C],
    parameter: &Sequence<Box<[Vector<P, N>]>>,
    gradient: &Sequence<Box<[Vector<P, N>]>>,
    states: &Sequence<Box<[Vector<C, N>]>>,
    around: &Sequence<Box<[C]>>,
    places: &Places,
    scalars: &Sequence<InputScalar>,
    beside: &Sequence<Box<[C]>>,
    key: &Sequence<InputScalar>,
    walk: &Rows,
    tiles: &Tiles,
    starts: &Sequence<usize>,
    least: &InputScalar,
    #[comptime] graph: Arc<Graph>,
    #[comptime] sums: Vec<(Fold, Level)>,
    #[comptime] lanes: Vec<usize>,
    #[define(P, C)] _dtypes: [ElemType; 2],
) {
    let unit = ABSOLUTE_POS;
    let outputs = comptime!(sums.len());
    if unit < tiles.units {
        let known = on_device::<C>(beside);
        let across = unit % tiles.across;
        let (first, end) = lines_of(tiles, unit);
        // Of all lines of the unit, at each of its positions and in all.
        let mut at = Array::<Vector<C, N>>::new(comptime!(outputs * REACH));
        let mut whole = Array::<Vector<C, N>>::new(outputs);
        #[unroll]
        for output in 0..outputs {
            let start = Vector::<C, N>::new(neutral::<C>(least, comptime!(sums[output].0)));
            whole[output] = start;
            #[unroll]
            for turn in 0..REACH {
                at[comptime!(output * REACH + turn)] = start;
            }
        }
        for line in first..end {
            let mut of_line = Array::<Vector<C, N>>::new(outputs);
            #[unroll]
            for output in 0..outputs {
                of_line[output] = Vector::new(neutral::<C>(least, comptime!(sums[output].0)));
            }
            #[unroll]
            for turn in 0..REACH {
                let position = across + turn * tiles.across;
                if position < walk.row {
                    let vector = line * walk.row + position;
                    let i = walk.place(vector);
                    let mut inputs = Sequence::<Vector<C, N>>::new();
                    inputs.push(first_of::<P, C, N>(parameter, i));
                    inputs.push(first_of::<P, C, N>(gradient, i));
                    #[unroll]
                    for lane in 0..states.len() {
                        let state = &states[lane];
                        inputs.push(state[i]);
                    }
                    see::<C, N>(&mut inputs, around, places, walk, vector);
                    let terms = apply::<C, N>(
                        vector,
                        &inputs,
                        scalars,
                        &known,
                        key,
                        graph.clone(),
                        lanes.clone(),
                    );
                    #[unroll]
                    for output in 0..outputs {
                        let (fold, level) = comptime!(sums[output]);
                        if comptime!(level == Level::Position) {
                            let turn = comptime!(output * REACH + turn);
                            at[turn] = put::<C, N>(at[turn], terms[output], fold);
                        } else {
                            of_line[output] = put::<C, N>(of_line[output], terms[output], fold);
                        }
                    }
                }
            }
            #[unroll]
            for output in 0..outputs {
                let (fold, level) = comptime!(sums[output]);
                if comptime!(level == Level::Line) {
                    parts[starts[output] + line * tiles.across + across] =
                        one::<C, N>(of_line[output], fold);
                } else if comptime!(level != Level::Position) {
                    whole[output] = put::<C, N>(whole[output], of_line[output], fold);
                }
            }
        }
        #[unroll]
        for output in 0..outputs {
            let (fold, level) = comptime!(sums[output]);
            if comptime!(level == Level::Position) {
                let block = starts[output] + unit / tiles.across * walk.row * N::value();
                #[unroll]
                for turn in 0..REACH {
                    let position = across + turn * tiles.across;
                    if position < walk.row {
                        let sums = at[comptime!(output * REACH + turn)];
                        #[unroll]
                        for lane in 0..N::value() {
                            parts[block + position * N::value() + lane] = sums.extract(lane);
                        }
                    }
                }
            } else if comptime!(level != Level::Line) {
                parts[starts[output] + unit] = one::<C, N>(whole[output], fold);
            }
        }
    }
}

/// The numbers of a vector made one.
#[cube]
fn one<C: Float, N: Size>(numbers: Vector<C, N>, #[comptime] fold: Fold) -> C {
    let mut all = Vector::<C, Const<1>>::new(numbers.extract(0usize));
    #[unroll]
    for lane in 1..N::value() {
        all = put::<C, Const<1>>(all, Vector::new(numbers.extract(lane)), fold);
    }
    all.extract(0usize)
}

impl Tiles {
    /// Those of a grid whose lines have so many vectors.
    fn of(grid: &Grid, vectors: usize) -> Self {
        let Grid { lines, all_lines, .. } = *grid;
        let across = if vectors * all_lines < FEW { vectors } else { vectors.div_ceil(REACH) };
        let tall = (across * all_lines / UNITS).clamp(*TALL.start(), *TALL.end()).min(lines);
        let down = lines.div_ceil(tall);
        Self { units: all_lines / lines * down * across, across, tall, down, lines }
    }

    /// Numbers of a level, the parts of each, and from one to the next.
    fn parts(&self, grid: &Grid, level: Level) -> [usize; 3] {
        let matrices = grid.all_lines / grid.lines;
        match level {
            Level::Each | Level::Position => [matrices * grid.length, self.down, grid.length],
            Level::Line => [grid.all_lines, self.across, 1],
            Level::Matrix => [matrices, self.down * self.across, 1],
            Level::One | Level::Absent => [1, self.units, 1],
        }
    }
}

/// A sum of a pass.
pub(super) struct Wanted {
    pub(super) fold: Fold,
    /// For what of the grid there is one.
    pub(super) level: Level,
    /// Where it goes to among those that are known.
    pub(super) to: usize,
}

impl Wanted {
    /// As the kernel sees it: what there is one of for each number of a grid of one line a matrix is for each
    /// position of it.
    fn in_lines(&self) -> (Fold, Level) {
        (self.fold, if self.level == Level::Each { Level::Position } else { self.level })
    }
}

/// Takes the sums of a pass over this grid, to where they are known.
#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
#[allow(clippy::too_many_arguments)]
pub(super) fn collect_sums(
    known: &CubeTensor,
    tensors: &Tensors<'_>,
    around: &Around,
    beside: &[CubeTensor],
    walk: Walk,
    grid: &Grid,
    sums: &[Wanted],
    work: Work,
) {
    let tiles = Tiles::of(grid, walk.row);
    let mut lists = Vec::new();
    let mut from = 0;
    for Wanted { fold, level, to } in sums {
        let [numbers, parts, step] = tiles.parts(grid, *level);
        lists.push(InParts { fold: *fold, numbers, parts, step, from, to: *to });
        from += numbers * parts;
    }
    let parts = room(known, from);
    let first = tensors.all().next().unwrap_or(known);
    let (stored, compute) = (stored_type(first), compute_type(known));
    let (cubes, block) = cubes(&known.client, tiles.units);
    // SAFETY: all tensors have the layout that the walk is over. A unit reads vectors of its lines only, and
    // what is around has a number for each of them. There is a part for each line, position or unit, as the
    // level of a sum asks, and each unit writes its own; units beyond the tiles do nothing. Nobody else holds
    // the parts.
    unsafe {
        collect::launch_unchecked(
            &known.client,
            cubes,
            block,
            address(tensors.all().chain([&parts])),
            walk.width,
            buffer(&parts),
            one_or_none(tensors.parameter),
            one_or_none(tensors.gradient),
            tensors.states.iter().map(buffer).collect(),
            around.lists.iter().map(buffer).collect(),
            around.places(),
            scalars(&work, compute),
            beside.iter().map(buffer).collect(),
            words(&work.key),
            walk.launch(),
            TilesLaunch::new(tiles.units, tiles.across, tiles.tall, tiles.down, tiles.lines),
            lists.iter().map(|list| list.from).collect(),
            least(known),
            work.graph,
            sums.iter().map(Wanted::in_lines).collect(),
            work.lanes,
            [stored, compute],
        );
    }
    put_together(&parts, &lists, known);
}
