//! The norm of many tensors, which stays on the device.

use super::arguments::{buffer, compute_type};
use super::extension::{Engine, List, Work};
use super::reduce::room;
use crate::scalars::Scalars;
use crate::state::compute_dtype;
use burn::backend::{BackendTensor, Dispatch, DispatchTensor, DispatchTensorKind, TensorMetadata};
use burn::tensor::{DType, Tensor};
use burn_cubecl::tensor::CubeTensor;
use burn_descent_rules::{Graph, Node};
use cubecl::prelude::*;
use std::sync::{Arc, OnceLock};

/// The norm of what has these sums of squares: of the numbers, of their fractions, and of their
/// multiples. The first is right but where it overflows or vanishes.
#[cube(launch_unchecked)]
fn norm<C: Float>(
    squares: &[C],
    to: &mut [C],
    limits: &Sequence<InputScalar>,
    #[define(C)] _dtype: ElemType,
) {
    if ABSOLUTE_POS == 0 {
        let (most, least, scale) =
            (limits[0].get::<C>(), limits[1].get::<C>(), limits[2].get::<C>());
        let mut norm = squares[0].sqrt();
        if squares[0] > most {
            norm = squares[1].sqrt() * scale;
        } else if squares[0] < least {
            norm = squares[2].sqrt() / scale;
        }
        to[0] = norm;
    }
}

/// Tensors whose norm is wanted: they lie on one device, and are computed in one precision.
pub(crate) struct Squares(Vec<DispatchTensor>);

impl Squares {
    /// Takes in a tensor, if it lies on a device of this engine, and where the others lie.
    pub(crate) fn add<const D: usize>(all: &mut Option<Self>, tensor: &Tensor<D>) -> bool {
        let tensor = tensor.clone().into_dispatch();
        if !matches!(tensor.kind, DispatchTensorKind::Cube(BackendTensor::Float(_))) {
            return false;
        }
        let Self(all) = all.get_or_insert_with(|| Self(Vec::new()));
        let fits = all.first().is_none_or(|first| {
            first.kind.device() == tensor.kind.device()
                && compute_dtype(first.dtype()) == compute_dtype(tensor.dtype())
        });
        if fits {
            all.push(tensor);
        }
        fits
    }

    /// The norm, of one element.
    pub(crate) fn norm(self) -> Tensor<1> {
        let Self(all) = self;
        let (graph, norm) = (squares(compute_dtype(all[0].dtype())), room(&all[0], 1));
        let to = room(&all[0], graph.outputs.len());
        let (work, nothing) = Work::new(graph, &Scalars::none());
        let none = || List(Vec::new());
        let sums = <Dispatch as Engine>::sum(to, List(all), none(), none(), nothing, none(), work);
        Tensor::from_dispatch(<Dispatch as Engine>::norm(sums, norm))
    }
}

/// Where squares of a precision are no numbers any more: a sum of them above `most` has overflowed, or
/// may have, and one below `least` has lost some. They are taken of fractions then, and of multiples.
struct Limits {
    most: f64,
    least: f64,
    /// A power of two, so that nothing is lost to rounding.
    scale: f64,
}

impl Limits {
    fn of(compute: DType) -> Self {
        match compute {
            DType::F64 => Self { most: 1e300, least: 1e-280, scale: 2_f64.powi(512) },
            _ => Self { most: 1e37, least: 1e-30, scale: 2_f64.powi(64) },
        }
    }
}

/// The squares of an element, of a fraction and of a multiple of it.
fn squares(compute: DType) -> Arc<Graph> {
    let graph = |Limits { scale, .. }: Limits| {
        let literal = |number: f64| Node::Literal(number.to_bits());
        let nodes = vec![
            Node::Parameter,
            Node::Mul(0, 0),
            literal(1.0 / scale),
            Node::Mul(0, 2),
            Node::Mul(3, 3),
            literal(scale),
            Node::Mul(0, 5),
            Node::Mul(6, 6),
        ];
        Arc::new(Graph { nodes, outputs: vec![1, 4, 7] })
    };
    static F32: OnceLock<Arc<Graph>> = OnceLock::new();
    static F64: OnceLock<Arc<Graph>> = OnceLock::new();
    let made = if compute == DType::F64 { &F64 } else { &F32 };
    made.get_or_init(|| graph(Limits::of(compute))).clone()
}

#[allow(unsafe_code)] // CubeCL offers its unchecked launch no other way
pub(super) fn launch_norm(squares: &CubeTensor, to: &CubeTensor) {
    let compute = compute_type(to);
    let Limits { most, least, scale } = Limits::of(to.dtype);
    let limits = [most, least, scale].map(|limit| InputScalar::new(limit, compute));
    // SAFETY: there are three sums, and one number to write, which the first unit does. Nobody else
    // holds `to`.
    unsafe {
        norm::launch_unchecked(
            &to.client,
            CubeCount::new_single(),
            CubeDim::new_single(),
            buffer(squares),
            buffer(to),
            limits.into_iter().collect(),
            compute,
        );
    }
}
