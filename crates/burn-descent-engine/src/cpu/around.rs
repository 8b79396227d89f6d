//! What a step needs to know before its pass: the sums of all stages, and the coarse states.

use super::collect::{Collected, SIDE, Tile, Wanted, neutral, put};
use super::pass::Given;
use super::share::in_order;
use super::stored::{Part, Stored};
use super::window::{Around, Numbers};
use crate::code::Code;
use crate::grid::{Grid, Level, domain_of};
use crate::scalars::Scalars;
use burn_descent_rules::{Domain, Fold, MAX_SUMS, Real, Stage, Sum};
use core::ops::Range;

/// Into how many parts the lines of a matrix go where there are many: for each of them a sum to each position is kept
/// until all are there.
const PARTS: usize = 16;

/// Positions of lines that one thread sums, where there are many lines: as many sums as its cache holds.
const POSITIONS: usize = 1 << 11;

/// Elements that a thread sums where there is one line, or in all its lines together.
const PIECE: usize = 1 << 14;

/// All that a pass sees beyond its elements; `None` where the rule sees nothing. The coarse states of the part
/// are brought forward. A sum over the model is one over this tensor.
pub(super) fn around<T: Stored>(
    code: &Code,
    part: &mut Part<T>,
    scalars: &Scalars,
) -> Option<Around<T::Compute>> {
    let mut around = begin(code, part, scalars)?;
    for number in 0..code.stages.sums.len() {
        stage(code, part, scalars, number, &mut around);
    }
    bring_forward(code, part, scalars, &around);
    Some(around)
}

/// What is seen before the first stage; `None` where the rule sees nothing.
pub(super) fn begin<T: Stored>(
    code: &Code,
    part: &Part<T>,
    scalars: &Scalars,
) -> Option<Around<T::Compute>> {
    let stages = &code.stages;
    if stages.sums.is_empty() && stages.coarse().next().is_none() {
        return None;
    }
    let states = stages.states.iter().zip(&part.states).map(|(of, state)| Numbers {
        of: *of,
        list: if *of == Domain::Element { Vec::new() } else { state.to_vec() },
    });
    let none = Numbers { of: Domain::Model, list: vec![T::Compute::lit(0.0)] };
    Some(Around {
        view: scalars.view,
        model: scalars.view.len(),
        known: vec![none; code.asked()],
        states: states.collect(),
    })
}

/// Takes the sums of a stage, and gives those over the model, of this tensor alone.
pub(super) fn stage<T: Stored>(
    code: &Code,
    part: &Part<T>,
    scalars: &Scalars,
    number: usize,
    around: &mut Around<T::Compute>,
) -> Vec<f64> {
    let Some(stage) = code.stages.sums.get(number) else { return Vec::new() };
    let mut collected = Collected::default();
    for of in domains(stage) {
        if !around.view.is_empty() {
            sum::<T>(code, part, scalars, number, stage, of, around, &mut collected);
        }
    }
    let of_model = stage.sums.iter().filter(|sum| sum.to == Domain::Model);
    let alone = |sum: &Sum| collected[sum.number].first().copied();
    of_model.map(|sum| alone(sum).unwrap_or(neutral(sum.fold))).collect()
}

/// Brings the coarse states forward, all sums known: finer ones first, which see the coarser ones as they
/// were.
pub(super) fn bring_forward<T: Stored>(
    code: &Code,
    part: &mut Part<T>,
    scalars: &Scalars,
    around: &Around<T::Compute>,
) {
    for of in [Domain::Row, Domain::Column, Domain::Matrix, Domain::Tensor, Domain::Model] {
        if code.stages.states.contains(&of) && !around.view.is_empty() {
            bring_forward_of::<T>(code, part, scalars, of, around);
        }
    }
}

fn domains(stage: &Stage) -> Vec<Domain> {
    let mut domains: Vec<_> = stage.sums.iter().map(domain_of).collect();
    domains.sort();
    domains.dedup();
    domains
}

/// Those sums of a stage that are of numbers of one domain.
#[allow(clippy::too_many_arguments)]
fn sum<T: Stored>(
    code: &Code,
    part: &Part<T>,
    scalars: &Scalars,
    stage_number: usize,
    stage: &Stage,
    of: Domain,
    around: &mut Around<T::Compute>,
    all: &mut Collected,
) {
    let grid = Grid::of(around.view, of);
    let mut wanted = [None; MAX_SUMS];
    let here = || stage.sums.iter().filter(|sum| domain_of(sum) == of);
    for sum in here().filter(|sum| stage.finer(sum).is_none()) {
        wanted[sum.number] = Some(Wanted { fold: sum.fold, level: grid.level(sum.to) });
    }
    let given = Given { scalars: &scalars.numbers, draw: scalars.draw, grid, around: Some(around) };
    let collect = T::passes(code).stages[stage_number];
    let collect = collect.expect("a rule says how many sums it asks for, so its stages are there");
    let mut collected = match of {
        Domain::Element => whole(&grid, &wanted, |tile, to| {
            T::collect(collect, part, tile, &given, &wanted, to);
        }),
        _ => {
            let zeros = vec![T::Compute::lit(0.0); grid.len()];
            let mut collected = empty(&grid, &wanted, &(0..grid.all_lines), &(0..grid.length));
            let states = core::array::from_fn(|lane| match code.stages.states.get(lane) {
                Some(domain) if *domain == of => &around.states[lane].list[..],
                _ => &[],
            });
            for line in 0..grid.all_lines {
                let tile = Tile {
                    p: &zeros,
                    g: &zeros,
                    pitch: 0,
                    states,
                    begin: 0,
                    lines: line..line + 1,
                    positions: 0..grid.length,
                    origin: (line, 0),
                };
                let mut of_line = empty(&grid, &wanted, &tile.lines, &tile.positions);
                collect(&tile, &given, &wanted, &mut of_line);
                gather(&grid, &wanted, &tile.lines, &tile.positions, of_line, &mut collected);
            }
            collected
        }
    };
    for sum in here() {
        if let Some(finer) = stage.finer(sum) {
            let count = around.view.numbers(sum.to);
            let finer = &collected[finer.number][..around.view.numbers(finer.to)];
            collected[sum.number] = together(sum.fold, finer, count);
        }
    }
    let times = around.elements(of) as f64;
    for sum in here() {
        let times = if sum.fold == Fold::Sum { times } else { 1.0 };
        let collected = &collected[sum.number][..around.view.numbers(sum.to)];
        let numbers: Vec<f64> = collected.iter().map(|x| x * times).collect();
        let list = numbers.iter().map(|x| T::Compute::lit(*x)).collect();
        around.known[sum.number] = Numbers { of: sum.to, list };
        all[sum.number] = numbers;
    }
}

