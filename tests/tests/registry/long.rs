//! Long walks of every row: how far f32 goes from f64, that nothing grows, and counters beyond what f32, an i32 and
//! an f64 count.
//!
//! docs/numbers.csv has what 10,000 steps come to; `BURN_DESCENT_BLESS=1` writes it anew. `BURN_DESCENT_SOAK=1000000`
//! walks so many steps.

use burn::module::{Module, Param};
use burn::optim::{StateSink, StateSource};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::registry::{ROWS, Row};
use burn_descent::{AdamW, Batch, Build, Deferred, Descent, Ema, Fused, FusedState, Place};
use burn_descent_tests::{allocation, bits, numbers, values};
use burn_pack::Scalar;
use std::fs;
use std::path::Path;

#[global_allocator]
static COUNTING: allocation::Counting = allocation::Counting;

/// The noise comes again after so many steps.
const NOISE: u64 = 64;

/// A matrix of eight rows on its way down half the square of its length, with noise in the gradient.
struct Walker {
    optimizer: Fused,
    lr: f64,
    at: Option<(Tensor<2>, FusedState)>,
    noise: Vec<Tensor<2>>,
    t: u64,
}

fn tensor(seed: u64, dtype: DType) -> Tensor<2> {
    // Numbers that f32 holds.
    let numbers: Vec<f64> = numbers(seed, 64).iter().map(|x| f64::from(*x as f32)).collect();
    Tensor::from_data(TensorData::new(numbers, [8, 8]), (&Device::flex(), dtype))
}

impl Walker {
    fn new(row: &Row, dtype: DType) -> Self {
        let optimizer = row.build(&[]).expect("defaults are allowed");
        let start = tensor(1, dtype);
        let state = optimizer.start_as(&start, Place::default());
        let noise = (0..NOISE).map(|seed| tensor(100 + seed, dtype)).collect();
        Self { optimizer, lr: row.lr, at: Some((start, state)), noise, t: 0 }
    }

    fn step(&mut self) {
        let (parameter, mut state) = self.at.take().expect("it is whole");
        let gradient = parameter.clone() + self.noise[(self.t % NOISE) as usize].clone();
        self.t += 1;
        let optimizer = self.optimizer.clone().at_loss(1.0);
        self.at = Some(if optimizer.sees_model() {
            let step = optimizer.defer(self.lr, parameter, gradient, state);
            let mut steps = [step.expect("a good step")];
            Deferred::run(&mut steps);
            let [step] = steps;
            step.finish()
        } else {
            let stepped = optimizer.advance(self.lr, parameter, gradient, &mut state);
            (stepped.expect("a good step"), state)
        });
    }

    fn weights(&self) -> Vec<f64> {
        values(&self.at.as_ref().expect("it is whole").0)
    }

    fn steps(&self) -> u64 {
        self.at.as_ref().expect("it is whole").1.steps()
    }

    /// As if so many steps had been taken.
    fn set_steps(&mut self, steps: u64) {
        let (parameter, state) = self.at.take().expect("it is whole");
        let mut sink = StateSink::default();
        self.optimizer.flatten_state(&state, &parameter, "state", &mut sink);
        let mut scalars: std::collections::BTreeMap<String, Scalar> =
            sink.scalars.into_iter().collect();
        let time = scalars.insert("state.time".into(), Scalar::UInt(steps));
        assert!(time.is_some(), "a state has another clock");
        let mut source = StateSource::new(scalars);
        sink.tensors.into_iter().for_each(|(name, data)| source.insert_tensor(name, data));
        let state = self.optimizer.unflatten_state(&parameter, "state", &mut source);
        self.at = Some((parameter, state.expect("it is whole")));
    }
}

/// How far f32 is from f64.
struct Apart {
    /// After the first step, in units of the last place of the greatest weight.
    first: f64,
    /// After some more steps, as a share of the greatest weight: the most of all steps so far.
    drift: Vec<f64>,
}

