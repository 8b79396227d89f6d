//! A step in passes: sums, stage by stage, then the update, then the coarse states.

use super::around::Around;
use super::backend::alone;
use super::collect::{Wanted, collect_sums};
use super::extension::{InPasses, Work};
use super::kernel::{Many, Tensors, launch};
use super::layout::{Layout, Walk};
use super::parts::room;
use super::passes::{Pass, Passes, Seen};
use crate::grid::Grid;
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::{Domain, Sum, View};
use std::sync::Arc;

/// A step of one tensor.
pub(super) struct Step {
    passes: Arc<Passes>,
    view: View,
    work: Work,
    /// How parameter, gradient and states lie, line by line.
    layout: Layout,
    parameter: CubeTensor,
    gradient: CubeTensor,
    /// Those of the elements first.
    states: Vec<CubeTensor>,
    /// The scalars that lie on the device.
    beside: Vec<CubeTensor>,
    /// The sums, once they are known.
    known: CubeTensor,
}

impl Step {
    pub(super) fn new(
        parameter: CubeTensor,
        gradient: CubeTensor,
        states: Vec<CubeTensor>,
        coarse: Vec<CubeTensor>,
        beside: Vec<CubeTensor>,
        InPasses { passes, view, work }: InPasses,
    ) -> Self {
        let grid = Grid::of(view, Domain::Element);
        let lines = |tensor| {
            let layout = Layout::of(tensor)?;
            let lines = layout.of_lines(&grid)?;
            Some((layout, lines))
        };
        let parameter = untile(parameter);
        // Where the lines of a parameter have gaps, it moves to where those of its gradient have none.
        let (layout, lines) = lines(&parameter).or_else(|| lines(&gradient)).unwrap_or_else(|| {
            let layout = Layout::contiguous(&parameter);
            (layout.clone(), layout.of_lines(&grid).expect("no gaps"))
        });
        let states = states.into_iter().map(|state| layout.lay_alone(state));
        let states = states.chain(coarse.into_iter().map(alone)).collect();
        let (parameter, gradient) = (layout.lay_alone(parameter), layout.lay(gradient));
        let count = passes.known.iter().map(|sum| view.numbers(sum.to)).sum();
        let known = room(&parameter, count);
        Self { passes, view, work, layout: lines, parameter, gradient, states, beside, known }
    }

    /// Takes the step: the new parameter, the states of the elements, and those of what is coarser.
    pub(super) fn take(self) -> (CubeTensor, Vec<CubeTensor>, Vec<CubeTensor>) {
        let Passes { sums, update, forward, .. } = &*self.passes;
        sums.iter().for_each(|pass| self.sum(pass));
        self.update(update);
        forward.iter().for_each(|pass| self.update(pass));
        let (parameter, mut states) = (self.parameter, self.states);
        let coarse = states.split_off(self.passes.update.own.len());
        (parameter, states, coarse)
    }

    fn sum(&self, pass: &Pass) {
        let grid = Grid::of(self.view, pass.of);
        let states = self.own(pass);
        let tensors = self.tensors(pass, &states);
        let (around, walk) = (self.around(pass, &grid), self.walk(&tensors, pass, &grid));
        let wanted = |sum: &Sum| Wanted {
            fold: sum.fold,
            level: grid.level(sum.to),
            to: self.place(sum.number),
        };
        let sums: Vec<_> = pass.sums.iter().map(wanted).collect();
        collect_sums(
            &self.known,
            &tensors,
            &around,
            &self.beside,
            walk,
            &grid,
            &sums,
            self.work(pass),
        );
    }

    fn update(&self, pass: &Pass) {
        let grid = Grid::of(self.view, pass.of);
        let states = self.own(pass);
        let tensors = self.tensors(pass, &states);
        let (around, walk) = (self.around(pass, &grid), self.walk(&tensors, pass, &grid));
        launch(&[(tensors, &walk)], &around, &Many::default(), &self.beside, self.work(pass));
    }

    fn own(&self, pass: &Pass) -> Vec<CubeTensor> {
        pass.own.iter().map(|at| self.states[*at].clone()).collect()
    }

    fn tensors<'a>(&'a self, pass: &Pass, states: &'a [CubeTensor]) -> Tensors<'a> {
        Tensors {
            parameter: pass.parameter.then_some(&self.parameter),
            gradient: pass.gradient.then_some(&self.gradient),
            states,
        }
    }

    fn walk(&self, tensors: &Tensors<'_>, pass: &Pass, grid: &Grid) -> Walk {
        match pass.of {
            Domain::Element => Walk::elements(&self.layout, &tensors.all().collect::<Vec<_>>()),
            _ => Walk::numbers(grid),
        }
    }

    fn work(&self, pass: &Pass) -> Work {
        Work { graph: pass.graph.clone(), ..self.work.clone() }
    }

    /// What a pass over this grid sees.
    fn around(&self, pass: &Pass, grid: &Grid) -> Around {
        let lists = pass.lists();
        let mut around = Around { lines: grid.lines, ..Around::default() };
        for what in &pass.seen {
            let (start, of) = match *what {
                Seen::State(at) => (0, self.passes.states[at].1),
                Seen::Sum(number) => (self.place(number), self.passes.sum(number).to),
            };
            let list = lists.iter().position(|list| *list == what.list());
            around.starts.push(start);
            around.seen.push((list.expect("one of the lists"), grid.level(of)));
        }
        let list = |list: Option<usize>| list.map_or(&self.known, |at| &self.states[at]).clone();
        around.lists = lists.into_iter().map(list).collect();
        around
    }

    /// Where a sum lies among those that are known.
    fn place(&self, number: usize) -> usize {
        let before = self.passes.known.iter().take_while(|sum| sum.number != number);
        before.map(|sum| self.view.numbers(sum.to)).sum()
    }
}
