//! Sophia, beside optax's runs and arithmetic by hand.

use super::{each_device, tensor};
use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, activation::log_softmax};
use burn_descent::{Checkpoint, Descent, DescentError, Sophia, sample_labels};
use burn_descent_tests::{numbers, values};
use flate2::read::GzDecoder;
use std::fs::File;
use std::path::Path;

#[derive(Module, Debug)]
struct Point {
    w: Param<Tensor<1>>,
}

/// The Hessian of a parabola along the axes is `λ`, and that is what `√λ` squared says of it.
#[test]
fn it_is_that_of_optax_where_the_curvature_is_known() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/optax__sophia.json.gz");
    let file = GzDecoder::new(File::open(file).expect("a file"));
    let json: serde_json::Value = serde_json::from_reader(file).expect("JSON");
    let list = |json: &serde_json::Value| -> Vec<f64> {
        json[0].as_array().expect("a list").iter().filter_map(serde_json::Value::as_f64).collect()
    };
    let cases = json["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 2);
    each_device(|device, dtype| {
        for case in cases {
            let number = |name: &str| case["hyper"][name].as_f64().expect("a number");
            let sophia = Sophia::new()
                .beta1(number("b1"))
                .beta2(number("b2"))
                .gamma(number("gamma"))
                .eps(number("eps"))
                .weight_decay(number("weight_decay"))
                .every(number("update_interval") as u64)
                .bias_correction(true)
                .late(true);
            let start = tensor(&list(&case["init"]), [2], dtype, device).autodiff();
            let mut point = Point { w: Param::from_tensor(start.require_grad()) };
            let builder = Descent::search(sophia).lr(number("learning_rate"));
            let mut descent = builder.build(&point).expect("it fits");
            let curvature = || Tensor::from_inner(tensor(&[1.0, 25.0], [2], dtype, device));
            for expected in case["params"].as_array().expect("a list") {
                let loss = |p: &Point| (p.w.val().square() * curvature()).sum().mul_scalar(0.5);
                let sampled = |p: &Point| (p.w.val() * curvature().sqrt()).sum();
                point = descent.step_with_sampled(point, loss, sampled, 1).expect("a good step").0;
                let close = if dtype == DType::F64 { 1e-9 } else { 1e-5 };
                for (x, expected) in values(&point.w.val()).iter().zip(list(expected)) {
                    assert!((x - expected).abs() < close, "{x} {expected}");
                }
            }
        }
    });
}

const ROWS: usize = 6;
const INPUTS: usize = 4;
const CLASSES: usize = 3;

#[derive(Module, Debug)]
struct Softmax {
    w: Param<Tensor<2>>,
}

/// The precision in which the device knows what `exp` is: on wgpu that of f64 is no number that means anything, as of burn
/// 0.22.1.
fn with_exp(device: &Device, dtype: DType) -> DType {
    let e = values(&tensor(&[1.0], [1], dtype, device).exp())[0];
    if (e - 1_f64.exp()).abs() < 1e-6 { dtype } else { DType::F32 }
}

fn softmax(device: &Device, dtype: DType) -> Softmax {
    let w = tensor(&numbers(3, INPUTS * CLASSES), [INPUTS, CLASSES], dtype, device).autodiff();
    Softmax { w: Param::from_tensor(w.require_grad()) }
}

/// The labels of a step, which are given, and those that stand for drawn ones.
fn labels(step: u64) -> [Vec<usize>; 2] {
    let of = |seed: u64| (0..ROWS as u64).map(move |row| ((seed * 7 + row * 5) % 3) as usize);
    [of(step).collect(), of(step + 1).map(|label| (label + 1) % 3).collect()]
}

fn inputs(step: u64) -> Vec<f64> {
    numbers(100 + step, ROWS * INPUTS)
}

fn cross_entropy(model: &Softmax, x: &[f64], labels: &[usize]) -> Tensor<1> {
    let w = model.w.val();
    let device = w.device().without_autodiff();
    let constant = |numbers: &[f64], shape| {
        Tensor::<2>::from_inner(tensor(numbers, shape, w.dtype(), &device))
    };
    let hot: Vec<f64> = labels
        .iter()
        .flat_map(|label| (0..CLASSES).map(move |class| f64::from(u8::from(class == *label))))
        .collect();
    let (x, hot) = (constant(x, [ROWS, INPUTS]), constant(&hot, [ROWS, CLASSES]));
    (log_softmax(x.matmul(w), 1) * hot).sum().neg().div_scalar(ROWS as f64)
}

/// `Xᵀ (softmax(X W) − Y) / rows`
fn gradient(w: &[f64], x: &[f64], labels: &[usize]) -> Vec<f64> {
    let mut g = vec![0.0; INPUTS * CLASSES];
    for (row, label) in x.chunks(INPUTS).zip(labels) {
        let logit = |class: usize| -> f64 {
            (0..INPUTS).map(|input| row[input] * w[input * CLASSES + class]).sum()
        };
        let powers: Vec<f64> = (0..CLASSES).map(|class| logit(class).exp()).collect();
        let all: f64 = powers.iter().sum();
        for (class, power) in powers.iter().enumerate() {
            let error = power / all - f64::from(u8::from(class == *label));
            for input in 0..INPUTS {
                g[input * CLASSES + class] += row[input] * error / ROWS as f64;
            }
        }
    }
    g
}

fn walked(descent: &mut Descent, mut model: Softmax, steps: core::ops::Range<u64>) -> Softmax {
    for step in steps {
        let (x, [given, drawn]) = (inputs(step), labels(step));
        let loss = |model: &Softmax| cross_entropy(model, &x, &given);
        let sampled = |model: &Softmax| cross_entropy(model, &x, &drawn);
        let stepped = descent.step_with_sampled(model, loss, sampled, ROWS as u64);
        let (stepped, report, _) = stepped.expect("a good step");
        assert_eq!(report.evaluations, Some(if step.is_multiple_of(4) { 2 } else { 1 }));
        model = stepped;
    }
    model
}

