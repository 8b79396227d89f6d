//! What burn's CubeCL backend does in each operation of the [engine](Engine).

use super::extension::{Engine, InPasses, List, Words, Work};
use super::kept::InWords;
use super::layout::Layout;
use super::many::{Beside, Together};
use super::norm::launch_norm;
use super::step::Step;
use super::words::{launch_narrow, launch_update, launch_widen};
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

impl Engine for CubeBackend {
    fn update(
        parameters: List<Self>,
        gradients: List<Self>,
        states: List<Self>,
        beside: List<Self>,
        sums: List<Self>,
        work: Work,
    ) -> (List<Self>, List<Self>) {
        let around = Beside { scalars: &beside.0, sums: &sums.0, work: &work };
        let (parameters, gradients, states) = (parameters.0, gradients.0, states.0);
        let (parameters, states) = Together { parameters, gradients, states, around }.update();
        (List(parameters), List(states))
    }

    fn update_kept(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: List<Self>,
        words: Words<Self>,
        beside: List<Self>,
        work: InWords,
    ) -> (FloatTensor<Self>, List<Self>, Words<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, states, words);
        }
        let (parameter, states, words) =
            launch_update(parameter, gradient, states.0, words.0, &beside.0, work);
        (parameter, List(states), Words(words))
    }

    fn widen(
        parameter: FloatTensor<Self>,
        words: Words<Self>,
        to: List<Self>,
        work: InWords,
    ) -> List<Self> {
        if parameter.meta.num_elements() == 0 {
            return to;
        }
        List(launch_widen(parameter, words.0, to.0, work))
    }

    fn narrow(
        from: List<Self>,
        parameter: FloatTensor<Self>,
        words: Words<Self>,
        work: InWords,
    ) -> (FloatTensor<Self>, Words<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, words);
        }
        let (parameter, words) = launch_narrow(from.0, parameter, words.0, work);
        (parameter, Words(words))
    }

    fn step_in_passes(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        states: List<Self>,
        coarse: List<Self>,
        beside: List<Self>,
        work: InPasses,
    ) -> (FloatTensor<Self>, List<Self>, List<Self>) {
        if parameter.meta.num_elements() == 0 {
            return (parameter, states, coarse);
        }
        let step = Step::new(parameter, gradient, states.0, coarse.0, beside.0, work);
        let (parameter, states, coarse) = step.take();
        (parameter, List(states), List(coarse))
    }

    fn sum(
        to: FloatTensor<Self>,
        parameters: List<Self>,
        gradients: List<Self>,
        states: List<Self>,
        beside: List<Self>,
        sums: List<Self>,
        work: Work,
    ) -> FloatTensor<Self> {
        let to = alone(to);
        let around = Beside { scalars: &beside.0, sums: &sums.0, work: &work };
        let (parameters, gradients, states) = (parameters.0, gradients.0, states.0);
        Together { parameters, gradients, states, around }.sum(&to);
        to
    }

    fn norm(squares: FloatTensor<Self>, to: FloatTensor<Self>) -> FloatTensor<Self> {
        let to = alone(to);
        launch_norm(&squares, &to);
        to
    }
}

/// The layout of a tensor that can be walked over as it lies. Noise is drawn by the places of
/// elements in their tensor.
pub(super) fn walkable(tensor: &CubeTensor, work: &Work) -> Option<Layout> {
    Layout::of(tensor).filter(|layout| work.key.is_empty() || layout.is_in_order())
}

/// A list of sums, in a buffer that nobody else holds.
pub(super) fn alone(sums: CubeTensor) -> CubeTensor {
    Layout::contiguous(&sums).lay_alone(sums)
}
