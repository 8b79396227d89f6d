//! Times one AdamW step, each way to take it, in turns, in one run.

use burn::module::{Module, Param, ParamId};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor};
use burn_descent::{AdamW, Build, Descent, Fused, FusedState};
use burn_descent_tests::devices;
use clap::Parser;
use std::time::{Duration, Instant};

/// Time one AdamW step, each way to take it, in turns, in one run.
///
/// `passes` steps tensor by tensor with nothing around; `module` is burn's ModuleOptimizer with
/// burn-descent's AdamW; `descent` is Descent, and `clip` is Descent with clipping by the norm of
/// all gradients. Prints a Markdown table: the median of burn-optim's AdamW, then that of each,
/// with how many times faster it is than burn-optim's, and what Descent takes more than the passes.
/// Gradients are made before the clock starts and freed while it runs, as in training.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Only these devices.
    #[arg(long, value_delimiter = ',')]
    device: Vec<String>,
    /// Steps of each, after three to warm up.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Threads; by default all cores.
    #[arg(long)]
    threads: Option<usize>,
}

/// Parameters of these lengths.
struct List {
    name: &'static str,
    lengths: Vec<usize>,
}

fn lists() -> Vec<List> {
    // ResNet-50: 25.6 M parameters in 161 tensors, most of them short.
    let mut resnet = vec![64; 106];
    resnet.extend(vec![465_000; 55]);
    vec![
        List { name: "6 tensors, 49 K: an MLP", lengths: vec![32768, 128, 16384, 128, 1280, 10] },
        List { name: "161 tensors, 25.6 M: like ResNet-50", lengths: resnet },
        List { name: "1 tensor, 10 M", lengths: vec![10_000_000] },
    ]
}

#[derive(Module, Debug)]
struct Model {
    tensors: Vec<Param<Tensor<1>>>,
}

impl Model {
    fn new(list: &List, device: &Device) -> Self {
        let param = |len: &usize| {
            let ones = Tensor::ones([*len], (device, DType::F32));
            Param::from_tensor(ones.autodiff().require_grad())
        };
        Self { tensors: list.lengths.iter().map(param).collect() }
    }
}

/// A way to take a step down fresh gradients, one a tensor.
trait Way {
    fn step(&mut self, gradients: Vec<Tensor<1>>);
}

/// Tensor by tensor.
struct Passes {
    optimizer: Fused,
    tensors: Vec<(Tensor<1>, Option<FusedState<1>>)>,
}

impl Way for Passes {
    fn step(&mut self, gradients: Vec<Tensor<1>>) {
        let tensors = core::mem::take(&mut self.tensors).into_iter().zip(gradients);
        let step = |((tensor, state), gradient)| {
            let stepped = self.optimizer.try_step(LR, tensor, gradient, state);
            let (tensor, state) = stepped.expect("a good step");
            (tensor, Some(state))
        };
        self.tensors = tensors.map(step).collect();
    }
}

/// A model and what steps it.
struct Walk<F> {
    model: Option<Model>,
    ids: Vec<ParamId>,
    step: F,
}

impl<F: FnMut(Model, GradientsParams) -> Model> Walk<F> {
    fn new(list: &List, device: &Device, step: F) -> Self {
        Self::of(Model::new(list, device), step)
    }

    fn of(model: Model, step: F) -> Self {
        let ids = model.tensors.iter().map(|param| param.id).collect();
        Self { model: Some(model), ids, step }
    }
}

impl<F: FnMut(Model, GradientsParams) -> Model> Way for Walk<F> {
    fn step(&mut self, gradients: Vec<Tensor<1>>) {
        let Some(model) = self.model.take() else { return };
        let mut by_parameter = GradientsParams::new();
        for (id, gradient) in self.ids.iter().zip(gradients) {
            by_parameter.register(*id, gradient);
        }
        self.model = Some((self.step)(model, by_parameter));
    }
}

const LR: f64 = 1e-3;
const WARM: usize = 3;

/// Median times of all ways, each step of one after a step of the others.
fn race(ways: &mut [Box<dyn Way>], list: &List, device: &Device, steps: usize) -> Vec<Duration> {
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..steps + WARM {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            let half = |len: &usize| Tensor::<1>::full([*len], 0.5, (device, DType::F32));
            let gradients = list.lengths.iter().map(half).collect();
            device.sync().expect("the device answers");
            let start = Instant::now();
            way.step(gradients);
            device.sync().expect("the device answers");
            times.push(start.elapsed());
        }
    }
    let median = |times: &mut Vec<Duration>| {
        let times = &mut times[WARM..];
        times.sort();
        times[times.len() / 2]
    };
    times.iter_mut().map(median).collect()
}

/// burn-optim, then ours: bare passes, through `ModuleOptimizer`, `Descent`, and with clipping.
fn ways(list: &List, device: &Device) -> Vec<Box<dyn Way>> {
    let ours = || AdamW::new().build().expect("defaults are allowed");
    let module = |mut optimizer: ModuleOptimizer| {
        Walk::new(list, device, move |model, gradients| optimizer.step(LR, model, gradients))
    };
    let descent = |clip: bool| {
        let model = Model::new(list, device);
        let builder = Descent::new(ours()).schedule(LR);
        let builder = if clip { builder.clip_norm(1.0) } else { builder };
        let mut descent = builder.build(&model).expect("it fits");
        Walk::of(model, move |model, gradients| {
            descent.step(model, gradients).expect("a good step").0
        })
    };
    let model = Model::new(list, device);
    let tensors = model.tensors.into_iter().map(|param| (param.into_value().inner(), None));
    vec![
        Box::new(module(AdamWConfig::new().init())),
        Box::new(Passes { optimizer: ours(), tensors: tensors.collect() }),
        Box::new(module(ModuleOptimizer::from(ours()))),
        Box::new(descent(false)),
        Box::new(descent(true)),
    ]
}

fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 1.0 { format!("{:.0} µs", ms * 1e3) } else { format!("{ms:.1} ms") }
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().expect("the pool has not been used yet");
    }
    println!(
        "| AdamW step, f32 | device | burn-optim | passes | module | descent | clip | descent / passes |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for entry in devices::all() {
        let Ok(device) = &entry.device else { continue };
        let wanted = &arguments.device;
        if !wanted.is_empty() && !wanted.iter().any(|name| name == entry.name) {
            continue;
        }
        for list in lists() {
            let steps = arguments.steps as usize;
            let times = race(&mut ways(&list, device), &list, device, steps);
            let seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
            let cell =
                |i: usize| format!("{} (x{:.1})", milliseconds(times[i]), seconds[0] / seconds[i]);
            println!(
                "| {} | {} | {} | {} | {} | {} | {} | {:.3} |",
                list.name,
                entry.name,
                milliseconds(times[0]),
                cell(1),
                cell(2),
                cell(3),
                cell(4),
                seconds[3] / seconds[1],
            );
        }
    }
}
