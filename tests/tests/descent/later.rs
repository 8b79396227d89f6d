//! Parameters that come later: thawed, or new in the model.

use crate::line::{Line, gradients_at, line};
use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor};
use burn_descent::{
    Average, Build, Checkpoint, Descent, Ema, Fused, Lookahead, Mismatch, Sgd, Swa,
};

fn sgd() -> Fused {
    Sgd::new().build().expect("defaults are allowed")
}

fn averaging(model: &impl Module, average: impl Into<Average>) -> Descent {
    Descent::builder(sgd()).lr(1.0).average(average).build(model).expect("it fits")
}

fn step(descent: &mut Descent, model: Line, [a, b]: [f64; 2]) -> Line {
    let gradients = gradients_at(&model, [a, b]);
    descent.step(model, gradients).expect("a good step").0
}

/// Ten steps, the last of which takes a weight that was frozen until then from 10 to 0.
#[test]
fn thawed_weights_count_as_they_were() {
    let nine_of_ten = |share: fn(i32) -> f64| {
        let shares: Vec<f64> = (0..10).map(share).collect();
        10.0 * shares[1..].iter().sum::<f64>() / shares.iter().sum::<f64>()
    };
    for (average, expected) in [
        (Average::from(Swa::new(1, 1)), 9.0),
        (Average::from(Ema::new(0.9)), nine_of_ten(|age| 0.9_f64.powi(age))),
    ] {
        let mut model = line([10.0, 10.0], DType::F32).frozen(0);
        let mut descent = averaging(&model, average.clone());
        for _ in 0..9 {
            model = step(&mut descent, model, [10.0, 0.5]);
        }
        assert_eq!(descent.evaluate(&model).values()[0], 10.0);
        // In a checkpoint in between, too.
        let bytes = descent
            .checkpoint(&model)
            .expect("it is of this model")
            .into_bytes()
            .expect("it can be written");
        let mut model = model.thawed(0);
        model = step(&mut descent, model, [10.0, 0.5]);
        assert_eq!(model.values()[0], 0.0);
        let evaluated = descent.evaluate(&model).values()[0];
        assert!((evaluated - expected).abs() < 1e-5, "{average:?}: {evaluated}, not {expected}");

        let fresh = line([0.0, 0.0], DType::F32);
        let mut again = averaging(&fresh, average.clone());
        let checkpoint = Checkpoint::from_bytes(bytes).expect("it can be read");
        let restored = checkpoint.restore(&mut again, &fresh).expect("it fits");
        let restored = step(&mut again, restored, [10.0, 0.5]);
        assert_eq!(again.evaluate(&restored).values(), descent.evaluate(&model).values());
    }
}

/// A model that has a part which it did not have.
#[derive(Module, Debug)]
struct Longer {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
    new: Param<Tensor<1>>,
}

fn longer(new: f64) -> Longer {
    let Line { a, b } = line([0.0, 0.0], DType::F32);
    Longer { a, b, new: line([new, 0.0], DType::F32).a }
}

fn walk_on(descent: &mut Descent, mut model: Longer) -> Longer {
    for _ in 0..50 {
        let loss = model.a.val() + model.b.val() + model.new.val();
        let gradients = loss.sum().backward();
        (model, _) = descent.step(model, gradients).expect("a good step");
    }
    model
}

/// The mean of the weights that it has been at since it is there.
#[test]
fn what_is_new_is_averaged_from_there_on() {
    for (average, expected) in
        [(Average::from(Swa::new(1, 1)), 74.5), (Average::from(Ema::new(0.5)), 51.0)]
    {
        let mut model = line([100.0, 100.0], DType::F32);
        let mut descent = averaging(&model, average.clone());
        for _ in 0..50 {
            model = step(&mut descent, model, [1.0, 1.0]);
        }
        let checkpoint = descent.checkpoint(&model).expect("it is of this model");
        let model = longer(100.0);
        let mut descent = averaging(&model, average.clone());
        let (model, mismatches) =
            checkpoint.restore_what_fits(&mut descent, &model).expect("it is sound");
        assert_eq!(mismatches, [Mismatch::Missing { parameter: "new".into() }]);
        let model = walk_on(&mut descent, model);
        let evaluated = descent.evaluate(&model);
        let [new, old] =
            [evaluated.new, evaluated.a].map(|param| burn_descent_tests::values(&param.val())[0]);
        assert!((new - expected).abs() < 1e-3, "{average:?}: {new}");
        let all = match average {
            // 99 to 0.
            Average::Swa(_) => 49.5,
            Average::Ema(_) => 1.0,
        };
        assert!((old - all).abs() < 1e-3, "{average:?}: {old}");
    }
}