const LR: f64 = 0.02;

fn sophia() -> Sophia {
    Sophia::new().every(4).beta1(0.9).beta2(0.8)
}

#[test]
fn a_life_is_that_by_hand_and_may_be_interrupted() {
    each_device(|device, dtype| {
        let dtype = with_exp(device, dtype);
        let start = softmax(device, dtype);
        let build = || Descent::search(sophia()).lr(LR).build(&start).expect("it fits");
        let mut descent = build();
        let half = walked(&mut descent, start.clone(), 0..6);
        let bytes = descent.checkpoint(&half).expect("of this model").into_bytes().expect("bytes");
        let end = values(&walked(&mut descent, half, 6..15).w.val());

        let mut again = build();
        let read = Checkpoint::from_bytes(bytes).expect("it can be read");
        let resumed = read.restore(&mut again, &start).expect("it fits");
        assert_eq!(values(&walked(&mut again, resumed, 6..15).w.val()), end);

        let (mut w, n) = (values(&start.w.val()), INPUTS * CLASSES);
        let (mut m, mut h) = (vec![0.0; n], vec![0.0; n]);
        for step in 0..15 {
            let (x, [given, drawn]) = (inputs(step), labels(step));
            if step % 4 == 0 {
                let g = gradient(&w, &x, &drawn);
                h.iter_mut().zip(g).for_each(|(h, g)| *h = 0.8 * *h + 0.2 * ROWS as f64 * g * g);
            }
            let g = gradient(&w, &x, &given);
            for i in 0..n {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                let u = (m[i] / (0.05 * h[i]).max(1e-12)).clamp(-1.0, 1.0);
                w[i] = (1.0 - LR * 0.1) * w[i] - LR * u;
            }
        }
        let close = if dtype == DType::F64 { 1e-9 } else { 1e-4 };
        for (x, expected) in end.iter().zip(&w) {
            assert!((x - expected).abs() < close, "{x} {expected}");
        }
        assert!(end.iter().zip(values(&start.w.val())).any(|(x, from)| (x - from).abs() > 0.01));
    });
}

#[test]
fn a_step_without_drawn_labels_is_refused_where_it_needs_them() {
    each_device(|device, dtype| {
        let dtype = with_exp(device, dtype);
        let start = softmax(device, dtype);
        let before = values(&start.w.val());
        let mut descent = Descent::search(sophia()).lr(LR).build(&start).expect("it fits");
        let (x, [given, _]) = (inputs(0), labels(0));
        let loss = |model: &Softmax| cross_entropy(model, &x, &given);
        let refused = descent.step_with(start, loss).expect_err("it needs a second loss");
        assert!(matches!(refused.error, DescentError::NeedsSampledLoss { search: "sophia" }));
        assert!(refused.error.to_string().contains("step_with_sampled"));
        assert_eq!(values(&refused.model.w.val()), before);

        // A drawn loss that is no number leaves all as it was, too.
        let broken = |model: &Softmax| model.w.val().sum() * f32::NAN;
        let refused = descent.step_with_sampled(refused.model, loss, broken, 6);
        let refused = refused.expect_err("its gradient is not finite");
        assert!(matches!(refused.error, DescentError::NotFinite { .. }), "{}", refused.error);
        assert_eq!(values(&refused.model.w.val()), before);

        let model = walked(&mut descent, refused.model, 0..1);
        descent.step_with(model, loss).expect("the second step needs none");
    });
}

/// A parameter that was frozen when the curvature was last estimated has none, and goes as far as a step may.
#[test]
fn a_parameter_that_is_thawed_moves_before_the_next_estimate() {
    each_device(|device, dtype| {
        let at = || tensor(&[2.0, -3.0], [2], dtype, device).autodiff();
        let two = Two { a: Param::from_tensor(at().require_grad()), b: Param::from_tensor(at()) };
        let mut two = Two { b: two.b.no_grad(), ..two };
        let sophia = Sophia::new().weight_decay(0.0);
        let mut descent = Descent::search(sophia).lr(0.5).build(&two).expect("it fits");
        let loss = |two: &Two| (two.a.val().square() + two.b.val().square()).sum();
        two = descent.step_with_sampled(two, loss, loss, 1).expect("a good step").0;
        assert_eq!(values(&two.b.val()), [2.0, -3.0]);
        two.b = two.b.set_require_grad(true);
        two = descent.step_with(two, loss).expect("no estimate is due").0;
        assert_eq!(values(&two.b.val()), [1.5, -2.5]);
    });
}

#[derive(Module, Debug)]
struct Two {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

#[test]
fn labels_are_drawn_as_often_as_the_model_says() {
    const DRAWN: usize = 30_000;
    let device = Device::flex();
    device.seed(5);
    let logits = Tensor::<2>::from_floats([[0.0, 1.0, -1.0]], &device).expand([DRAWN, 3]);
    let mut counts = [0.0; 3];
    for label in sample_labels(logits.autodiff()).into_data().iter::<i64>() {
        counts[label as usize] += 1.0 / DRAWN as f64;
    }
    let powers = [1.0, 1_f64.exp(), (-1_f64).exp()];
    for (share, power) in counts.iter().zip(powers) {
        let expected = power / powers.iter().sum::<f64>();
        // Five deviations of a mean of so many.
        let deviation = (expected * (1.0 - expected) / DRAWN as f64).sqrt();
        assert!((share - expected).abs() < 5.0 * deviation, "{share} {expected}");
    }
}
