//! Several devices as one.

#![cfg(all(feature = "distributed", feature = "flex"))]

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use burn_descent_examples::args::Common;
use burn_descent_examples::backend::Backend;
use burn_descent_examples::data::{Code, Coding, Dataset, Encoder, Examples, Inputs, Matrix};
use burn_descent_examples::distributed::{Place, Places, Strategy, Training};
use burn_descent_examples::model::Network;
use burn_descent_examples::random::{Stream, order};
use burn_descent_examples::recipe::{Hidden, Recipe};
use burn_descent_examples::task::Task;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const EPOCHS: u64 = 3;

/// Examples of a batch that each of two devices has.
const SHARE: usize = 5;

/// A test that waits for a server waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a function gives, if it does so in time.
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(f()));
    receiver.recv_timeout(PATIENCE).expect("it takes too long, or panicked")
}

/// Two numbers, and a class that follows.
fn data() -> Dataset {
    let rows = |range: std::ops::Range<usize>| {
        let point =
            |i: usize| [(i * 37 % 101) as f32 / 50.0 - 1.0, (i * 53 % 97) as f32 / 48.0 - 1.0];
        let points: Vec<[f32; 2]> = range.map(point).collect();
        let classes: Vec<usize> = points.iter().map(|[x, y]| usize::from(x * y > 0.0)).collect();
        Examples { inputs: Matrix::new(points.concat(), 2), targets: Matrix::one_hot(&classes, 2) }
    };
    let code = Code::Words(["in", "out"].map(String::from).to_vec());
    let target = Coding { column: "class".into(), code };
    let encoder = Encoder { inputs: Inputs::Pixels(2), target };
    Dataset { train: rows(0..64), test: rows(64..80), encoder, notes: Vec::new() }
}

fn recipe(optimizer: &str) -> Recipe {
    let flags = Common {
        optimizer: Some(optimizer.parse().unwrap()),
        lr: Some(0.01),
        hidden: Some(Hidden(vec![6])),
        ..Common::default()
    };
    Recipe::new(Task::Classification, &flags, None).unwrap()
}

fn flex() -> (Backend, Device) {
    let backend: Backend = "flex".parse().unwrap();
    (backend, backend.open().unwrap())
}

/// One device that has the whole of each batch: a plain loop, without burn-train.
fn one_device(recipe: &Recipe) -> Network {
    let (_, device) = flex();
    let Dataset { train, .. } = data();
    let mut model = recipe.network([2, 2], &device).unwrap();
    let mut optimizer = ModuleOptimizer::from(recipe.rule().unwrap());
    let part = train.inputs.len() / 2;
    for epoch in 1..=EPOCHS {
        for rows in order(part, recipe.seed, Stream::Epoch(epoch)).chunks(SHARE) {
            let rows: Vec<usize> =
                rows.iter().copied().chain(rows.iter().map(|row| row + part)).collect();
            let tensor = |matrix: &Matrix| Tensor::from_inner(matrix.select(&rows).tensor(&device));
            let outputs = model.forward(tensor(&train.inputs));
            let loss = recipe.task.loss(outputs, tensor(&train.targets));
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(recipe.lr, model, gradients);
        }
    }
    model
}

fn weights(model: &Network) -> Vec<f32> {
    struct Weights(Vec<f32>);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().try_into_vec_as::<f32>().unwrap());
        }
    }
    let mut weights = Weights(Vec::new());
    model.visit(&mut weights);
    weights.0
}

fn on(places: &[Place], recipe: &Recipe, strategy: Strategy) -> Vec<f32> {
    let (backend, device) = flex();
    let places = Places::open(places, backend, None).unwrap();
    let training =
        Training { recipe, data: &data(), epochs: EPOCHS, share: SHARE, device: &device };
    weights(&training.run(&places.devices, strategy).unwrap())
}

#[test]
fn two_remote_devices_train_as_one() {
    for optimizer in ["sgd", "adamw", "nesterov"] {
        for strategy in [Strategy::Main, Strategy::Sharded] {
            let recipe = recipe(optimizer);
            let begin = weights(&recipe.network([2, 2], &flex().1).unwrap());
            let expected = weights(&one_device(&recipe));
            let found = in_time(move || on(&[Place::Loopback, Place::Loopback], &recipe, strategy));
            let far = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
            };
            assert_eq!(found.len(), expected.len());
            assert!(far(&begin, &expected) > 1e-3, "{optimizer}: it has learned nothing");
            let difference = far(&found, &expected);
            assert!(difference < 1e-5, "{optimizer}, {strategy:?}: {difference}");
        }
    }
}

fn run(line: &str) -> Output {
    let line = line.to_owned();
    in_time(move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_distributed"));
        command.args(line.split_whitespace()).output().unwrap()
    })
}

#[test]
fn the_program_trains_over_loopback() {
    let output = run("--hidden none --epochs 1 --batch-size 2000 --optimizer sgd");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("sgd on loopback, loopback: test loss ") && last.contains("accuracy "),
        "{text}"
    );
}

#[test]
fn bad_input_is_one_line() {
    for (line, expected) in [
        ("--on gpu", "ws://HOST:PORT"),
        ("--on local:1", "the backend `flex` has one device"),
        ("--on ws://127.0.0.1:1 --epochs 1", "cannot be reached"),
        ("--batch-size 33", "try 34"),
        ("--strategy ddp", "NCCL"),
        ("--on ws://127.0.0.1:99999", "ws://HOST:PORT"),
        ("--serve 127.0.0.1:0 --on local", "cannot be used with"),
        ("--serve 127.0.0.1:0 --lr 0.1", "cannot be used with"),
        ("--serve 127.0.0.1:0 --target x", "cannot be used with"),
        ("--serve here", "--serve"),
        ("--device 1", "--serve"),
        ("--optimizer adamv", "did you mean `adam`?"),
    ] {
        let output = run(line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(expected), "{line}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{line}: {errors}");
    }
}
