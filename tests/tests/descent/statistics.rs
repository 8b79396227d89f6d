//! Running statistics: put back after a step that was skipped, and taken anew for averages.

use crate::floats;
use burn::module::{Module, Param, ParamId, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use burn_descent::{Build, Descent, Ema, Fused, NotFinite, RetakeError, Sgd, Statistics, Swa};
use burn_descent_tests::{bits, devices, values};

#[derive(Module, Debug)]
struct Layer {
    linear: Linear,
    norm: BatchNorm,
}

impl Layer {
    fn new(sizes: [usize; 2], momentum: f64, device: &Device) -> Self {
        let norm = BatchNormConfig::new(sizes[1]).with_momentum(momentum).init(device);
        Self { linear: LinearConfig::new(sizes[0], sizes[1]).init(device), norm }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.forward(self.linear.forward(x))
    }
}

/// Norms of several momenta, nested, one that is frozen and one that no forward reaches.
#[derive(Module, Debug)]
struct Net {
    layers: Vec<Layer>,
    frozen: BatchNorm,
    unused: BatchNorm,
    counted: RunningState<Tensor<1>>,
}

impl Net {
    fn new(device: &Device) -> Self {
        let norm = |size| BatchNormConfig::new(size).init(device);
        Self {
            layers: vec![
                Layer::new([3, 4], 0.1, device),
                Layer::new([4, 5], 0.01, device),
                Layer::new([5, 4], 1.0, device),
                Layer::new([4, 4], 0.0, device),
            ],
            frozen: norm(4).freeze(),
            unused: norm(2),
            counted: RunningState::new(Tensor::zeros([1], device)),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.counted.update(self.counted.value_sync() + 1.0);
        let x = self.layers.iter().fold(x, |x, layer| layer.forward(x).tanh());
        self.frozen.forward(x)
    }

    fn norms(&self) -> impl Iterator<Item = &BatchNorm> {
        self.layers.iter().map(|layer| &layer.norm).chain([&self.frozen, &self.unused])
    }

    fn statistics(&self) -> Vec<Vec<u8>> {
        let both =
            |norm: &BatchNorm| [&norm.running_mean, &norm.running_var].map(|s| s.value_sync());
        let mut all: Vec<_> = self.norms().flat_map(both).map(|tensor| bits(&tensor)).collect();
        all.push(bits(&self.counted.value_sync()));
        all
    }
}

fn batch(seed: u64, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(floats(seed, 24), [8, 3]), device) * 2.0 + 1.0
}

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}

fn for_each_device(test: fn(&Device)) {
    for entry in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        if let Ok(device) = entry.device {
            test(&device.autodiff());
        }
    }
}

fn walked(builder: burn_descent::Builder, steps: u64, device: &Device) -> (Net, Descent) {
    let mut net = Net::new(device);
    let mut descent = builder.lr(0.3).build(&net).expect("it fits");
    for step in 0..steps {
        let gradients = (net.forward(batch(step, device)) - 0.3).square().mean().backward();
        (net, _) = descent.step(net, gradients).expect("a good step");
    }
    (net, descent)
}

#[test]
fn a_skipped_step_leaves_the_statistics_as_they_were() {
    for_each_device(|device| {
        let builder = || Descent::builder(sgd()).not_finite(NotFinite::Skip);
        let (net, mut descent) = walked(builder(), 3, device);
        let before = net.statistics();
        let held = net.clone();
        let statistics = Statistics::of(&net);
        let gradients = net.forward(batch(9, device) * f32::NAN).sum().backward();
        let (net, report) = descent.step(net, gradients).expect("it is skipped");
        assert!(report.skipped);
        let broken = net.statistics();
        assert!(broken != before, "a forward is before every policy");
        let weights = bits(&net.layers[0].linear.weight.val());
        let net = statistics.put_back(net);
        assert_eq!(net.statistics(), before);
        assert_eq!(bits(&net.layers[0].linear.weight.val()), weights);
        assert!(!net.frozen.training.is_enabled() && net.unused.training.is_enabled());
        assert!(net.unused.gamma.is_require_grad() && !net.frozen.gamma.is_require_grad());
        // What its clones have is left as it is.
        assert_eq!(held.statistics(), broken);
        // Nothing of the bad batch comes back with the next forward.
        let mut net = net;
        let gradients = net.forward(batch(4, device)).sum().backward();
        (net, _) = descent.step(net, gradients).expect("a good step");
        assert!(
            net.norms()
                .all(|norm| values(&norm.running_mean.value_sync()).iter().all(|x| x.is_finite()))
        );
    });
}