fn apart(row: &Row, after: &[u64]) -> Apart {
    let [mut narrow, mut wide] = [DType::F32, DType::F64].map(|dtype| Walker::new(row, dtype));
    let (mut first, mut most, mut drift) = (0.0, 0.0_f64, Vec::new());
    for t in 1..=*after.last().expect("there is one") {
        narrow.step();
        wide.step();
        // Late ones are looked at now and then.
        if t > 100 && t % 100 != 0 {
            continue;
        }
        let (narrow, wide) = (narrow.weights(), wide.weights());
        assert!(wide.iter().all(|x| x.is_finite()), "{} at step {t}", row.name);
        let largest = wide.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let error = narrow.iter().zip(&wide).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(error.is_finite() && largest > 0.0, "{}: {error} of {largest}", row.name);
        if t == 1 {
            first = error / f64::from((largest as f32).next_up() - largest as f32);
        }
        most = most.max(error / largest);
        if after.contains(&t) {
            drift.push(most);
        }
    }
    Apart { first, drift }
}

/// The steps after which docs/numbers.csv tells the drift: of a rule of whole matrices, whose steps take long in a build
/// for tests, after fewer.
const AFTER: [u64; 3] = [100, 1000, 10_000];

fn after(row: &Row) -> &'static [u64] {
    let sees_whole = row.build(&[]).expect("defaults are allowed").sees_whole();
    if sees_whole { &AFTER[..2] } else { &AFTER }
}

#[test]
fn f32_stays_as_near_to_f64_as_is_said() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/numbers.csv");
    const HEAD: &str = "optimizer,first step in ulp,drift after 100 steps,after 1000,after 10000";
    if std::env::var_os("BURN_DESCENT_BLESS").is_some() {
        let line = |row: &Row| {
            let Apart { first, drift } = apart(row, after(row));
            let mut drift: Vec<String> = drift.iter().map(|drift| format!("{drift:.1e}")).collect();
            drift.resize(AFTER.len(), "-".into());
            format!("{},{first:.1},{}\n", row.name, drift.join(","))
        };
        let lines: String = ROWS.iter().map(line).collect();
        fs::write(&path, format!("{HEAD}\n{lines}")).expect("it can be written");
    }
    let text = fs::read_to_string(&path).expect("docs/numbers.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(HEAD));
    for row in ROWS {
        let line: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        assert_eq!(line[0], row.name, "docs/numbers.csv has another optimizer here");
        let stated: Vec<f64> = line[1..3].iter().map(|x| x.parse().expect("a number")).collect();
        let found = apart(row, &AFTER[..1]);
        // Another processor may round another way.
        assert!(found.first <= 2.0 * stated[0] + 1.0, "{}: {} ulp", row.name, found.first);
        assert!(found.drift[0] <= 3.0 * stated[1] + 1e-7, "{}: {:e}", row.name, found.drift[0]);
    }
    assert_eq!(lines.next(), None);
}

/// Many steps: nothing is lost, nothing grows.
#[test]
fn a_long_walk_stays_finite_and_holds_no_more() {
    let asked = std::env::var("BURN_DESCENT_SOAK").ok();
    let steps: u64 = asked.map_or(300, |steps| steps.parse().expect("a number of steps"));
    for row in ROWS {
        let mut walker = Walker::new(row, DType::F32);
        (0..steps / 2).for_each(|_| walker.step());
        let ((), held) = allocation::held(|| (0..steps / 2).for_each(|_| walker.step()));
        let weights = walker.weights();
        assert!(weights.iter().all(|x| x.is_finite()), "{}: {weights:?}", row.name);
        assert_eq!(walker.steps(), steps / 2 * 2);
        // Other threads may give back what this one took, and the other way round.
        assert!(held.abs() < 1 << 16, "{} holds {held} bytes more", row.name);
    }
}