#[test]
fn what_is_new_meets_its_slow_weights() {
    let lookahead = || Lookahead::new().k(5).alpha(0.5);
    let walk = |model: &Longer| {
        Descent::builder(sgd()).lr(1.0).lookahead(lookahead()).build(model).expect("it fits")
    };
    let mut model = line([100.0, 100.0], DType::F32);
    let builder = Descent::builder(sgd()).lr(1.0).lookahead(lookahead());
    let mut descent = builder.build(&model).expect("it fits");
    for _ in 0..50 {
        model = step(&mut descent, model, [1.0, 1.0]);
    }
    let checkpoint = descent.checkpoint(&model).expect("it is of this model");
    let model = longer(100.0);
    let mut descent = walk(&model);
    let (model, _) = checkpoint.restore_what_fits(&mut descent, &model).expect("it is sound");
    let model = walk_on(&mut descent, model);
    // Every five steps, 5 down and half of it back.
    assert_eq!(burn_descent_tests::values(&model.new.val()), [75.0]);
    assert_eq!(burn_descent_tests::values(&model.a.val()), [50.0]);
}

/// Thawed in the middle of a window of Lookahead's.
#[test]
fn what_is_thawed_meets_its_slow_weights() {
    let mut model = line([10.0, 10.0], DType::F32).frozen(0);
    let builder = Descent::builder(sgd()).lr(1.0).lookahead(Lookahead::new().k(4).alpha(0.5));
    let mut descent = builder.build(&model).expect("it fits");
    for count in 1..=8 {
        if count == 3 {
            model = model.thawed(0);
        }
        model = step(&mut descent, model, [1.0, 1.0]);
    }
    // 10, 10, 9, 8 → 9; 8, 7, 6, 5 → 7. The other: 6 → 8; 4 → 6.
    assert_eq!(model.values(), [7.0, 6.0]);
    assert_eq!(descent.evaluate(&model).values(), [7.0, 6.0]);
}

/// burn's optimizers that remember nothing are averaged too.
#[test]
fn an_optimizer_without_states_is_averaged() {
    let mut model = line([10.0, 10.0], DType::F32);
    let builder = Descent::builder(burn::optim::SgdConfig::new().build());
    let builder = builder.lr(1.0).average(Swa::new(1, 1));
    let mut descent = builder.build(&model).expect("it fits");
    for _ in 0..3 {
        model = step(&mut descent, model, [1.0, 2.0]);
    }
    assert_eq!(descent.evaluate(&model).values(), [8.0, 6.0]);
}

/// An average of another kind is not taken up, nor one of weights before the start.
#[test]
fn another_kind_of_average_begins_anew() {
    let mut model = line([0.0, 0.0], DType::F32);
    let mut descent = averaging(&model, Ema::new(0.9));
    for _ in 0..99 {
        model = step(&mut descent, model, [1.0, 1.0]);
    }
    let ema = descent.checkpoint(&model).expect("it is of this model");
    let restored = |checkpoint: Checkpoint, average: Average| {
        let fresh = line([0.0, 0.0], DType::F32);
        let mut again = averaging(&fresh, average);
        let model = checkpoint.restore_changed(&mut again, &fresh).expect("it fits");
        (again, model)
    };
    let (mut swa, model) = restored(ema.clone(), Swa::new(101, 1).into());
    assert_eq!(swa.evaluate(&model).values(), [-99.0; 2], "there is none before the start");
    let model = step(&mut swa, model, [1.0, 1.0]);
    assert_eq!(swa.evaluate(&model).values(), [-100.0; 2]);
    let model = step(&mut swa, model, [1.0, 1.0]);
    let model = step(&mut swa, model, [1.0, 1.0]);
    assert_eq!(swa.evaluate(&model).values(), [-101.5; 2]);

    // The same kind goes on, with another decay; from a mean to one that begins later it does not.
    let (goes_on, model) = restored(ema, Ema::new(0.5).into());
    assert!(goes_on.evaluate(&model).values()[0] > -92.0);
    let mut descent = averaging(&model, Swa::new(1, 1));
    let model = step(&mut descent, model, [1.0, 1.0]);
    let (later, model) =
        restored(descent.checkpoint(&model).expect("it is of this model"), Swa::new(50, 1).into());
    assert_eq!(later.evaluate(&model).values(), model.values());
}