/// The mean of each batch's own statistics, by hand.
fn expected(net: &Net, batches: &[Tensor<2>]) -> Vec<[Vec<f64>; 2]> {
    let mut sums: Vec<[Vec<f64>; 2]> = Vec::new();
    for batch in batches {
        let mut x = batch.clone().inner();
        for (number, layer) in net.layers.iter().enumerate() {
            let into = layer.linear.forward(x);
            let mean = into.clone().mean_dim(0);
            let square = (into.clone() - mean.clone()).square();
            let variance = square.mean_dim(0);
            let norm = &layer.norm;
            x = ((into - mean.clone()) / (variance.clone() + norm.epsilon).sqrt()
                * norm.gamma.val().unsqueeze()
                + norm.beta.val().unsqueeze())
            .tanh();
            if sums.len() == number {
                sums.push([vec![0.0; mean.dims()[1]], vec![0.0; mean.dims()[1]]]);
            }
            for (sum, of_batch) in sums[number].iter_mut().zip([mean, variance]) {
                for (sum, x) in sum.iter_mut().zip(values(&of_batch)) {
                    *sum += x / batches.len() as f64;
                }
            }
        }
    }
    sums
}

#[test]
fn statistics_taken_anew_are_the_means_over_the_batches() {
    for_each_device(|device| {
        let averages: [burn_descent::Average; 2] = [Swa::polyak(2).into(), Ema::new(0.9).into()];
        for average in averages {
            let (net, descent) = walked(Descent::builder(sgd()).average(average), 6, device);
            let before = net.statistics();
            let batches: Vec<_> = (20..25).map(|seed| batch(seed, device)).collect();
            let mut forwards = 0;
            let evaluated = descent
                .evaluate_with(&net, &batches, |net: &Net, x| {
                    forwards += 1;
                    net.forward((*x).clone())
                })
                .expect("good batches");
            assert_eq!(forwards, batches.len() + 1);
            assert_eq!(net.statistics(), before, "the model that trains has changed");
            let plain = descent.evaluate(&net);
            assert_eq!(
                bits(&evaluated.layers[1].linear.weight.val()),
                bits(&plain.layers[1].linear.weight.val())
            );
            assert!(!evaluated.unused.training.is_enabled(), "it is in burn's `valid` form");
            let expected = expected(&plain, &batches);
            for (layer, expected) in evaluated.layers.iter().zip(&expected).take(3) {
                let found =
                    [&layer.norm.running_mean, &layer.norm.running_var].map(|s| values(&s.value()));
                for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                    assert!(
                        (found - expected).abs() < 2e-5 * expected.abs().max(1.0),
                        "{found}, {expected}"
                    );
                }
            }
            // A momentum of 0, a frozen norm, one that is not run, what is no norm: their own.
            let (found, own) = (evaluated.statistics(), plain.statistics());
            assert_eq!(found[6..], own[6..]);
            assert!(found[..6].iter().zip(&own).all(|(found, own)| found != own));
        }
    });
}

