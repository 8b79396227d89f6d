//! The graph as burn's tensor operations: any backend, any dtype, and the oracle for the other
//! engines.

mod interpreter;
pub(crate) mod roots;

use crate::Reading;
use crate::code::Code;
use crate::matrices::Asked;
use crate::reduce::wide;
use crate::scalars::Scalars;
use crate::state::{compute_dtype, tensor};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use burn_descent_rules::noise::{Draw, MEAN, drawn};
use burn_descent_rules::{Domain, Fold, View};
use interpreter::Value::{Float, Mask, Number, Truth};
use interpreter::{APART, Interpreter, Met, Value};

/// Whatever shape a tensor has, a rule sees a stack of matrices.
type Stack = Tensor<3>;

/// One step by tensor operations. A sum over the model is one over this tensor.
pub(crate) fn step<const D: usize>(
    code: &Code,
    scalars: &Scalars,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    states: Vec<Tensor<D>>,
) -> (Tensor<D>, Vec<Tensor<D>>) {
    if parameter.shape().num_elements() == 0 {
        return (parameter, states);
    }
    let mut walk = Walk::new(code, scalars, parameter, gradient, states);
    for number in 0..code.stages.sums.len() {
        walk.stage(code, number);
    }
    walk.finish(code)
}

/// A step under way.
pub(crate) struct Walk {
    run: Interpreter,
    /// The rule, where it makes something of whole matrices, and the matrices that it keeps.
    asked: Option<(Asked, Vec<Stack>)>,
    /// Of the parameter, then of the states.
    shapes: Vec<Shape>,
    /// The type in which the parameter is stored.
    stored: DType,
}

impl Walk {
    pub(crate) fn new<const D: usize>(
        code: &Code,
        scalars: &Scalars,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        states: Vec<Tensor<D>>,
    ) -> Self {
        let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
        let shapes = core::iter::once(&parameter).chain(&states).map(Tensor::shape).collect();
        let mut states = states;
        let asked = scalars.asked.clone().map(|asked| {
            let kept = states.drain(code.states.len()..).zip(asked.keeps());
            let kept = kept.map(|(numbers, keep)| numbers.reshape(keep.dims)).collect();
            (asked, kept)
        });
        let view = scalars.view;
        let gradient = gradient.to_device(&parameter.device()).cast(compute);
        let parameter = stack(parameter.cast(compute), view, Domain::Element);
        let met = Met {
            scalars: lanes(scalars, &parameter),
            noise: scalars.draw.map(|draw| noise(draw, view, &parameter)),
            gradient: Some(stack(gradient, view, Domain::Element)),
            states: stacks(code, states, view),
            parameter: Some(parameter),
            view,
            model: view.len(),
        };
        Self { run: Interpreter::new(&code.update, code.asked(), met), asked, shapes, stored }
    }

    /// Takes the sums of a stage.
    pub(crate) fn stage(&mut self, code: &Code, number: usize) {
        let asked = &mut self.asked;
        self.run.stage(number, |sum, x| {
            let (asked, kept) = asked.as_mut().expect("a rule of whole matrices is asked");
            asked.whole(code.stages.whole_number(sum), x, kept)
        });
    }

    /// How many elements are stepped together.
    pub(crate) fn begin(&mut self, model: usize) {
        self.run.begin(model);
    }

    /// The sum of this number.
    pub(crate) fn sum(&self, number: usize) -> Reading {
        match self.run.known(number) {
            Float(sum) => Reading::on_device(sum.clone().reshape([1])),
            Number(sum) => (*sum).into(),
            Mask(_) | Truth(_) => unreachable!("{APART}"),
        }
    }

    /// The sum of this number is this one, over more than this tensor.
    pub(crate) fn learn(&mut self, number: usize, total: &Reading) {
        let total = match total.tensor() {
            Some(total) => {
                let total = total.clone().to_device(&self.run.device).cast(self.run.dtype);
                Float(total.reshape([1; 3]))
            }
            None => Number(total.get()),
        };
        self.run.learn(number, total);
    }

    /// The new parameter and states.
    pub(crate) fn finish<const D: usize>(self, code: &Code) -> (Tensor<D>, Vec<Tensor<D>>) {
        let Self { run, asked, shapes, stored } = self;
        let (stages, view) = (&code.stages, run.view());
        let domains = core::iter::once(Domain::Element).chain(stages.states.iter().copied());
        let outputs = run.outputs(stages.sums.len()).into_iter().zip(domains);
        let kept = asked.into_iter().flat_map(|(_, kept)| kept);
        let mut shapes = shapes.into_iter();
        let outputs = outputs
            .zip(shapes.by_ref())
            .map(|((output, of), whole)| unstack(output, view, of, whole));
        let mut outputs: Vec<Tensor<D>> = outputs.collect();
        outputs.extend(kept.zip(shapes).map(|(kept, shape)| kept.reshape(shape)));
        let states = outputs.drain(1..).collect();
        (outputs.swap_remove(0).cast(stored), states)
    }
}

