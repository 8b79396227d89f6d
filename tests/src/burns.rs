//! burn-optim's optimizers as those of a library like others: runs of them, and what they are called here.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, AdanConfig, LambConfig, LionConfig,
    MuonConfig, Optimizer, RmsPropConfig, SgdConfig,
};
use burn::tensor::{Device, Tensor, TensorData};
use burn_descent_golden::{Case, OptimizerFile};
use serde_json::{Map, Value, json, to_value};

/// The library's name in the table.
pub const LIBRARY: &str = "burn-optim";

/// The shape of the parameter: Muon takes matrices only.
const SHAPE: [usize; 2] = [6, 4];
const STEPS: usize = 6;
const LR: f64 = 0.01;

/// A configuration of burn-optim: with which values it is tried, and how it steps.
pub struct Burns {
    /// The name of its type.
    pub config: &'static str,
    /// Its defaults, and others.
    pub values: Vec<Value>,
    walk: fn(Value) -> Vec<Vec<f64>>,
}

macro_rules! burns {
    ($config:ident, $($changed:expr),*) => {
        Burns {
            config: stringify!($config),
            values: vec![json($config::new()), $(json($changed)),*],
            walk: |value| walk(&serde_json::from_value::<$config>(value).expect("one of its values").build()),
        }
    };
}

fn json(config: impl serde::Serialize) -> Value {
    to_value(config).expect("a configuration is made of numbers")
}

/// All of them, but for L-BFGS.
pub fn all() -> Vec<Burns> {
    let penalty = || Some(WeightDecayConfig::new(0.3));
    let momentum = || Some(MomentumConfig::new());
    vec![
        burns!(
            SgdConfig,
            SgdConfig::new().with_weight_decay(penalty()),
            SgdConfig::new().with_momentum(momentum()),
            SgdConfig::new()
                .with_momentum(momentum().map(|m| m.with_nesterov(true).with_dampening(0.0)))
        ),
        burns!(
            AdaGradConfig,
            AdaGradConfig::new().with_lr_decay(0.2).with_epsilon(0.1).with_weight_decay(penalty())
        ),
        burns!(
            RmsPropConfig,
            RmsPropConfig::new().with_momentum(0.0).with_alpha(0.8).with_epsilon(0.1),
            RmsPropConfig::new().with_centered(true).with_weight_decay(penalty())
        ),
        burns!(
            AdamConfig,
            AdamConfig::new().with_beta_1(0.7).with_beta_2(0.8).with_epsilon(0.1),
            AdamConfig::new().with_beta_2(0.5).with_amsgrad(true).with_weight_decay(penalty())
        ),
        burns!(
            AdamWConfig,
            AdamWConfig::new().with_beta_1(0.7).with_beta_2(0.8).with_epsilon(0.1),
            AdamWConfig::new().with_beta_2(0.5).with_amsgrad(true).with_weight_decay(0.3),
            AdamWConfig::new().with_cautious_weight_decay(true).with_weight_decay(0.3)
        ),
        burns!(
            AdanConfig,
            AdanConfig::new().with_beta_1(0.7).with_beta_2(0.6).with_beta_3(0.5).with_epsilon(0.1),
            AdanConfig::new().with_weight_decay(0.3),
            AdanConfig::new().with_weight_decay(0.3).with_no_prox(true)
        ),
        burns!(
            LionConfig,
            LionConfig::new().with_beta_1(0.5).with_beta_2(0.8).with_weight_decay(0.3)
        ),
        burns!(
            LambConfig,
            LambConfig::new().with_beta_1(0.7).with_beta_2(0.8).with_epsilon(0.1),
            LambConfig::new().with_weight_decay(0.3),
            LambConfig::new().with_weight_decay(0.3).with_use_trust_ratio(false)
        ),
        burns!(
            AdafactorConfig,
            AdafactorConfig::new().with_epsilon_1(0.1).with_decay_rate(-0.5),
            AdafactorConfig::new().with_clip_threshold(0.3).with_weight_decay(0.3),
            AdafactorConfig::new().with_epsilon_2(0.9),
            AdafactorConfig::new().with_relative_step(false).with_scale_parameter(false)
        ),
        burns!(
            MuonConfig,
            MuonConfig::new().with_weight_decay(penalty()).with_ns_steps(3),
            MuonConfig::new().with_adjust_lr_fn(burn::optim::AdjustLrFn::MatchRmsAdamW)
        ),
    ]
}

fn numbers(seed: u64) -> Vec<f64> {
    crate::numbers(seed, SHAPE[0] * SHAPE[1])
}

/// Gradients of another size in each step, all small.
fn gradients(step: usize) -> Vec<f64> {
    numbers(step as u64 + 1).iter().map(|x| x * 0.1 * (step + 1) as f64).collect()
}

fn tensor(numbers: Vec<f64>) -> Tensor<2> {
    let numbers: Vec<f32> = numbers.into_iter().map(|x| x as f32).collect();
    Tensor::from_data(TensorData::new(numbers, SHAPE), &Device::default())
}

/// Where the steps of an optimizer of burn-optim lead.
fn walk<O: Optimizer>(optimizer: &O) -> Vec<Vec<f64>> {
    let (mut weights, mut state) = (tensor(numbers(0)), None);
    let step = |step| {
        let gradient = tensor(gradients(step));
        let (stepped, after) = optimizer.step(LR, weights.clone(), gradient, state.take());
        (weights, state) = (stepped, after);
        weights.to_data().iter::<f64>().collect()
    };
    (0..STEPS).map(step).collect()
}

impl Burns {
    /// The file that it would have.
    pub fn file(&self) -> OptimizerFile {
        let file = json!({"library": LIBRARY, "optimizer": self.config, "cases": []});
        serde_json::from_value(file).expect("the fields of a file")
    }

    /// A run of it with these values.
    pub fn case(&self, value: &Value) -> Case {
        let mut hyper = Map::new();
        flatten("", value, &mut hyper);
        hyper.insert("lr".into(), LR.into());
        let params: Vec<_> = (self.walk)(value.clone()).into_iter().map(|p| [p]).collect();
        let grads: Vec<_> = (0..STEPS).map(|step| [gradients(step)]).collect();
        let case = json!({
            "id": format!("{}/{value}", self.config), "problem": "made here", "shapes": [SHAPE],
            "hyper": hyper, "steps": STEPS, "init": [numbers(0)], "grads": grads,
            "record": (1..=STEPS).collect::<Vec<_>>(), "params": params,
        });
        serde_json::from_value(case).expect("the fields of a case")
    }
}

/// A field of a configuration inside of another gets the name of that in front; one that is not there is left out. An
/// f32 becomes the shortest number that is the same f32, which is the one meant.
fn flatten(prefix: &str, value: &Value, into: &mut Map<String, Value>) {
    let meant = |value: &Value| match value.as_f64() {
        Some(number) if value.is_f64() => {
            (number as f32).to_string().parse::<f64>().map_or(Value::Null, Value::from)
        }
        _ => value.clone(),
    };
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => flatten(&format!("{prefix}{key}."), value, into),
            Value::Array(list) => {
                into.insert(format!("{prefix}{key}"), list.iter().map(meant).collect());
            }
            Value::Null => {}
            _ => {
                into.insert(format!("{prefix}{key}"), meant(value));
            }
        }
    }
}