#[test]
fn counters_go_beyond_what_small_numbers_count() {
    for row in ROWS {
        for dtype in [DType::F32, DType::F64] {
            let mut walker = Walker::new(row, dtype);
            (0..3).for_each(|_| walker.step());
            for power in [24, 31, 32, 53] {
                let begin = (1_u64 << power) - 2;
                walker.set_steps(begin);
                for step in 1..=4 {
                    walker.step();
                    assert_eq!(walker.steps(), begin + step, "{}", row.name);
                    let weights = walker.weights();
                    let finite = weights.iter().all(|x| x.is_finite());
                    assert!(
                        finite,
                        "{} at step {} of {dtype:?}: {weights:?}",
                        row.name,
                        begin + step
                    );
                }
            }
        }
    }
}

/// Walks that are built and dropped leave nothing behind.
#[test]
fn what_is_built_and_dropped_is_gone() {
    for row in ROWS {
        let build = || {
            let model = Param::from_tensor(tensor(1, DType::F32).autodiff().require_grad());
            let optimizer = row.build(&[]).expect("defaults are allowed");
            let mut descent =
                Descent::builder(optimizer).lr(row.lr).build(&model).expect("it fits");
            let loss = model.val().square().sum();
            let batch = Batch::new().loss(1.0);
            drop(descent.step_weighted(model, loss.backward(), batch).expect("a good step"));
        };
        (0..3).for_each(|_| build());
        let ((), held) = allocation::held(|| (0..20).for_each(|_| build()));
        println!("{} holds {held}", row.name);
        assert!(held < 1 << 14, "{} holds {held} bytes", row.name);
    }
}

/// What is done with a model between steps leaves nothing behind either.
#[test]
fn a_model_that_is_handled_between_steps_holds_no_more() {
    type Model = Param<Tensor<2>>;
    let step = |descent: &mut Descent, model: Model| {
        let loss = model.val().square().sum();
        descent.step(model, loss.backward()).expect("a good step").0
    };
    let nothing = |_: &mut Descent, model: Model| model;
    let cloned = |descent: &mut Descent, model: Model| {
        let clone = model.clone();
        let model = step(descent, model);
        assert!(bits(&clone.val()) != bits(&model.val()));
        model
    };
    let new_leaf = |_: &mut Descent, model: Model| {
        let (id, tensor, mapper) = model.consume();
        let tensor = (tensor.inner() * 0.5).autodiff().require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    };
    let restored = |descent: &mut Descent, model: Model| {
        let checkpoint = descent.checkpoint(&model).expect("it is of this model");
        checkpoint.restore(descent, &model).expect("it fits")
    };
    let evaluated = |descent: &mut Descent, model: Model| {
        drop(descent.evaluate(&model));
        model
    };
    let given = |descent: &mut Descent, model: Model| {
        let mut gradients = burn::optim::GradientsParams::new();
        gradients.register(model.id, tensor(5, DType::F32));
        descent.step(model, gradients).expect("a good step").0
    };
    let moved = |_: &mut Descent, model: Model| {
        #[allow(deprecated)]
        let there = model.fork(&Device::ndarray().autodiff());
        there.fork(&Device::flex().autodiff())
    };
    type Handle<'a> = &'a dyn Fn(&mut Descent, Model) -> Model;
    let handles: [(&str, Handle<'_>); 7] = [
        ("nothing", &nothing),
        ("a clone", &cloned),
        ("a new leaf", &new_leaf),
        ("a restore", &restored),
        ("an evaluation", &evaluated),
        ("given gradients", &given),
        ("a move", &moved),
    ];
    for (what, handle) in handles {
        let mut model = Some(Param::from_tensor(tensor(1, DType::F32).autodiff().require_grad()));
        let adamw = AdamW::new().build().expect("defaults are allowed");
        let builder = Descent::builder(adamw).lr(1e-3).average(Ema::new(0.9));
        let mut descent = builder.build(model.as_ref().expect("it is there")).expect("it fits");
        let mut walk = |steps: usize| {
            for _ in 0..steps {
                let handled = handle(&mut descent, model.take().expect("it is there"));
                model = Some(step(&mut descent, handled));
            }
        };
        walk(10);
        let ((), held) = allocation::held(|| walk(200));
        println!("{what}: {held}");
        assert!(held < 1 << 13, "{what} between steps: {held} bytes are held");
    }
}
