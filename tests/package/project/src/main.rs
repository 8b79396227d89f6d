//! Trains until a step that is given, from a checkpoint if there is one.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use burn_descent::{Muon, prelude::*, schedules::Cosine};

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    hidden: Linear,
    head: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(1, 16).init(device),
            hidden: LinearConfig::new(16, 16).init(device),
            head: LinearConfig::new(16, 1).init(device),
        }
    }

    /// How far it is from `sin(3x)`, on points that are the same in every run.
    fn loss(&self, device: &Device) -> Tensor<1> {
        let points: Vec<f32> = (0..64).map(|i| i as f32 / 32.0 - 1.0).collect();
        let x = Tensor::<1>::from_floats(points.as_slice(), device).reshape([64, 1]);
        let y = x.clone().mul_scalar(3.0).sin();
        let hidden = self.hidden.forward(self.first.forward(x).tanh()).tanh();
        (self.head.forward(hidden) - y).square().mean()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let until: u64 = std::env::args().nth(1).ok_or("until which step?")?.parse()?;
    let device = Device::default().autodiff();
    let model = Network::new(&device);
    let descent = Descent::builder(Muon::new().weight_decay(0.0).build()?)
        .schedule(Cosine::new(0.02, 200).warmup(10))
        .clip_norm(1.0)
        .build(&model)?;
    let mut trainer = Trainer::new(model, descent);
    if std::fs::exists("run.bpk")? {
        trainer.restore(Checkpoint::open("run.bpk")?)?;
        println!("resumed at step {}", trainer.descent().steps());
    }
    while trainer.descent().steps() < until {
        let loss = trainer.model().loss(&device);
        trainer.step(loss.backward())?;
    }
    trainer.checkpoint()?.save("run.bpk")?;
    let loss = trainer.evaluate().loss(&Device::default()).into_scalar::<f32>();
    println!("step {}: loss {loss:e}", trainer.descent().steps());
    Ok(())
}