/// The numbers of a finer domain, those of a matrix before those of the next, put together to so many.
fn together(fold: Fold, finer: &[f64], count: usize) -> Vec<f64> {
    let each = finer.chunks(finer.len().div_ceil(count).max(1));
    let all = |numbers: &[f64]| {
        let mut sum = neutral(fold);
        numbers.iter().for_each(|x| put(fold, &mut sum, *x));
        sum
    };
    each.map(all).collect()
}

/// The sums over all elements, tile after tile, in an order that no number of threads changes.
fn whole(
    grid: &Grid,
    wanted: &[Option<Wanted>; MAX_SUMS],
    collect: impl Fn((Range<usize>, Range<usize>), &mut Collected) + Sync,
) -> Collected {
    let (lines, positions) = match grid.all_lines {
        1 => (1, PIECE),
        _ => {
            let positions = POSITIONS.min(grid.length);
            (grid.lines.div_ceil(PARTS).max(PIECE / positions.max(1)), positions)
        }
    };
    // A tile is in one matrix.
    let of_matrix = grid.lines.div_ceil(lines);
    let across = grid.length.div_ceil(positions);
    let count = grid.all_lines / grid.lines * of_matrix * across;
    let tile = |number: usize| {
        let (down, across) = (number / across, number % across);
        let (matrix, down) = (down / of_matrix * grid.lines, down % of_matrix);
        let end = matrix + grid.lines.min((down + 1) * lines);
        let positions = across * positions..grid.length.min((across + 1) * positions);
        (matrix + down * lines..end, positions)
    };
    let tiles = in_order(count, grid.len(), |number| {
        let (lines, positions) = tile(number);
        let mut to = empty(grid, wanted, &lines, &positions);
        collect((lines, positions), &mut to);
        // In one list, for there are many tiles.
        to.into_iter().flatten().collect::<Vec<f64>>()
    });
    let mut collected = empty(grid, wanted, &(0..grid.all_lines), &(0..grid.length));
    for (number, of_tile) in tiles.into_iter().enumerate() {
        let (lines, positions) = tile(number);
        let mut sums = empty(grid, wanted, &lines, &positions);
        sums.iter_mut().flatten().zip(of_tile).for_each(|(sum, x)| *sum = x);
        gather(grid, wanted, &lines, &positions, sums, &mut collected);
    }
    collected
}

/// No sum yet, for these lines and positions; where there is one for each position, as many as whole blocks take.
fn empty(
    grid: &Grid,
    wanted: &[Option<Wanted>; MAX_SUMS],
    lines: &Range<usize>,
    positions: &Range<usize>,
) -> Collected {
    use Level::*;
    wanted.map(|wanted| {
        let Some(Wanted { fold, level }) = wanted else { return Vec::new() };
        let matrices = lines.len().div_ceil(grid.lines);
        let count = match level {
            Each => lines.len() * positions.len().next_multiple_of(SIDE),
            Position => (matrices * positions.len()).next_multiple_of(SIDE),
            Line => lines.len(),
            Matrix => matrices,
            One | Absent => 1,
        };
        vec![neutral(fold); count]
    })
}

/// Puts the sums of a part to those of the whole.
fn gather(
    grid: &Grid,
    wanted: &[Option<Wanted>; MAX_SUMS],
    lines: &Range<usize>,
    positions: &Range<usize>,
    from: Collected,
    to: &mut Collected,
) {
    for ((wanted, from), to) in wanted.iter().zip(from).zip(to) {
        let Some(Wanted { fold, level }) = *wanted else { continue };
        let start = grid.place(level, lines.start, positions.start);
        to[start..].iter_mut().zip(from).for_each(|(to, x)| put(fold, to, x));
    }
}

/// The new states of one domain.
fn bring_forward_of<T: Stored>(
    code: &Code,
    part: &mut Part<T>,
    scalars: &Scalars,
    of: Domain,
    around: &Around<T::Compute>,
) {
    let lanes = &code.stages.states;
    let grid = Grid::of(around.view, of);
    let given = Given { scalars: &scalars.numbers, draw: scalars.draw, grid, around: Some(around) };
    let zeros = vec![T::Compute::lit(0.0); grid.len()];
    let mut states = super::pass::States::default();
    for (lane, state) in part.states.iter_mut().enumerate() {
        if lanes.get(lane) == Some(&of) {
            states[lane] = state;
        }
    }
    (T::passes(code).update)(&mut zeros.clone(), &zeros, states, &given, 0);
}
