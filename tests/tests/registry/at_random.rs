//! Every optimizer of the registry and some chains, with options at random, down gradients of every kind, over
//! tensors of every shape and layout.
//!
//! Options that are not allowed are refused by name. With all others a walk takes its steps whatever the gradients
//! are, and both engines of CPUs and burn's tensor operations end in one place. `BURN_DESCENT_CASES=100000` asks
//! for so many walks.

use burn::module::Param;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use burn_descent::registry::{ROWS, Row};
use burn_descent::rules::chain::{
    AdaptiveGradClip, AddDecayedWeights, Cautious, Chain, ClipByBlockRms, Noisy, NormalizeRows,
    ScaleByAdam, ScaleByLearningRate, ScaleByTrustRatio, Then, Trace,
};
use burn_descent::{AdamW, Batch, BuildError, Descent, Fused};
use burn_descent_tests::{bits, numbers, values};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// As many as CI has time for.
const WALKS: u32 = 2500;

type Step<A, B> = Then<A, B>;

/// Chains of transforms that sum over tensors, rows and nothing.
type Normed =
    Chain<Step<Step<Step<ScaleByAdam, AddDecayedWeights>, ScaleByTrustRatio>, ScaleByLearningRate>>;
type Clipped = Chain<
    Step<Step<Step<Step<AdaptiveGradClip, Trace>, Cautious>, ClipByBlockRms>, ScaleByLearningRate>,
>;
type OfRows = Chain<Step<Step<ScaleByAdam, NormalizeRows>, ScaleByLearningRate>>;

/// The rows of the registry by their names, and some chains.
fn rows() -> Vec<(&'static str, Row)> {
    let chains = [
        ("a chain with norms", Row::of::<Normed>(0.01)),
        ("a chain with clipping", Row::of::<Clipped>(0.01)),
        ("a chain with rows", Row::of::<OfRows>(0.01)),
        ("noise", Row::of::<Noisy<AdamW>>(0.01)),
    ];
    ROWS.iter().map(|row| (row.name, *row)).chain(chains).collect()
}

/// Numbers for any option: in its range, on its edge, and beyond it.
const NUMBERS: [&str; 22] = [
    "0.1",
    "0.3",
    "0.5",
    "0.9",
    "0.95",
    "0.99",
    "0.999",
    "0.9999999",
    "0",
    "1",
    "2",
    "3",
    "10",
    "100",
    "1.5",
    "1e-3",
    "1e-6",
    "1e-12",
    "1e-300",
    "1e300",
    "-0.5",
    "NaN",
];

const WHOLE: [&str; 8] = ["0", "1", "2", "3", "5", "10", "100", "-1"];

/// A value for an option with this default, mostly of its kind.
fn value(default: &str) -> BoxedStrategy<&'static str> {
    let of_kind = match default {
        "true" | "false" => select(&["true", "false"][..]).boxed(),
        whole if whole.parse::<u64>().is_ok() => select(&WHOLE[..]).boxed(),
        number if number.parse::<f64>().is_ok() => select(&NUMBERS[..]).boxed(),
        _ => Just("nonsense").boxed(),
    };
    prop_oneof![30 => of_kind, 1 => select(&["true", "0.5", "7", "", "nonsense", "inf"][..])]
        .boxed()
}

#[derive(Clone, Debug)]
struct Walk {
    row: &'static str,
    options: BTreeMap<String, &'static str>,
    shape: Vec<usize>,
    layout: Layout,
    wide: bool,
    gradients: Vec<Gradient>,
    seed: u64,
}

/// How a tensor lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    InOrder,
    /// Its first two dimensions are turned.
    Turned,
    /// It is a part of a larger one.
    Part,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Gradient {
    Ordinary,
    Zeros,
    /// The numbers are one.
    Equal,
    /// Below what is a normal number.
    Denormal,
    /// Its square is infinite.
    Huge,
    Infinite,
    NotANumber,
}

impl Gradient {
    /// Is what follows from it a matter of the order of sums, or not said of `max`?
    fn is_wild(self) -> bool {
        !matches!(self, Gradient::Ordinary | Gradient::Zeros | Gradient::Equal)
    }

