//! Updates of many tensors, and sums over them, in as few launches as the buffers of a kernel allow.

use super::around::Around;
use super::backend::walkable;
use super::extension::Work;
use super::kernel::{Many, Tensors, launch};
use super::layout::{Layout, Walk};
use super::parts::room;
use super::reduce::{launch_add, launch_fold, workgroups};
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;

/// Tensors of a launch at most.
const MOST: usize = 32;

/// Buffers that a device binds at least, where many tensors go in one launch. With fewer it is a launch of a few, whose
/// branches cost more than it saves: ResNet-50 took 1.3 to 1.7 times as long by fours on a software adapter.
const BINDINGS: usize = 64;

/// Bytes of arguments that a kernel may have on every card, less what is not of one tensor; and what a buffer takes of
/// them, with its length, and a tensor.
const ARGUMENTS: usize = 3584;
const BUFFER: usize = 16;
const SHARE: usize = 48;

/// Parameters that are stepped together, and what belongs to them: the states of one are before those of the next. Sums do
/// without gradients, if their graph does.
pub(super) struct Together<'a> {
    pub(super) parameters: Vec<CubeTensor>,
    pub(super) gradients: Vec<CubeTensor>,
    pub(super) states: Vec<CubeTensor>,
    pub(super) around: Beside<'a>,
}

/// What is the same for all of them.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// The scalars that lie on the device.
    pub(super) scalars: &'a [CubeTensor],
    /// The sums that are known, stage by stage: those of one parameter before those of the next.
    pub(super) sums: &'a [CubeTensor],
    pub(super) work: &'a Work,
}

impl Together<'_> {
    /// Updates parameters and states, and gives them as they are then.
    pub(super) fn update(self) -> (Vec<CubeTensor>, Vec<CubeTensor>) {
        let Beside { scalars, work, .. } = self.around;
        let around = self.around;
        // Random numbers follow from the places of elements, and all else may be done with padding, too.
        let walk = if work.key.is_empty() { Walk::places } else { Walk::elements };
        let laid = self.lay(Layout::lay_alone, walk);
        for lot in lots(&laid, scalars.len() + around.sums.len()) {
            let many = around.many(&lot, &laid);
            launch(&tensors(&lot, &laid), &Around::default(), &many, scalars, work.clone());
        }
        let mut states = Vec::new();
        let take = |laid: Laid| {
            states.extend(laid.states);
            laid.parameter
        };
        let parameters = laid.into_iter().map(take).collect();
        (parameters, states)
    }

    /// The sums of the graph over all elements of each parameter and of what belongs to it; or of all together, if there is
    /// room for those alone.
    pub(super) fn sum(self, to: &CubeTensor) {
        let Beside { scalars, work, .. } = self.around;
        let around = self.around;
        let outputs = work.graph.outputs.len();
        let of_each = to.meta.num_elements() == outputs * self.parameters.len();
        let laid = self.lay(Layout::lay, Walk::elements);
        let count =
            |at: &usize| laid[*at].walk.as_ref().map_or(0, |walk| workgroups(walk, &to.client));
        let lots = lots(&laid, 1 + scalars.len() + around.sums.len());
        let all = lots.iter().flatten().map(count).sum::<usize>();
        let parts = room(to, all * outputs);
        let mut before = 0;
        // What has no elements has no parts.
        let mut ranges: Vec<_> = (0..laid.len()).map(|at| [0, 0, at]).collect();
        for lot in lots {
            let many = Many { numbers: lot.clone(), ..around.many(&lot, &laid) };
            let tensors = tensors(&lot, &laid);
            launch_add(&tensors, &many, (&parts, before), scalars, work.clone());
            for at in lot {
                ranges[at] = [before, count(&at), at];
                before += count(&at);
            }
        }
        match of_each {
            true => ranges.chunks(MOST).for_each(|some| launch_fold(&parts, some, to, outputs)),
            false => launch_fold(&parts, &[[0, all, 0]], to, outputs),
        }
    }

    /// All that belongs to a parameter in one layout, by `alike`.
    fn lay(
        self,
        alike: fn(&Layout, CubeTensor) -> CubeTensor,
        walk: fn(&Layout, &[&CubeTensor]) -> Walk,
    ) -> Vec<Laid> {
        let Self { parameters, gradients, states, around } = self;
        let lanes = states.len() / parameters.len().max(1);
        let (mut gradients, mut states) = (gradients.into_iter(), states.into_iter());
        let lay = |parameter: CubeTensor| {
            let (gradient, states) = (gradients.next(), states.by_ref().take(lanes));
            if parameter.meta.num_elements() == 0 {
                return Laid { parameter, gradient, states: states.collect(), walk: None };
            }
            let parameter = untile(parameter);
            // Where a parameter cannot be walked over, it moves to where its gradient can.
            let layout = walkable(&parameter, around.work)
                .or_else(|| walkable(gradient.as_ref()?, around.work))
                .unwrap_or_else(|| Layout::contiguous(&parameter));
            let parameter = alike(&layout, parameter);
            let gradient = gradient.map(|gradient| layout.lay(gradient));
            let states = states.map(|state| alike(&layout, state)).collect();
            let mut laid = Laid { parameter, gradient, states, walk: None };
            laid.walk = Some(walk(&layout, &laid.tensors().all().collect::<Vec<_>>()));
            laid
        };
        parameters.into_iter().map(lay).collect()
    }
}

