//! Attention is clipped as another library does it, or not at all.

use burn::module::{Module, Param, ParamGroup};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::rules::optimizers::{Momentum, Scale};
use burn_descent::{AdamW, Attention, Build, Descent, Group, Muon, QkClip, QkClipError, Select};
use burn_descent_golden::{Case, F64_TOLERANCE, OptimizerFile};
use burn_descent_tests::values;
use std::path::Path;

/// The tensors of a case, as far as they are the two matrices and the vector behind each.
#[derive(Module, Debug)]
struct Net {
    embedding: Param<Tensor<2>>,
    linear1: Param<Tensor<2>>,
    bias1: Param<Tensor<1>>,
    linear2: Param<Tensor<2>>,
    bias2: Param<Tensor<1>>,
}

fn tensor<const D: usize>(numbers: &[f64], shape: &[usize]) -> Tensor<D> {
    let data = TensorData::new(numbers.to_vec(), shape);
    Tensor::from_data(data, (&Device::default(), DType::F64))
}

impl Net {
    fn new(case: &Case) -> Self {
        fn param<const D: usize>(case: &Case, number: usize) -> Param<Tensor<D>> {
            let tensor = tensor(&case.init[number], &case.shapes[number]);
            Param::from_tensor(tensor.autodiff().require_grad())
        }
        Self {
            embedding: param(case, 0),
            linear1: param(case, 1),
            bias1: param(case, 2),
            linear2: param(case, 3),
            bias2: param(case, 4),
        }
    }

    fn gradients(&self, case: &Case, step: usize) -> GradientsParams {
        let grads = &case.grads.as_ref().expect("gradients of the problem")[step];
        let mut all = GradientsParams::new();
        let numbers = |number: usize| (&grads[number][..], &case.shapes[number][..]);
        for (number, param) in [(0, &self.embedding), (1, &self.linear1), (3, &self.linear2)] {
            let (grad, shape) = numbers(number);
            all.register(param.id, tensor::<2>(grad, shape));
        }
        for (number, param) in [(2, &self.bias1), (4, &self.bias2)] {
            let (grad, shape) = numbers(number);
            all.register(param.id, tensor::<1>(grad, shape));
        }
        all
    }

    fn values(&self) -> [Vec<f64>; 5] {
        [
            values(&self.embedding.val()),
            values(&self.linear1.val()),
            values(&self.bias1.val()),
            values(&self.linear2.val()),
            values(&self.bias2.val()),
        ]
    }
}

fn number(case: &Case, key: &str) -> f64 {
    case.hyper(key).and_then(|value| value.as_f64()).expect("a number")
}

