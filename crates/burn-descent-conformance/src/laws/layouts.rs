//! Every way in which a tensor may lie in memory, and be held there.

use crate::{Subject, bits};
use burn::tensor::Tensor;
use burn_descent::FusedState;

/// Makes of a tensor one that lies otherwise.
type Way<const D: usize> = fn(Tensor<D>) -> Tensor<D>;

/// The ways in which a tensor may lie. All but one leave its numbers as they are.
fn ways<const D: usize>() -> [(&'static str, Way<D>); 6] {
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
    walk_alike(subject, [10, 6]);
    walk_alike(subject, [128, 10]);
    walk_alike(subject, [3, 5]);
    walk_alike(subject, [16, 257]);
    walk_alike(subject, [4, 1, 3]);
    walk_alike(subject, [8, 4, 3, 3]);
}

fn walk_alike<const D: usize>(subject: &Subject, shape: [usize; D]) {
    for (of_parameter, parameter) in ways() {
        for (of_gradient, gradient) in ways() {
            let start = || parameter(subject.tensor::<D>(1, shape));
            let gradient = |step| gradient(subject.tensor::<D>(10 + step, shape));
            let expected = walk(subject, dense(start()), |step| dense(gradient(step)), false);
            for held in [false, true] {
                let what = format!(
                    "{shape:?}: parameter {of_parameter}, gradient {of_gradient}, held: {held}"
                );
                let walked = walk(subject, start(), gradient, held);
                subject.assert_same(&what, &walked, &expected);
            }
        }
    }
}

/// Three steps. What they meet may be held by somebody else at the first and the last of them, and
/// is not changed.
fn walk<const D: usize>(
    subject: &Subject,
    start: Tensor<D>,
    gradient: impl Fn(u64) -> Tensor<D>,
    held: bool,
) -> Tensor<D> {
    let (optimizer, mut at) = (subject.optimizer(), (start, None));
    for step in 0..3 {
        let gradient = gradient(step);
        let holds = (held && step != 1).then(|| (at.clone(), gradient.clone()));
        let seen = |((tensor, state), gradient): &((Tensor<D>, Option<FusedState>), Tensor<D>)| {
            (bits(tensor), state.as_ref().map(FusedState::tensors), bits(gradient))
        };
        let before = holds.as_ref().map(seen);
        let (tensor, state) = optimizer.try_step(0.1, at.0, gradient, at.1).expect("a good step");
        at = (tensor, Some(state));
        assert!(holds.as_ref().map(seen) == before, "step {step}: what is held has changed");
    }
    at.0
}