impl<'a> Beside<'a> {
    /// What a kernel has to know of a lot of tensors. One alone, of which nothing is known, needs no telling.
    fn many(&self, lot: &[usize], laid: &[Laid]) -> Many<'a> {
        let Self { sums, work, .. } = *self;
        if lot.len() == 1 && !work.counts {
            return Many::default();
        }
        let count = |at: &usize| laid[*at].parameter.meta.num_elements();
        let counts = if work.counts { lot.iter().map(count).collect() } else { Vec::new() };
        let each = sums.iter().map(|sums| sums.meta.num_elements() / laid.len()).collect();
        Many { numbers: lot.to_vec(), counts, sums, each }
    }
}

/// A parameter, its gradient and its states, which lie alike.
struct Laid {
    parameter: CubeTensor,
    gradient: Option<CubeTensor>,
    states: Vec<CubeTensor>,
    /// Over all of them, if there is an element.
    walk: Option<Walk>,
}

impl Laid {
    fn tensors(&self) -> Tensors<'_> {
        let Self { parameter, gradient, states, .. } = self;
        Tensors { parameter: Some(parameter), gradient: gradient.as_ref(), states }
    }
}

/// Those of a lot, for a launch.
fn tensors<'a>(lot: &[usize], laid: &'a [Laid]) -> Vec<(Tensors<'a>, &'a Walk)> {
    lot.iter().filter_map(|at| Some((laid[*at].tensors(), laid[*at].walk.as_ref()?))).collect()
}

/// The numbers of the tensors of each launch, which are walked over alike. They come in powers of two: so few kernels are
/// built, whatever the model. There are so many other buffers.
fn lots(laid: &[Laid], others: usize) -> Vec<Vec<usize>> {
    let kind = |at: &usize| {
        let Laid { parameter, walk, .. } = &laid[*at];
        walk.as_ref().map(|walk| (parameter.dtype.name(), walk.width, walk.padded))
    };
    let mut all: Vec<_> = (0..laid.len()).filter(|at| laid[*at].walk.is_some()).collect();
    all.sort_by_key(kind);
    let mut lots = Vec::new();
    for mut alike in all.chunk_by(|a, b| kind(a) == kind(b)) {
        let Laid { parameter, gradient, states, .. } = &laid[alike[0]];
        let buffers = 1 + usize::from(gradient.is_some()) + states.len();
        let bindings = parameter.client.properties().hardware.max_bindings as usize;
        let bindings = if bindings < BINDINGS { 0 } else { bindings - others };
        let most = bindings / buffers;
        let most = most.min(ARGUMENTS / (buffers * BUFFER + SHARE)).clamp(1, MOST);
        while let Some(power) = alike.len().min(most).checked_ilog2() {
            let (lot, rest) = alike.split_at(1 << power);
            lots.push(lot.to_vec());
            alike = rest;
        }
    }
    lots
}
