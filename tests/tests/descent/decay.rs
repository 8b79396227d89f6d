//! Weight decay for matrices only, whatever the option is called.

use burn::module::{Module, Param, ParamGroup};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn_descent::rules::chain::{AddDecayedWeights, Chain, ScaleByAdam, ScaleByLearningRate};
use burn_descent::schedules::Linear;
use burn_descent::{AdamW, Asgd, Build, BuildError, Descent, Fused, Group, Nesterov, registry};
use burn_descent_tests::values;

/// A matrix and a bias.
#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

fn layer() -> Layer {
    let device = Device::default().autodiff();
    Layer {
        weight: Param::from_tensor(Tensor::ones([2, 3], &device)),
        bias: Param::from_tensor(Tensor::ones([3], &device)),
    }
}

/// Weight and bias after steps without a gradient, from 1.
fn without_gradients(descent: &mut Descent, mut layer: Layer, steps: u64) -> [f64; 2] {
    for _ in 0..steps {
        let mut zero = GradientsParams::new();
        zero.register(layer.weight.id, layer.weight.val().inner().zeros_like());
        zero.register(layer.bias.id, layer.bias.val().inner().zeros_like());
        (layer, _) = descent.step(layer, zero).expect("a good step");
    }
    [values(&layer.weight.val())[0], values(&layer.bias.val())[0]]
}

fn chain(decay: f64) -> Fused {
    let chain = Chain::of(ScaleByAdam::new()).then(AddDecayedWeights::new(decay));
    chain.then(ScaleByLearningRate::new()).build().expect("it is allowed")
}

#[test]
fn a_bias_is_not_decayed_by_any_optimizer() {
    let mut optimizers = vec![
        chain(0.5),
        Asgd::new().lambd(0.5).build().expect("it is allowed"),
        AdamW::new().weight_decay(0.5).build().expect("it is allowed"),
    ];
    for row in registry::ROWS {
        let fused = row.build(&[]).expect("defaults are allowed");
        let half: Vec<_> =
            fused.weight_decays().iter().map(|option| (option.as_str(), "0.5")).collect();
        // A decay may need other options beside it, a rule that looks at the model may wait for a gradient, and weights
        // on a sphere stay as long as they are.
        if !half.is_empty() && fused.steps_alone() && row.name != "adamh" {
            optimizers.extend(fused.with(&half));
        }
    }
    for optimizer in optimizers {
        let layer = layer();
        let builder = Descent::builder(optimizer.clone()).lr(0.1).decay_matrices_only();
        let mut descent = builder.build(&layer).expect("it fits");
        let decays: Vec<_> = descent.plan().lines.iter().map(|line| line.weight_decay).collect();
        assert!(decays[0] >= Some(0.5) && decays[1] == Some(0.0), "{optimizer:?}: {decays:?}");
        // Schedule-Free RAdam waits for some steps.
        let [weight, bias] = without_gradients(&mut descent, layer, 8);
        assert_ne!(weight, 1.0, "{optimizer:?}");
        assert_eq!(bias, 1.0, "{optimizer:?}");
    }
}

#[test]
fn a_schedule_does_not_switch_it_on_again() {
    let layer = layer();
    let option = "add_decayed_weights.weight_decay";
    let group = Group::new("every", ParamGroup::all(), chain(0.0))
        .option(option, Linear::new(0.5, 100).end(0.4));
    let builder = Descent::builder(chain(0.0)).group(group).lr(0.1).decay_matrices_only();
    // Nothing is left for the group that comes first.
    let mut descent = builder.build(&layer).expect("it fits");
    let [weight, bias] = without_gradients(&mut descent, layer, 3);
    assert!(weight < 0.9, "{weight}");
    assert_eq!(bias, 1.0);
}

#[test]
fn what_has_no_decay_says_so() {
    let layer = layer();
    let nesterov = || Nesterov::new().build().expect("defaults are allowed");
    let builder = Descent::builder(nesterov()).lr(0.1).decay_matrices_only();
    let error = builder.build(&layer).unwrap_err();
    assert_eq!(error, BuildError::NoDecay);
    assert!(error.to_string().contains("no optimizer of this walk has a weight decay"), "{error}");

    let bias = Group::new("bias", ParamGroup::from_predicate("bias"), nesterov());
    let builder = Descent::builder(chain(0.5)).group(bias).lr(0.1).decay_matrices_only();
    let descent = builder.build(&layer).expect("one of them has a decay");
    let decays: Vec<_> = descent.plan().lines.iter().map(|line| line.weight_decay).collect();
    assert_eq!(decays, [Some(0.5), None]);
    let line = descent.plan().to_string();
    let line =
        line.lines().find(|line| line.starts_with("bias")).expect("it has a line").to_owned();
    assert!(line.contains(" -  "), "{line}");
}