/// With the statistics of one batch, evaluating that batch is what training sees of it.
#[test]
fn averages_are_evaluated_by_statistics_of_their_own() {
    for_each_device(|device| {
        let layers = || [0.1, 0.5].map(|momentum| Layer::new([3, 3], momentum, device)).to_vec();
        let forward =
            |net: &Vec<Layer>, x: Tensor<2>| net.iter().fold(x, |x, layer| layer.forward(x).tanh());
        let mut net = layers();
        let builder = Descent::builder(sgd()).average(Swa::polyak(1)).lr(0.5);
        let mut descent = builder.build(&net).expect("it fits");
        for step in 0..8 {
            let gradients = (forward(&net, batch(step, device)) - 0.3).square().mean().backward();
            (net, _) = descent.step(net, gradients).expect("a good step");
        }
        let x = batch(50, device);
        let plain = descent.evaluate(&net);
        let trained = values(&forward(&plain.clone().train(), x.clone()));
        let anew = descent.evaluate_with(&net, [x.clone()], |net, x| forward(net, x.clone()));
        let far = |evaluated: &Vec<Layer>| {
            let evaluated = values(&forward(evaluated, x.clone().inner()));
            let differences = evaluated.iter().zip(&trained).map(|(a, b)| (a - b).abs());
            differences.fold(0.0, f64::max)
        };
        let (plain, anew) = (far(&plain), far(&anew.expect("a good batch")));
        assert!(anew < 1e-5 && plain > 1e-2, "{anew} and {plain}");
    });
}

#[test]
fn what_cannot_be_taken_anew_is_refused() {
    let device = &Device::default().autodiff();
    let (net, descent) = walked(Descent::builder(sgd()).average(Ema::new(0.9)), 2, device);
    let with = |batches: Vec<Tensor<2>>| {
        let evaluated =
            descent.evaluate_with(&net, &batches, |net: &Net, x| net.forward((*x).clone()));
        evaluated.map(|_| ()).expect_err("it cannot be")
    };
    assert_eq!(with(vec![]), RetakeError::NoBatches);
    let statistic = "layers.0.norm.running_mean".to_owned();
    let broken = batch(1, device) * f32::NAN;
    assert_eq!(with(vec![broken]), RetakeError::NotFinite { statistic: statistic.clone() });
    let evaluated = descent.evaluate_with(&net, [batch(1, device)], |_, _| ());
    assert_eq!(evaluated.map(|_| ()), Err(RetakeError::Unchanged { statistic }));
    // Where nothing is to be taken, no batch is asked for.
    let linear: Linear = LinearConfig::new(3, 2).init(device);
    let descent = Descent::builder(sgd()).lr(0.1).build(&linear).expect("it fits");
    let none: [Tensor<2>; 0] = [];
    let evaluated = descent.evaluate_with(&linear, none, |net: &Linear, x| net.forward(x.clone()));
    assert!(evaluated.is_ok());
}

#[test]
fn the_plan_tells_buffers_from_parameters() {
    let device = &Device::default().autodiff();
    let mut net = Net::new(device);
    net.layers[0].linear.bias = net.layers[0].linear.bias.take().map(Param::no_grad);
    let descent = Descent::builder(sgd()).lr(0.1).build(&net).expect("it fits");
    let lines = &descent.plan().lines;
    let buffers: Vec<&str> =
        lines.iter().filter(|line| line.buffer).map(|line| line.path.as_str()).collect();
    assert_eq!(buffers.len(), 2 * 6 + 1);
    let are = |path: &&str| path.ends_with("mean") || path.ends_with("var") || *path == "counted";
    assert!(buffers.iter().all(are), "{buffers:?}");
    let bias = lines.iter().find(|line| line.path == "layers.0.linear.bias").expect("it is there");
    assert!(bias.frozen && !bias.buffer && bias.optimizer == "sgd");
    let plan = descent.plan().to_string();
    let parameters = 4 * 4 + 4;
    assert!(plan.contains(&format!("{parameters} parameters, 13 buffers; bytes")), "{plan}");
    let row = plan.lines().find(|line| line.contains("counted")).expect("it is there");
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["counted", "[1]", "-", "-", "-", "buffer"]
    );
    // A parameter in several places is none.
    let shared = Param::initialized(ParamId::new(), Tensor::<1>::zeros([2], device).require_grad());
    let tied = vec![shared.clone(), shared];
    let descent = Descent::builder(sgd()).lr(0.1).build(&tied).expect("it fits");
    assert!(descent.plan().lines.iter().all(|line| !line.buffer));
}