    fn numbers(self, seed: u64, len: usize, wide: bool) -> Vec<f64> {
        let mut numbers = numbers(seed, len);
        let (denormal, huge) = if wide { (1e-310, 1e200) } else { (1e-40, 1e30) };
        match self {
            Gradient::Ordinary => {}
            Gradient::Zeros => numbers.fill(0.0),
            Gradient::Equal => numbers.fill(0.25),
            Gradient::Denormal => numbers.iter_mut().for_each(|x| *x *= denormal),
            Gradient::Huge => numbers.iter_mut().for_each(|x| *x *= huge),
            Gradient::Infinite => numbers.iter_mut().take(1).for_each(|x| *x = f64::INFINITY),
            Gradient::NotANumber => numbers.iter_mut().take(1).for_each(|x| *x = f64::NAN),
        }
        numbers
    }
}

fn walk() -> impl Strategy<Value = Walk> {
    use Gradient::*;
    let tame = prop_oneof![3 => Just(Ordinary), 1 => Just(Zeros), 1 => Just(Equal)];
    let wild = select(&[Ordinary, Zeros, Equal, Denormal, Huge, Infinite, NotANumber][..]);
    let gradients =
        prop_oneof![prop::collection::vec(tame, 1..8), prop::collection::vec(wild, 1..8),];
    let shape = prop_oneof![
        4 => prop::collection::vec(1..7_usize, 1..4),
        1 => prop::collection::vec(0..4_usize, 1..7),
    ];
    let layout = select(&[Layout::InOrder, Layout::InOrder, Layout::Turned, Layout::Part][..]);
    let options = |(name, row): (&'static str, Row)| {
        let known = row.options().into_iter().map(|(name, default)| (name, value(&default)));
        // A word has few values, and is left alone.
        let known = known.chain([("no_such".to_owned(), Just("1").boxed())]);
        let option = select(known.collect::<Vec<_>>());
        let option = option.prop_flat_map(|(name, value)| (Just(name), value));
        let options = prop::collection::vec(option, 0..4);
        (Just(name), options.prop_map(|options| options.into_iter().collect()))
    };
    let optimizer = select(rows()).prop_flat_map(options);
    (optimizer, shape, layout, any::<bool>(), gradients, 0..1000_u64).prop_map(
        |((row, options), shape, layout, wide, gradients, seed)| Walk {
            row,
            options,
            shape,
            layout,
            wide,
            gradients,
            seed,
        },
    )
}

impl Walk {
    fn tensor<const D: usize>(&self, numbers: Vec<f64>, device: &Device) -> Tensor<D> {
        let dtype = if self.wide { DType::F64 } else { DType::F32 };
        let shape: [usize; D] = self.shape.clone().try_into().expect("of this rank");
        let make = |numbers: Vec<f64>, shape: [usize; D]| {
            Tensor::<D>::from_data(TensorData::new(numbers, shape), (device, dtype))
        };
        match self.layout {
            Layout::Turned if D > 1 => {
                let mut turned = shape;
                turned.swap(0, 1);
                make(numbers, turned).swap_dims(0, 1)
            }
            // Between others, which are no numbers.
            Layout::Part if D > 1 && shape[1] > 0 => {
                let mut larger = shape;
                larger[1] += 2;
                let len = larger.iter().product();
                let part = make(vec![f64::NAN; len], larger);
                let [all, columns] = [0..shape[0], 1..1 + shape[1]];
                part.slice_assign([all.clone(), columns.clone()], make(numbers, shape))
                    .slice([all, columns])
            }
            _ => make(numbers, shape),
        }
    }

    /// Where the walk ends, or why it cannot begin.
    fn end<const D: usize>(
        &self,
        optimizer: Fused,
        lr: f64,
        device: &Device,
    ) -> Result<Tensor<D>, BuildError> {
        let len = self.shape.iter().product();
        let mut model = Param::from_tensor(self.tensor::<D>(numbers(self.seed, len), device));
        let mut descent = Descent::builder(optimizer).lr(lr).build(&model)?;
        for (t, gradient) in self.gradients.iter().enumerate() {
            let numbers = gradient.numbers(self.seed + 1 + t as u64, len, self.wide);
            let mut gradients = GradientsParams::new();
            gradients.register(model.id, self.tensor::<D>(numbers, device));
            let before = model.val().dtype();
            let report;
            let batch = Batch::new().loss(1.0);
            (model, report) = descent.step_weighted(model, gradients, batch).expect("a good step");
            assert!(report.stepped && report.step == 1 + t as u64);
            assert_eq!(model.val().shape(), Shape::from(self.shape.clone()));
            assert_eq!(model.val().dtype(), before);
        }
        let evaluated = descent.evaluate(&model);
        assert_eq!(evaluated.val().shape(), model.val().shape());
        Ok(model.val())
    }
}

