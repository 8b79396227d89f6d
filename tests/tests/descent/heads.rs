//! Groups of heads: attention whose queries and keys have one second moment a head.

use burn::module::{Module, Param, ParamGroup};
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::{
    AdamMini, AdamW, BuildError, Builder, Checkpoint, Descent, Group, Muon, Orientation, prelude::*,
};
use burn_descent_golden::{F64_TOLERANCE, OptimizerFile, traces_dir};
use burn_descent_tests::{numbers, values};

/// Inputs and outputs, heads, and outputs of a head.
const SIZE: usize = 6;
const HEADS: usize = 2;
const OF_HEAD: usize = 3;
const LR: f64 = 0.01;

fn tensor<const D: usize>(seed: u64, shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(numbers(seed, shape.iter().product()), shape);
    Tensor::from_data(data, (&Device::default(), DType::F64)).autodiff()
}

/// In f64, and without what draws lots.
fn attention() -> MultiHeadAttention {
    let device = Device::default().autodiff();
    let config = MultiHeadAttentionConfig::new(SIZE, HEADS).with_dropout(0.0);
    let mut attention = config.init(&device);
    let layers =
        [&mut attention.query, &mut attention.key, &mut attention.value, &mut attention.output];
    for (layer, seed) in layers.into_iter().zip(0..) {
        layer.weight = Param::from_tensor(tensor(seed, [SIZE, SIZE]).require_grad());
        layer.bias = Some(Param::from_tensor(tensor(10 + seed, [SIZE]).require_grad()));
    }
    attention
}

fn gradients(attention: &MultiHeadAttention, step: u64) -> GradientsParams {
    let x = tensor(100 + step, [2, 4, SIZE]);
    let loss = attention.forward(MhaInput::self_attn(x)).context.square().mean();
    GradientsParams::from_grads(loss.backward(), attention)
}

fn of(names: &[&str]) -> ParamGroup {
    ParamGroup::from_any_predicates(names.to_vec())
}

fn builder(heads: u32) -> Builder {
    let group = Group::new("heads", of(&["query", "key"]), AdamMini::new().build().unwrap());
    Descent::builder(AdamW::new().build().unwrap()).lr(LR).group(group.heads(heads))
}

/// Parameters of a case of the authors' code, in its order.
#[derive(Module, Debug)]
struct Named {
    matrices: Vec<Param<Tensor<2>>>,
    vectors: Vec<Param<Tensor<1>>>,
}

/// The blocks of a tensor of this name, as `Adam_mini` chooses them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Blocks {
    Heads,
    Rows,
    Whole,
    Elements,
}

fn blocks(name: &str) -> Blocks {
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    match name {
        _ if has(&["bias"]) => Blocks::Elements,
        _ if has(&["q_proj", "wk"]) => Blocks::Heads,
        _ if has(&["embed", "wte", "lm_head", "mlp", "value", "o_proj"]) => Blocks::Rows,
        _ => Blocks::Whole,
    }
}

