//! The life of a model: a convolution, batch normalisation, an embedding tied to the head, a frozen
//! part, integers and booleans; cloned, checkpointed, broken, rolled back, thawed and frozen between
//! steps. Held against the same life on plain vectors, with gradients of a model that is made anew
//! for each step.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use burn_descent::{AdamW, Build, Checkpoint, Descent, Ema, Fused, NotFinite};
use burn_descent_tests::{devices, numbers, values};
use std::collections::BTreeMap;

const LR: f64 = 0.01;
const DECAY: f64 = 0.1;
const BETAS: [f64; 2] = [0.9, 0.99];
const EMA: f64 = 0.8;
const EXAMPLES: usize = 6;

#[derive(Module, Debug)]
struct Net {
    conv: Conv2d,
    norm: BatchNorm,
    embedding: Embedding,
    /// The weights of the embedding.
    head: Param<Tensor<2>>,
    adapter: Linear,
    scale: Param<Tensor<1, Int>>,
    hidden: Param<Tensor<1, Bool>>,
}

impl Net {
    fn new(device: &Device) -> Self {
        let embedding = EmbeddingConfig::new(5, 4).init(device);
        let scale = Tensor::from_data([2], device);
        let hidden = Tensor::from_data([false, true, false, false, false], device);
        Self {
            // A bias before a normalisation has a gradient of 0, and rounding.
            conv: Conv2dConfig::new([1, 2], [3, 3]).with_bias(false).init(device),
            norm: BatchNormConfig::new(2).init(device),
            head: embedding.weight.clone(),
            embedding,
            adapter: LinearConfig::new(8, 4).init(device),
            scale: Param::initialized(ParamId::new(), scale),
            hidden: Param::initialized(ParamId::new(), hidden),
        }
    }

    fn loss(&self, batch: &Batch) -> Tensor<1> {
        let features = self.norm.forward(self.conv.forward(batch.images.clone())).tanh();
        let adapted = self.adapter.forward(features.reshape([EXAMPLES, 8]));
        let embedded = self.embedding.forward(batch.tokens.clone()).reshape([EXAMPLES, 4]);
        let outputs = (adapted + embedded).matmul(self.head.val().transpose());
        let hidden = self.hidden.val().unsqueeze::<2>().expand([EXAMPLES, 5]);
        let error = outputs.mask_fill(hidden, 0.0) - 0.3;
        error.square().mean() * self.scale.val().float().cast(batch.images.dtype())
    }
}

struct Batch {
    images: Tensor<4>,
    tokens: Tensor<2, Int>,
}

impl Batch {
    fn new(seed: u64, world: &World) -> Self {
        let images = TensorData::new(numbers(seed, EXAMPLES * 16), [EXAMPLES, 1, 4, 4]);
        let tokens: Vec<i64> = (0..EXAMPLES as u64).map(|i| ((seed + i * i) % 5) as i64).collect();
        Self {
            images: Tensor::from_data(images, (&world.device, world.dtype)),
            tokens: Tensor::from_data(TensorData::new(tokens, [EXAMPLES, 1]), &world.device),
        }
    }
}

/// Where a life takes place.
struct World {
    device: Device,
    dtype: DType,
    tolerance: f64,
}

/// All floats of a model by their paths.
type Floats = BTreeMap<String, Vec<f64>>;

/// Reads floats, or puts others in their places, as new leaves.
struct ByPath<'a> {
    path: Vec<String>,
    floats: Floats,
    world: &'a World,
}

impl ByPath<'_> {
    fn enter(&mut self, name: &str) {
        self.path.push(name.to_owned());
    }
}

impl ModuleVisitor for ByPath<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.enter(name);
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.floats.insert(self.path.join("."), values(&param.val()));
    }
}

impl ModuleMapper for ByPath<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.enter(name);
    }
    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let numbers = self.floats[&self.path.join(".")].clone();
        let data = TensorData::new(numbers, param.shape());
        let tensor = Tensor::from_data(data, (&self.world.device, self.world.dtype));
        Param::initialized(param.id, tensor.set_require_grad(param.is_require_grad()))
    }
}

/// The floats of a model as the latest forward left them.
fn floats(model: &Net, world: &World) -> Floats {
    let mut read = ByPath { path: Vec::new(), floats: Floats::new(), world };
    model.valid().visit(&mut read);
    read.floats
}

/// A model of these floats that shares nothing with any other.
fn net_of(floats: Floats, world: &World, tied: bool) -> Net {
    let mut net = Net::new(&world.device).map(&mut ByPath { path: Vec::new(), floats, world });
    net.head = match tied {
        true => net.embedding.weight.clone(),
        false => Param::initialized(ParamId::new(), net.head.val()),
    };
    net
}

/// What AdamW remembers of one parameter.
#[derive(Clone, Default)]
struct Memory {
    t: i32,
    m: Vec<f64>,
    v: Vec<f64>,
}

