//! Every way in which a tensor may lie in memory, and be held there.

use crate::subject::step;
use crate::{Subject, bits, spoil_memory};
use burn::tensor::Tensor;
use burn_descent::FusedState;

/// Makes of a tensor one that lies otherwise.
pub type Way<const D: usize> = fn(Tensor<D>) -> Tensor<D>;

/// The ways in which a tensor may lie: each makes of one that has memory of its own another that lies
/// so, with the same numbers, but for a broadcast.
pub fn ways<const D: usize>() -> [(&'static str, Way<D>); 6] {
    [
        ("as it is made", |tensor| tensor),
        ("transposed", |tensor| dense(tensor.swap_dims(0, D - 1)).swap_dims(0, D - 1)),
        ("rows of a larger one", |tensor| part_of_larger(tensor, 0)),
        ("columns of a larger one", |tensor| part_of_larger(tensor, D - 1)),
        ("broadcast", |tensor| {
            let shape = tensor.shape();
            tensor.narrow(0, 0, 1).expand(shape)
        }),
        ("flipped", |tensor| dense(tensor.flip([0])).flip([0])),
    ]
}

/// A copy in memory of its own.
fn dense<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let (device, dtype) = (tensor.device(), tensor.dtype());
    Tensor::from_data(tensor.into_data(), (&device, dtype))
}

/// A part of a tensor that is longer in one dimension. What is around it are no numbers.
fn part_of_larger<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<D> {
    let mut around = tensor.dims();
    around[dim] = 2;
    let around = Tensor::full(around, f64::NAN, (&tensor.device(), tensor.dtype()));
    let length = tensor.dims()[dim];
    Tensor::cat(vec![around.clone(), tensor, around], dim).narrow(dim, 2, length)
}

/// However parameter and gradient lie, and whoever holds them, they walk as copies of their own do.
pub(crate) fn layouts(subject: &Subject) {
    walk_alike(subject, [10, 6], |_, _| true);
    // Where a way has shown what it does: alone, and on both sides.
    let on_its_own = |parameter, gradient| parameter == gradient || parameter * gradient == 0;
    walk_alike(subject, [4, 65], on_its_own);
    walk_alike(subject, [4, 1, 3], on_its_own);
    walk_alike(subject, [8, 4, 3, 3], on_its_own);
}

fn walk_alike<const D: usize>(
    subject: &Subject,
    shape: [usize; D],
    pairs: fn(usize, usize) -> bool,
) {
    let numbers = |seed| subject.tensor::<D>(seed, shape);
    spoil_memory(&subject.device);
    for (i, (of_parameter, parameter)) in ways().into_iter().enumerate() {
        for (j, (of_gradient, gradient)) in ways().into_iter().enumerate() {
            if !pairs(i, j) {
                continue;
            }
            let start = || parameter(numbers(1));
            let gradient = |step| gradient(numbers(10 + step));
            let expected = walk(subject, dense(start()), |step| dense(gradient(step)), false);
            for held in [false, true] {
                let what = format!("{shape:?}: parameter {of_parameter}, gradient {of_gradient}");
                let what = if held { what + ", held" } else { what };
                let walked = walk(subject, start(), gradient, held);
                subject.assert_same(&what, &walked, &expected);
            }
        }
    }
}

/// Three steps. What they meet may be held by somebody else in the first and the last of them, and
/// does not change.
fn walk<const D: usize>(
    subject: &Subject,
    start: Tensor<D>,
    gradient: impl Fn(u64) -> Tensor<D>,
    held: bool,
) -> Tensor<D> {
    let (optimizer, mut tensor, mut state) = (subject.optimizer(), start, None::<FusedState>);
    for number in 0..3 {
        let gradient = gradient(number);
        let holder =
            (held && number != 1).then(|| (tensor.clone(), gradient.clone(), state.clone()));
        let seen = || holder.as_ref().map(|(tensor, gradient, _)| (bits(tensor), bits(gradient)));
        let before = seen();
        let stepped = step(&optimizer, 0.1, tensor, gradient, state);
        (tensor, state) = (stepped.0, Some(stepped.1));
        assert!(seen() == before, "step {number}: what somebody holds has changed");
    }
    tensor
}