/// The names of parameters choose their blocks in the authors' code, and groups here: all their runs.
#[test]
fn groups_are_what_names_are_in_the_authors_code() {
    let file = traces_dir().join("adam_mini__adam_mini_matrix.json.gz");
    for case in OptimizerFile::read(&file).unwrap().cases {
        let number = |key: &str| case.hyper(key).and_then(|value| value.as_f64()).unwrap();
        let [lr, beta1, beta2, dim, heads] = ["lr", "beta1", "beta2", "dim", "n_heads"].map(number);
        let (mut matrices, mut vectors) = (Vec::new(), Vec::new());
        let mut paths = Vec::new();
        for (init, shape) in case.init.iter().zip(&case.shapes) {
            let leaf = |data| Tensor::<1>::from_data(data, (&Device::default(), DType::F64));
            let flat = leaf(TensorData::new(init.clone(), [init.len()])).autodiff();
            match shape[..] {
                [rows, columns] => {
                    let matrix = flat.reshape([rows, columns]);
                    matrices.push(Param::from_tensor(matrix.detach().require_grad()));
                    paths.push(format!("matrices.{}", matrices.len() - 1));
                }
                _ => {
                    vectors.push(Param::from_tensor(flat.require_grad()));
                    paths.push(format!("vectors.{}", vectors.len() - 1));
                }
            }
        }
        let mut model = Named { matrices, vectors };
        let mut builder = Descent::builder(AdamW::new().build().unwrap()).lr(lr);
        let names = case.names.as_ref().unwrap();
        let given = case.hyper_given.get("weight_decay").and_then(|value| value.as_f64());
        for (number, (name, path)) in names.iter().zip(&paths).enumerate() {
            let decays = ["norm", "ln", "bias"].iter().all(|part| !name.contains(part));
            let decay = if decays { given.unwrap_or(0.0) } else { 0.0 };
            let mini = AdamMini::new().beta1(beta1).beta2(beta2).weight_decay(decay);
            let full = AdamW::new().beta1(beta1).beta2(beta2).weight_decay(decay);
            let only = ParamGroup::from_path(path);
            let group = match blocks(name) {
                Blocks::Elements => Group::new(name, only, full.build().unwrap()),
                Blocks::Whole => Group::new(name, only, mini.whole_tensor(true).build().unwrap()),
                Blocks::Rows => Group::new(name, only, mini.build().unwrap()),
                Blocks::Heads => {
                    // As many values a head as a square matrix has.
                    let count = case.init[number].len() as f64 * heads / (dim * dim);
                    Group::new(name, only, mini.build().unwrap()).heads(count as u32)
                }
            };
            builder = builder.group(group);
        }
        let mut descent = builder.build(&model).unwrap();
        let mut compared = 0;
        for (step, grads) in case.grads.as_ref().unwrap().iter().enumerate().take(case.steps) {
            let mut gradients = GradientsParams::new();
            let of = |numbers: &Vec<f64>| {
                let data = TensorData::new(numbers.clone(), [numbers.len()]);
                Tensor::<1>::from_data(data, (&Device::default(), DType::F64))
            };
            let (mut matrices, mut vectors) = (model.matrices.iter(), model.vectors.iter());
            for (grad, shape) in grads.iter().zip(&case.shapes) {
                match shape[..] {
                    [rows, columns] => {
                        let id = matrices.next().unwrap().id;
                        gradients.register(id, of(grad).reshape([rows, columns]));
                    }
                    _ => gradients.register(vectors.next().unwrap().id, of(grad)),
                }
            }
            (model, _) = descent.step(model, gradients).unwrap();
            let Some(at) = case.record.iter().position(|recorded| *recorded == step + 1) else {
                continue;
            };
            let (mut matrices, mut vectors) = (model.matrices.iter(), model.vectors.iter());
            for ((expected, shape), name) in case.params[at].iter().zip(&case.shapes).zip(names) {
                let found = match shape.len() {
                    2 => values(&matrices.next().unwrap().val()),
                    _ => values(&vectors.next().unwrap().val()),
                };
                let most = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
                let far = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / most);
                let far = far.fold(0.0, f64::max);
                assert!(far < F64_TOLERANCE, "{} step {}, {name}: {far:e}", case.id, step + 1);
                compared += 1;
            }
        }
        assert!(compared > 0, "{}", case.id);
    }
}

/// Adam-mini by hand: `weights` of inputs × outputs, of which each head has its outputs.
struct ByHand {
    weights: Vec<f64>,
    m: Vec<f64>,
    v: [f64; HEADS],
}

impl ByHand {
    fn step(&mut self, t: i32, gradient: &[f64]) {
        let head = |place: usize| place % SIZE / OF_HEAD;
        for (number, v) in self.v.iter_mut().enumerate() {
            let of_head = gradient.iter().enumerate().filter(|(place, _)| head(*place) == number);
            let squares: f64 = of_head.map(|(_, g)| g * g).sum();
            *v = 0.999 * *v + 0.001 * squares / (SIZE * OF_HEAD) as f64;
        }
        for (place, g) in gradient.iter().enumerate() {
            self.m[place] = 0.9 * self.m[place] + 0.1 * g;
            let (m, v) = (self.m[place] / (1.0 - 0.9_f64.powi(t)), self.v[head(place)]);
            let root = (v / (1.0 - 0.999_f64.powi(t))).sqrt();
            self.weights[place] -= LR * m / (root + 1e-8);
        }
    }
}