/// The life on plain vectors.
#[derive(Clone)]
struct Reference {
    floats: Floats,
    memory: BTreeMap<String, Memory>,
    /// The averages of all weights, those of frozen ones included, and how many each has seen.
    averages: Floats,
    seen: i32,
    frozen: Vec<&'static str>,
    scale: f64,
    /// Is the head the embedding?
    tied: bool,
}

impl Reference {
    fn step(&mut self, batch: &Batch, world: &World) {
        let net = net_of(self.floats.clone(), world, self.tied);
        let scale = self.scale;
        // The net that is made anew has the scale 2.
        let gradients = (net.loss(batch) * (scale / 2.0)).backward();
        for (path, numbers) in floats(&net, world) {
            if path.contains("running") {
                self.floats.insert(path, numbers);
            }
        }
        let of = |path: &str| match path {
            "conv.weight" => net.conv.weight.grad(&gradients).map(|g| values(&g)),
            "norm.gamma" => net.norm.gamma.grad(&gradients).map(|g| values(&g)),
            "norm.beta" => net.norm.beta.grad(&gradients).map(|g| values(&g)),
            "head" if !self.tied => net.head.grad(&gradients).map(|g| values(&g)),
            // The leaf of the head too, if they are tied.
            "embedding.weight" => net.embedding.weight.grad(&gradients).map(|g| values(&g)),
            "adapter.weight" => net.adapter.weight.grad(&gradients).map(|g| values(&g)),
            "adapter.bias" => net.adapter.bias.as_ref()?.grad(&gradients).map(|g| values(&g)),
            _ => None,
        };
        let paths: Vec<String> = self.floats.keys().cloned().collect();
        for path in paths {
            let is_frozen = self.frozen.iter().any(|part| path.starts_with(part));
            let Some(gradient) = of(&path).filter(|_| !is_frozen) else { continue };
            let weights = self.floats.get_mut(&path).expect("it is one of them");
            adamw(self.memory.entry(path).or_default(), weights, &gradient);
        }
        if self.tied {
            self.floats.insert("head".into(), self.floats["embedding.weight"].clone());
        }
        self.seen += 1;
        let share = (1.0 - EMA) / (1.0 - EMA.powi(self.seen));
        for (path, weights) in &self.floats {
            let average = self.averages.entry(path.clone()).or_insert_with(|| weights.clone());
            for (average, weight) in average.iter_mut().zip(weights) {
                *average += share * (weight - *average);
            }
        }
    }

    /// The averaged weights, with the statistics of those that train.
    fn evaluated(&self) -> Floats {
        let mut floats = self.averages.clone();
        for (path, numbers) in self.floats.iter().filter(|(path, _)| path.contains("running")) {
            floats.insert(path.clone(), numbers.clone());
        }
        floats
    }
}

fn adamw(memory: &mut Memory, weights: &mut [f64], gradient: &[f64]) {
    let [beta1, beta2] = BETAS;
    let Memory { t, m, v } = memory;
    *t += 1;
    m.resize(weights.len(), 0.0);
    v.resize(weights.len(), 0.0);
    for (i, (w, g)) in weights.iter_mut().zip(gradient).enumerate() {
        m[i] = beta1 * m[i] + (1.0 - beta1) * g;
        v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
        let (first, second) = (m[i] / (1.0 - beta1.powi(*t)), v[i] / (1.0 - beta2.powi(*t)));
        *w -= LR * (first / (second.sqrt() + 1e-8) + DECAY * *w);
    }
}

fn assert_alike(what: &str, found: &Floats, expected: &Floats, tolerance: f64) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, expected) in expected {
        for (a, b) in found[path].iter().zip(expected) {
            let alike = (a - b).abs() <= tolerance * b.abs().max(1.0) || (a.is_nan() && b.is_nan());
            assert!(alike, "{what}: `{path}` is {a}, by hand {b}");
        }
    }
}

/// A model, and its reference, at the beginning.
fn born(world: &World, tied: bool) -> (Net, Reference) {
    let mut floats = floats(&Net::new(&world.device), world);
    for ((path, of_path), seed) in floats.iter_mut().zip(100..) {
        if !path.contains("running") {
            *of_path = numbers(seed, of_path.len()).iter().map(|x| x * 0.5).collect();
        }
    }
    if tied {
        floats.insert("head".into(), floats["embedding.weight"].clone());
    }
    let mut model = net_of(floats.clone(), world, tied);
    model.adapter = model.adapter.no_grad();
    let reference = Reference {
        floats,
        memory: BTreeMap::new(),
        averages: Floats::new(),
        seen: 0,
        frozen: vec!["adapter"],
        scale: 2.0,
        tied,
    };
    (model, reference)
}