/// The numbers of a domain as a stack of matrices of one, a row, a column, or whole ones.
fn stack<const D: usize>(numbers: Tensor<D>, view: View, of: Domain) -> Stack {
    let [matrices, lines, length] = shape(view, of);
    match of {
        Domain::Element if view.abreast => {
            numbers.reshape([lines, matrices, length]).swap_dims(0, 1)
        }
        _ => numbers.reshape([matrices, lines, length]),
    }
}

/// The numbers of a domain as they lie.
fn unstack<const D: usize>(numbers: Stack, view: View, of: Domain, whole: Shape) -> Tensor<D> {
    let numbers = numbers.expand(shape(view, of));
    match of {
        Domain::Element if view.abreast => numbers.swap_dims(0, 1).reshape(whole),
        _ => numbers.reshape(whole),
    }
}

fn stacks<const D: usize>(code: &Code, states: Vec<Tensor<D>>, view: View) -> Vec<Option<Stack>> {
    let states = states.into_iter().zip(&code.stages.states);
    states.map(|(state, of)| Some(stack(state, view, *of))).collect()
}

/// How many numbers of a domain there are in each dimension.
fn shape(view: View, of: Domain) -> [usize; 3] {
    view.stored_of(of)
}

/// The scalars beside a tensor and in its precision, lane by lane.
fn lanes(scalars: &Scalars, beside: &Stack) -> Vec<Value> {
    let mut lanes: Vec<_> = scalars.numbers.iter().map(|number| Number(*number)).collect();
    for (lane, scalar) in &scalars.on_device {
        let scalar = tensor(scalar).to_device(&beside.device()).cast(beside.dtype());
        lanes.insert(*lane, Float(scalar.reshape([1; 3])));
    }
    lanes
}

/// The weights to evaluate, see [`Rule::evaluate`](burn_descent_rules::Rule::evaluate).
pub(crate) fn evaluate<const D: usize>(
    code: &Code,
    parameter: Tensor<D>,
    states: Vec<Tensor<D>>,
    view: View,
    scalars: Vec<f64>,
) -> Tensor<D> {
    if parameter.shape().num_elements() == 0 {
        return parameter;
    }
    let (stored, compute) = (parameter.dtype(), compute_dtype(parameter.dtype()));
    let whole = parameter.shape();
    let met = Met {
        parameter: Some(stack(parameter.cast(compute), view, Domain::Element)),
        gradient: None,
        noise: None,
        states: stacks(code, states, view),
        scalars: scalars.into_iter().map(Number).collect(),
        view,
        model: view.len(),
    };
    let evaluated = Interpreter::new(&code.evaluate, 0, met).outputs(0).swap_remove(0);
    unstack(evaluated, view, Domain::Element, whole).cast(stored)
}

/// What is drawn for each element. The numbers are made on the host: burn's tensors have no integers that
/// wrap.
fn noise(draw: Draw, view: View, beside: &Stack) -> Stack {
    let number = |index: usize| f64::from(drawn(index as u32, draw.key)) - MEAN;
    let numbers: Vec<f64> = (0..view.len()).map(number).collect();
    let options = (&beside.device(), beside.dtype());
    let numbers = Tensor::<1>::from_data(TensorData::new(numbers, [view.len()]), options);
    stack(numbers, view, Domain::Element)
}

/// The sums, or the maxima, of all that a number of a domain stands for.
fn folded(x: Stack, fold: Fold, to: Domain, view: View) -> Stack {
    let (whole, one, dtype) = (shape(view, Domain::Element), shape(view, to), x.dtype());
    let wide = wide(&x);
    let mut x = x.expand(whole).cast(wide);
    if let Domain::Tensor | Domain::Model = to {
        let one = if fold == Fold::Sum { total(x.reshape([view.len()])) } else { x.max() };
        return one.reshape([1; 3]).cast(dtype);
    }
    for dim in (0..3).filter(|dim| one[*dim] < whole[*dim]) {
        x = match fold {
            Fold::Sum => x.sum_dim(dim),
            Fold::Max => x.max_dim(dim),
            Fold::Whole => x,
        };
    }
    x.cast(dtype)
}

/// The sum of all numbers, in short runs, which lose less to rounding; and a step that took burn's sum of
/// 160,801 numbers in one run was wrong on wgpu with lavapipe.
fn total(mut x: Tensor<1>) -> Tensor<1> {
    const RUN: usize = 256;
    while x.dims()[0] > RUN {
        let (rows, rest) = (x.dims()[0] / RUN, x.dims()[0] % RUN);
        let sums = x.clone().narrow(0, 0, rows * RUN).reshape([rows, RUN]).sum_dim(1);
        let sums = sums.reshape([rows]);
        x = match rest {
            0 => sums,
            _ => Tensor::cat(vec![sums, x.narrow(0, rows * RUN, rest)], 0),
        };
    }
    x.sum()
}
