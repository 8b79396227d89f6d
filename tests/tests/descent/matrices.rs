//! Optimizers of whole matrices: which parameters they step, and how.

use burn::module::{Module, Param, ParamGroup};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Int, Tensor};
use burn_descent::rules::slices::Walk;
use burn_descent::{Auxiliary, Build, Descent, Group, Muon, Select};
use burn_descent_tests::{numbers, values};

#[derive(Module, Debug)]
struct Model {
    embedding: Embedding,
    conv: Conv2d,
    hidden: Linear,
    norm: LayerNorm,
    head: Linear,
}

fn model() -> Model {
    let device = Device::default().autodiff();
    Model {
        embedding: EmbeddingConfig::new(5, 4).init(&device),
        conv: Conv2dConfig::new([1, 3], [2, 2]).init(&device),
        hidden: LinearConfig::new(4, 6).init(&device),
        norm: LayerNormConfig::new(6).init(&device),
        head: LinearConfig::new(6, 2).init(&device),
    }
}

/// Path, optimizer and view of each line of the plan.
fn plan(descent: &Descent) -> Vec<(String, &'static str, String)> {
    let view = |line: &burn_descent::Line| {
        line.view.map_or("-".to_owned(), |view| format!("{} x {}", view.rows, view.columns))
    };
    let lines = descent.plan().lines.iter();
    lines.map(|line| (line.path.clone(), line.optimizer, view(line))).collect()
}

#[test]
fn embeddings_the_head_and_vectors_go_to_the_auxiliary_rule() {
    let muon = Muon::new().build().unwrap();
    let descent = Descent::builder(muon).lr(0.02).build(&model()).unwrap();
    let line = |path: &str, optimizer, view: &str| (path.to_owned(), optimizer, view.to_owned());
    let expected = [
        line("embedding.weight", "auxiliary", "5 x 4"),
        line("conv.weight", "muon", "3 x 4"),
        line("conv.bias", "auxiliary", "1 x 3"),
        line("hidden.weight", "muon", "6 x 4"),
        line("hidden.bias", "auxiliary", "1 x 6"),
        line("norm.gamma", "auxiliary", "1 x 6"),
        line("norm.beta", "auxiliary", "1 x 6"),
        line("head.weight", "auxiliary", "2 x 6"),
        line("head.bias", "auxiliary", "1 x 2"),
    ];
    assert_eq!(plan(&descent), expected);
}

#[test]
fn a_group_says_what_is_left_to_the_auxiliary_rule() {
    let muon = || Muon::new().build().unwrap();
    let group =
        Group::new("every", Select::all(), muon()).auxiliary(ParamGroup::from_predicate("hidden"));
    let descent = Descent::builder(muon()).lr(0.02).group(group).build(&model()).unwrap();
    let muons: Vec<String> = plan(&descent)
        .into_iter()
        .filter(|(_, optimizer, _)| *optimizer == "muon")
        .map(|(path, ..)| path)
        .collect();
    assert_eq!(muons, ["embedding.weight", "conv.weight", "head.weight"]);
}

/// Two layers in f64, of which the first is hidden and the second the head.
#[derive(Module, Debug)]
struct Two {
    first: Linear,
    second: Linear,
}

fn two() -> Two {
    let param = |seed, shape: [usize; 2]| {
        let data = burn::tensor::TensorData::new(numbers(seed, shape[0] * shape[1]), shape);
        let tensor = Tensor::<2>::from_data(data, (&Device::default(), DType::F64));
        Param::from_tensor(tensor.autodiff().require_grad())
    };
    Two {
        first: Linear { weight: param(1, [4, 6]), bias: None },
        second: Linear { weight: param(2, [6, 3]), bias: None },
    }
}

impl Two {
    fn loss(&self, step: u64) -> Tensor<1> {
        let data = burn::tensor::TensorData::new(numbers(10 + step, 20), [5, 4]);
        let x = Tensor::<2>::from_data(data, (&Device::default(), DType::F64)).autodiff();
        let hidden = x.matmul(self.first.weight.val()).tanh();
        hidden.matmul(self.second.weight.val()).square().mean()
    }
}

/// Ten steps with gradients of autodiff, against plain loops over slices.
#[test]
fn ten_steps_are_those_of_plain_loops() {
    let muon = || Muon::new().auxiliary(Auxiliary::new().lr_ratio(0.1).weight_decay(0.01));
    let mut model = two();
    let mut descent = Descent::builder(muon().build().unwrap()).lr(0.02).build(&model).unwrap();
    let mut first = Walk::<_, f64>::of_shape(muon(), &[4, 6], true).unwrap();
    let mut second =
        Walk::<_, f64>::of_shape(muon(), &[6, 3], true).unwrap().left_to_auxiliary().unwrap();
    let [mut p, mut q] = [&model.first, &model.second].map(|layer| values(&layer.weight.val()));
    for step in 0..10 {
        let gradients = GradientsParams::from_grads(model.loss(step).backward(), &model);
        let gradient = |layer: &Linear| values(&gradients.get::<2>(layer.weight.id).unwrap());
        let (g, h) = (gradient(&model.first), gradient(&model.second));
        first.step(0.02, &mut p, &g).unwrap();
        second.step(0.02, &mut q, &h).unwrap();
        (model, _) = descent.step(model, gradients).unwrap();
        for (layer, expected) in [(&model.first, &p), (&model.second, &q)] {
            let found = values(&layer.weight.val());
            let far = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far < 1e-12, "step {step}: {far:e}");
        }
    }
}

/// A table of which half of the rows have no gradient, and a matrix whose gradient is all zero.
#[test]
fn no_gradient_is_no_step() {
    let model = model();
    let muon = Muon::new().weight_decay(0.0).build().unwrap();
    let mut descent = Descent::builder(muon).lr(0.02).build(&model).unwrap();
    let before = values(&model.hidden.weight.val());
    let indices = Tensor::<2, Int>::from_ints([[0, 1]], &Device::default().autodiff());
    let loss = model.embedding.forward(indices).sum() + model.hidden.weight.val().sum() * 0.0;
    let (model, _) = descent.step(model, loss.backward()).unwrap();
    assert_eq!(values(&model.hidden.weight.val()), before);
    assert!(values(&model.embedding.weight.val()).iter().all(|x| x.is_finite()));
}