fn optimizer() -> Fused {
    let adamw = AdamW::new().beta1(BETAS[0]).beta2(BETAS[1]).weight_decay(DECAY);
    adamw.build().expect("they are allowed")
}

fn thaw(mut model: Net) -> Net {
    model.adapter.weight = model.adapter.weight.set_require_grad(true);
    model.adapter.bias = model.adapter.bias.map(|bias| bias.set_require_grad(true));
    model
}

fn live(world: &World) {
    let (mut model, mut reference) = born(world, true);
    let builder = Descent::builder(optimizer()).lr(LR);
    let builder = builder.average(Ema::new(EMA)).not_finite(NotFinite::Skip);
    let mut descent = builder.build(&model).expect("it fits");
    let mut kept: Option<(Checkpoint, Reference)> = None;
    for number in 0..12 {
        let mut held = None;
        match number {
            2 => held = Some((model.clone(), floats(&model, world))),
            4 => {
                let checkpoint = descent.checkpoint(&model).expect("it is of this model");
                kept = Some((checkpoint, reference.clone()));
            }
            6 => {
                // A broken batch: the step is skipped, but the forward has spoilt the statistics.
                let mut broken = Batch::new(99, world);
                broken.images = broken.images * f64::NAN;
                let gradients = model.loss(&broken).backward();
                let report;
                (model, report) = descent.step(model, gradients).expect("it is skipped");
                assert!(report.skipped && !report.stepped);
                assert!(floats(&model, world)["norm.running_mean"].iter().all(|x| x.is_nan()));
                let (checkpoint, then) = kept.take().expect("it was kept");
                model = checkpoint.restore(&mut descent, &model).expect("it fits");
                reference = then;
                assert_eq!(descent.steps(), 4);
            }
            7 => {
                model.scale = model.scale.map(|scale| scale + 1);
                reference.scale += 1.0;
            }
            8 => {
                model.adapter.weight = model.adapter.weight.set_require_grad(true);
                model.adapter.bias = model.adapter.bias.map(|bias| bias.set_require_grad(true));
                reference.frozen.clear();
            }
            10 => {
                model.norm.gamma = model.norm.gamma.no_grad();
                reference.frozen.push("norm.gamma");
            }
            _ => {}
        }
        let batch = Batch::new(number, world);
        let gradients = model.loss(&batch).backward();
        let report;
        (model, report) = descent.step(model, gradients).expect("a good step");
        reference.step(&batch, world);
        let what = format!("step {number} on {:?}", world.device);
        assert!(report.stepped, "{what}");
        assert_alike(&what, &floats(&model, world), &reference.floats, world.tolerance);
        let evaluated = floats(&descent.evaluate(&model), world);
        assert_alike(
            &format!("{what}, evaluated"),
            &evaluated,
            &reference.evaluated(),
            world.tolerance,
        );
        if let Some((clone, before)) = held {
            // Running statistics are shared by clones, in burn.
            let now = floats(&clone, world);
            for (path, before) in before.iter().filter(|(path, _)| !path.contains("running")) {
                assert_eq!(&now[path], before, "`{path}` of a clone has moved");
            }
        }
        let scale: Vec<i64> = model.scale.val().into_data().iter().collect();
        assert_eq!(scale, [reference.scale as i64]);
    }
}

/// Through burn's `ModuleOptimizer`, which knows no averages and steps a parameter in one place only.
fn live_with_burn(world: &World) {
    let (mut model, mut reference) = born(world, false);
    let mut optimizer = ModuleOptimizer::from(optimizer());
    for number in 0..8 {
        let mut held = None;
        match number {
            2 => held = Some((model.clone(), floats(&model, world))),
            4 => {
                model = thaw(model);
                reference.frozen.clear();
            }
            6 => {
                model.norm.gamma = model.norm.gamma.no_grad();
                reference.frozen.push("norm.gamma");
            }
            _ => {}
        }
        let batch = Batch::new(number, world);
        let gradients = GradientsParams::from_grads(model.loss(&batch).backward(), &model);
        model = optimizer.step(LR, model, gradients);
        reference.step(&batch, world);
        let what = format!("step {number} through burn on {:?}", world.device);
        assert_alike(&what, &floats(&model, world), &reference.floats, world.tolerance);
        if let Some((clone, before)) = held {
            let now = floats(&clone, world);
            for (path, before) in before.iter().filter(|(path, _)| !path.contains("running")) {
                assert_eq!(&now[path], before, "`{path}` of a clone has moved");
            }
        }
    }
}

#[test]
fn a_life_is_what_it_is_by_hand() {
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        let (dtype, tolerance) = match device.supports_dtype(DType::F64) && entry.on_cpu {
            true => (DType::F64, 1e-9),
            false => (DType::F32, 1e-4),
        };
        let world = World { device: device.autodiff(), dtype, tolerance };
        live(&world);
        live_with_burn(&world);
    }
}