/// Ten steps with gradients of autodiff, of which five in another process: the state knows its heads.
#[test]
fn each_head_has_one_second_moment() {
    let mut model = attention();
    let mut descent = builder(HEADS as u32).build(&model).unwrap();
    let start = |layer: &burn::nn::Linear| ByHand {
        weights: values(&layer.weight.val()),
        m: vec![0.0; SIZE * SIZE],
        v: [0.0; HEADS],
    };
    let mut by_hand = [start(&model.query), start(&model.key)];
    for step in 0..10 {
        let gradients = gradients(&model, step);
        for (by_hand, layer) in by_hand.iter_mut().zip([&model.query, &model.key]) {
            let gradient = gradients.get::<2>(layer.weight.id).unwrap();
            by_hand.step(step as i32 + 1, &values(&gradient));
        }
        (model, _) = descent.step(model, gradients).unwrap();
        for (by_hand, layer) in by_hand.iter().zip([&model.query, &model.key]) {
            let found = values(&layer.weight.val());
            let far = found.iter().zip(&by_hand.weights).map(|(a, b)| (a - b).abs());
            let far = far.fold(0.0, f64::max);
            assert!(far < 1e-12, "step {step}: {far:e}");
        }
        if step == 4 {
            let bytes = descent.checkpoint(&model).unwrap().into_bytes().unwrap();
            let fresh = attention();
            descent = builder(HEADS as u32).build(&fresh).unwrap();
            model = Checkpoint::from_bytes(bytes).unwrap().restore(&mut descent, &fresh).unwrap();
        }
    }
}

#[test]
fn the_plan_shows_heads_and_what_they_keep() {
    let descent = builder(2).build(&attention()).unwrap();
    let line = |path: &str| descent.plan().lines.iter().find(|line| line.path == path).unwrap();
    let query = line("query.weight");
    let view = query.view.unwrap();
    assert_eq!([view.matrices, view.rows, view.columns], [HEADS, OF_HEAD, SIZE]);
    // The first moment, and one number a head.
    assert_eq!(query.state_bytes, Some(8 * (SIZE * SIZE + HEADS)));
    assert!(descent.plan().to_string().contains("2 of 3 x 6"), "{}", descent.plan());
    // A vector is none.
    assert_eq!(line("query.bias").view.unwrap().matrices, 1);
}

#[test]
fn what_has_no_heads_is_refused() {
    let refused = |group: Group| {
        let builder = Descent::builder(AdamW::new().build().unwrap()).lr(LR).group(group);
        match builder.build(&attention()) {
            Err(error @ BuildError::Heads { .. }) => error.to_string(),
            Err(error) => panic!("another refusal: {error}"),
            Ok(_) => panic!("it is not refused"),
        }
    };
    let group = |optimizer| Group::new("heads", of(&["query"]), optimizer);
    let seven = refused(group(AdamMini::new().build().unwrap()).heads(4));
    assert!(
        seven.contains("`query.weight` cannot be seen as 4 heads (it has 6 outputs)"),
        "{seven}"
    );
    for optimizer in [AdamW::new().build().unwrap(), Muon::new().build().unwrap()] {
        let refused = refused(group(optimizer).heads(2));
        assert!(refused.contains("does not look at the rows of one matrix"), "{refused}");
    }
    // Outputs are what the group says that they are.
    let turned = group(AdamMini::new().build().unwrap()).orientation(Orientation::OutputsFirst);
    let builder = Descent::builder(AdamW::new().build().unwrap()).lr(LR).group(turned.heads(3));
    assert!(builder.build(&attention()).is_ok());
}