/// MuonClip is Muon in Moonlight's form, and this clip.
#[test]
fn muon_clip_goes_where_that_of_pytorch_optimizer_goes() {
    let file = "fixtures/pytorch_optimizer__muonclip_patched_matrix.json.gz";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let file = OptimizerFile::read(&file).expect("a trajectory file");
    let mut compared = 0;
    for case in &file.cases {
        let muon = Muon::new()
            .momentum(number(case, "momentum"))
            .nesterov(false)
            .form(Momentum::Average)
            .scale(Scale::MatchRms)
            .weight_decay(number(case, "weight_decay"));
        // The group of vectors, as the library has it by default.
        let adamw = AdamW::new().beta2(0.95).eps(1e-10).weight_decay(0.0).build().unwrap();
        let vectors = Group::new("vectors", Select::rank(1), adamw).lr(3e-4);
        let mut net = Net::new(case);
        let mut descent = Descent::builder(muon.build().unwrap())
            .lr(number(case, "lr"))
            .group(vectors)
            .build(&net)
            .unwrap();
        let clip = QkClip::new()
            .threshold(number(case, "qk_clip_threshold"))
            .alpha(number(case, "qk_clip_alpha"));
        let of = |name: &str| ParamGroup::from_predicate(name);
        let is_rotary = case.hyper("auxiliary.qk_clip").is_some_and(|part| part == "query_rotary");
        let logits = case.attention_max_logits.as_ref().expect("logits");
        for (step, logits) in logits.iter().enumerate() {
            let gradients = net.gradients(case, step);
            (net, _) = descent.step(net, gradients).unwrap();
            let attention = Attention::new(logits.clone());
            let attention = match is_rotary {
                true => attention.key(of("linear1")).rotary_query(of("linear2")),
                false => attention.query(of("linear1")).key(of("linear2")),
            };
            net = clip.clip(&net, &[attention]).unwrap();
            let Some(place) = case.record.iter().position(|of| *of == step + 1) else { continue };
            for (found, expected) in net.values().iter().zip(&case.params[place]) {
                let scale = expected.iter().fold(1e-3, |most: f64, x| most.max(x.abs()));
                for (found, expected) in found.iter().zip(expected) {
                    let error = (found - expected).abs() / scale;
                    assert!(error <= F64_TOLERANCE, "{} step {step}: {found} {expected}", case.id);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 3000, "{compared}");
}

/// One layer whose key is its query.
#[derive(Module, Debug)]
struct Tied {
    query: Linear,
    key: Linear,
}

impl Tied {
    fn new() -> Self {
        let query: Linear = LinearConfig::new(3, 4).init(&Device::default().autodiff());
        Self { key: query.clone(), query }
    }

    fn attention(logits: &[f64]) -> Attention {
        let of = |name: &str| ParamGroup::from_predicate(name);
        Attention::new(logits).query(of("query")).key(of("key"))
    }

    fn numbers(&self) -> Vec<f64> {
        [values(&self.query.weight.val()), values(&self.query.bias.as_ref().unwrap().val())]
            .concat()
    }
}

#[test]
fn tied_weights_are_scaled_once_for_each_part_and_stay_tied() {
    let model = Tied::new();
    let before = model.numbers();
    let clipped = QkClip::new().clip(&model, &[Tied::attention(&[50.0, 400.0])]).unwrap();
    // Outputs are the columns of burn's `Linear`, and the second head has the last two of four: a query takes a half
    // of the factor 1/4, a key the other.
    for (place, (new, old)) in clipped.numbers().iter().zip(&before).enumerate() {
        let expected = if place % 4 < 2 { *old } else { old / 4.0 };
        assert!((new - expected).abs() < 1e-7, "{place}: {new} {expected}");
    }
    assert_eq!(values(&clipped.query.weight.val()), values(&clipped.key.weight.val()));
    assert!(clipped.query.weight.val().is_require_grad());
    assert_eq!(model.numbers(), before);
}

#[test]
fn below_the_threshold_and_frozen_nothing_changes() {
    let model = Tied::new();
    let before = model.numbers();
    let same = QkClip::new().clip(&model, &[Tied::attention(&[100.0, -3e30])]).unwrap();
    assert_eq!(same.numbers(), before);
    let frozen = model.no_grad();
    let same = QkClip::new().clip(&frozen, &[Tied::attention(&[1e3, 1e3])]).unwrap();
    assert_eq!(same.numbers(), before);
}

#[test]
fn what_cannot_be_clipped_is_refused_by_name() {
    let model = Tied::new();
    let refused = |clip: QkClip, attention| clip.clip(&model, &[attention]).unwrap_err();
    let text = |error: QkClipError| error.to_string();
    let nan = text(refused(QkClip::new(), Tied::attention(&[1.0, f64::NAN])));
    assert!(nan.contains("head 1 is NaN"), "{nan}");
    let heads = text(refused(QkClip::new(), Tied::attention(&[1.0, 2.0, 3.0])));
    assert!(heads.contains("has 4 outputs, which 3 heads"), "{heads}");
    let none = text(refused(QkClip::new(), Tied::attention(&[])));
    assert!(none.contains("0 heads"), "{none}");
    let value = Attention::new([1.0]).rotary_query(ParamGroup::from_predicate("value"));
    let value = text(refused(QkClip::new(), value));
    assert!(value.contains("no such rotary query") && value.contains("query.weight"), "{value}");
    let option = text(refused(QkClip::new().threshold(0.0), Tied::attention(&[1.0, 1.0])));
    assert!(option.contains("threshold"), "{option}");
}
