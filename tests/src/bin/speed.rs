//! Times one AdamW step: burn-optim's against ours, in turns, in one run.

use burn::module::{Module, Param};
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor};
use burn_descent::{AdamW, Build};
use burn_descent_tests::devices;
use clap::Parser;
use std::time::{Duration, Instant};

/// Time one AdamW step of burn-optim against one of burn-descent, in turns, in one run.
///
/// Prints a Markdown table: the median of each, how many times faster burn-descent is, and the
/// rate at which it moves its 28 bytes a parameter. Gradients are made before the clock starts and
/// freed while it runs, as in training.
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
struct Shape {
    name: &'static str,
    lengths: Vec<usize>,
}

fn shapes() -> Vec<Shape> {
    // ResNet-50: 25.6 M parameters in 161 tensors, most of them short.
    let mut resnet = vec![64; 106];
    resnet.extend(vec![465_000; 55]);
    vec![
        Shape { name: "6 tensors, 49 K: an MLP", lengths: vec![32768, 128, 16384, 128, 1280, 10] },
        Shape { name: "161 tensors, 25.6 M: like ResNet-50", lengths: resnet },
        Shape { name: "1 tensor, 10 M", lengths: vec![10_000_000] },
    ]
}

#[derive(Module, Debug)]
struct Model {
    tensors: Vec<Param<Tensor<1>>>,
}

struct Walk {
    model: Option<Model>,
    optimizer: ModuleOptimizer,
    times: Vec<Duration>,
}

impl Walk {
    fn new(shape: &Shape, device: &Device, optimizer: ModuleOptimizer) -> Self {
        let param = |len: &usize| {
            let ones = Tensor::ones([*len], (device, DType::F32));
            Param::from_tensor(ones.autodiff().require_grad())
        };
        let model = Model { tensors: shape.lengths.iter().map(param).collect() };
        Self { model: Some(model), optimizer, times: Vec::new() }
    }

    fn step(&mut self) {
        let Some(model) = self.model.take() else { return };
        let mut gradients = GradientsParams::new();
        for param in &model.tensors {
            let value = param.val().inner();
            gradients.register(param.id, value.mul_scalar(0.5));
        }
        let device = model.tensors[0].val().device();
        device.sync().expect("the device answers");
        let start = Instant::now();
        self.model = Some(self.optimizer.step(1e-3, model, gradients));
        device.sync().expect("the device answers");
        self.times.push(start.elapsed());
    }

    /// The median without the steps that warm up.
    fn median(&mut self) -> Duration {
        let times = &mut self.times[WARM..];
        times.sort();
        times[times.len() / 2]
    }
}

const WARM: usize = 3;

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
    println!("| AdamW step, f32 | device | burn-optim | burn-descent | ratio | rate |");
    println!("|---|---|---:|---:|---:|---:|");
    for entry in devices::all() {
        let Ok(device) = &entry.device else { continue };
        let wanted = &arguments.device;
        if !wanted.is_empty() && !wanted.iter().any(|name| name == entry.name) {
            continue;
        }
        for shape in shapes() {
            let ours = AdamW::new().build().expect("defaults are allowed");
            let mut ours = Walk::new(&shape, device, ModuleOptimizer::from(ours));
            let mut burns = Walk::new(&shape, device, AdamWConfig::new().init());
            for _ in 0..arguments.steps as usize + WARM {
                burns.step();
                ours.step();
            }
            let (burns, ours) = (burns.median(), ours.median());
            let bytes = 28.0 * shape.lengths.iter().sum::<usize>() as f64;
            println!(
                "| {} | {} | {} | {} | {:.1} | {:.0} GB/s |",
                shape.name,
                entry.name,
                milliseconds(burns),
                milliseconds(ours),
                burns.as_secs_f64() / ours.as_secs_f64(),
                bytes / ours.as_secs_f64() / 1e9,
            );
        }
    }
}