/// What becomes of walks.
#[derive(Default)]
struct Count {
    refused: u32,
    unfit: u32,
    compared: u32,
    walked: u32,
}

/// Both engines of CPUs, and tensor operations.
fn hold<const D: usize>(walk: &Walk, optimizer: &Fused, lr: f64, count: &mut Count) {
    let flex = Device::flex();
    let end = |optimizer: &Fused, device: &Device| walk.end::<D>(optimizer.clone(), lr, device);
    let first = match end(optimizer, &flex) {
        Ok(end) => end,
        Err(error) => {
            // Named, with what it is by default.
            assert!(
                matches!(error, BuildError::Optimizer { .. } | BuildError::Option(_)),
                "{error}"
            );
            count.unfit += 1;
            return;
        }
    };
    count.walked += 1;
    let is_wild = walk.gradients.iter().any(|gradient| gradient.is_wild());
    let portable = end(&optimizer.clone().portable(), &flex).expect("it fits there");
    #[allow(deprecated)]
    let ndarray = end(optimizer, &Device::ndarray()).expect("it fits on ndarray");
    // Of whole matrices the products of a backend decide: the sign of what is nearly 0 is any. A power of 0 with such an
    // exponent is another one by tensor operations, as is said of `Real::powf`.
    let tiny = walk.options.values().any(|value| *value == "1e-300");
    if is_wild || tiny || optimizer.sees_whole() {
        return;
    }
    count.compared += 1;
    if walk.layout == Layout::InOrder {
        assert!(bits(&first) == bits(&ndarray), "flex and ndarray differ");
    }
    if walk.wide {
        assert_close(&first, &portable, "tensor operations");
        assert_close(&first, &ndarray, "ndarray");
    }
}

fn assert_close<const D: usize>(a: &Tensor<D>, b: &Tensor<D>, what: &str) {
    let (a, b) = (values(a), values(b));
    let scale = b.iter().filter(|x| x.is_finite()).fold(1.0, |most: f64, x| most.max(x.abs()));
    for (a, b) in a.iter().zip(&b) {
        let alike = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-7 * scale;
        assert!(alike, "{a}, and by {what} {b}");
    }
}

fn run(walk: &Walk, rows: &BTreeMap<&str, Row>, count: &mut Count) {
    let row = rows[walk.row];
    let options: Vec<(&str, &str)> =
        walk.options.iter().map(|(option, value)| (&**option, *value)).collect();
    let optimizer = match row.build(&options) {
        Ok(optimizer) => optimizer,
        Err(error) => {
            let text = error.to_string();
            let names_one = options.iter().any(|(name, _)| text.contains(name));
            assert!(names_one, "{text} is not about {options:?}");
            count.refused += 1;
            return;
        }
    };
    match walk.shape.len() {
        1 => hold::<1>(walk, &optimizer, row.lr, count),
        2 => hold::<2>(walk, &optimizer, row.lr, count),
        3 => hold::<3>(walk, &optimizer, row.lr, count),
        4 => hold::<4>(walk, &optimizer, row.lr, count),
        5 => hold::<5>(walk, &optimizer, row.lr, count),
        _ => hold::<6>(walk, &optimizer, row.lr, count),
    }
}

#[test]
fn options_at_random_walk_or_are_refused_by_name() {
    let asked = std::env::var("BURN_DESCENT_CASES").ok();
    let cases = asked.as_ref().map_or(WALKS, |cases| cases.parse().expect("a number of walks"));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    // The same ones each time, unless somebody asks for more.
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let rows: BTreeMap<_, _> = rows().into_iter().collect();
    let count = RefCell::new(Count::default());
    let held = runner.run(&walk(), |walk| {
        run(&walk, &rows, &mut count.borrow_mut());
        Ok(())
    });
    if let Err(error) = held {
        panic!("{error}");
    }
    let Count { refused, unfit, walked, compared } = count.into_inner();
    println!(
        "{cases} cases: {refused} options refused, {unfit} unfit, {walked} walked, {compared} compared"
    );
    assert!(walked > cases / 4 && compared > cases / 20);
}
