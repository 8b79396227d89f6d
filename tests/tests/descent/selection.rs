//! Groups by name, by rank and by the kind of module.

use burn::module::{Module, ParamGroup};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::Device;
use burn_descent::{Build, BuildError, Descent, Fused, Group, Select, Sgd};

#[derive(Module, Debug)]
struct Block {
    norm: LayerNorm,
    out: Linear,
}

#[derive(Module, Debug)]
struct Net {
    blocks: Vec<Block>,
    head: Linear,
}

fn net() -> Net {
    let device = Device::default().autodiff();
    let linear = || LinearConfig::new(2, 2).init(&device);
    let block = || Block { norm: LayerNormConfig::new(2).init(&device), out: linear() };
    Net { blocks: vec![block(), block()], head: linear() }
}

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}

/// The paths of those that are selected.
fn selected(select: impl Into<Select>) -> Vec<String> {
    let builder = Descent::builder(sgd()).lr(0.1).group(Group::new("these", select, sgd()));
    let descent = builder.build(&net()).expect("it fits");
    let these = descent.plan().lines.iter().filter(|line| line.group == "these");
    these.map(|line| line.path.clone()).collect()
}

#[test]
fn by_rank_by_module_and_by_name() {
    let gamma = "blocks.0.norm.gamma";
    assert_eq!(selected(Select::within("LayerNorm")).len(), 4);
    assert_eq!(selected(Select::within("LayerNorm"))[0], gamma);
    assert_eq!(selected(Select::within("Block")).len(), 8);
    assert_eq!(selected(Select::within("Net")), selected(Select::all()));
    assert_eq!(
        selected(Select::rank(2)),
        ["blocks.0.out.weight", "blocks.1.out.weight", "head.weight"]
    );
    let head = || ParamGroup::from_predicate("head");
    assert_eq!(selected(head()), ["head.weight", "head.bias"]);
    assert_eq!(selected(Select::from(head()).and(Select::rank(1))), ["head.bias"]);
    let biases = Select::rank(1).except(Select::within("LayerNorm")).except(head());
    assert_eq!(selected(biases), ["blocks.0.out.bias", "blocks.1.out.bias"]);
    assert_eq!(selected(Select::within("LayerNorm").or(head())).len(), 6);
}

#[test]
fn a_selection_of_nothing_says_what_there_is() {
    let group = Group::new("norms", Select::within("Layernorm"), sgd());
    let error = Descent::builder(sgd()).lr(0.1).group(group).build(&net()).unwrap_err();
    assert!(matches!(&error, BuildError::EmptyGroup { group, .. } if group == "norms"), "{error}");
    let text = error.to_string();
    assert!(text.contains("blocks.0.norm.gamma (rank 1, in Net, Vec, Block, LayerNorm)"), "{text}");
}
