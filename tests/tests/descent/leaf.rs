//! Parameters keep their leaf of autodiff, and large ones are stepped together: neither changes a
//! bit.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::rules::chain::Noisy;
use burn_descent::{AdamW, Build, Descent, Fused, Place, Sgd};
use burn_descent_tests::{bits, devices, numbers};

/// On both sides of where `Descent` takes a tensor out of its model.
const LENGTHS: [usize; 5] = [3, 65_535, 65_536, 200_001, 70_000];

#[derive(Module, Debug)]
struct Vectors {
    all: Vec<Param<Tensor<1>>>,
}

fn tensor(seed: u64, len: usize, device: &Device, dtype: DType) -> Tensor<1> {
    Tensor::from_data(TensorData::new(numbers(seed, len), [len]), (device, dtype))
}

fn vectors(device: &Device, dtype: DType) -> Vectors {
    let param = |(seed, len): (u64, &usize)| {
        Param::from_tensor(tensor(seed, *len, device, dtype).autodiff().require_grad())
    };
    Vectors { all: (0..).zip(&LENGTHS).map(param).collect() }
}

fn optimizers() -> [Fused; 3] {
    [
        AdamW::new().build().expect("defaults are allowed"),
        AdamW::new().stable(true).build().expect("it is allowed"),
        Noisy::new(Sgd::new().momentum(0.9)).eta(0.1).build().expect("it is allowed"),
    ]
}

#[test]
fn tensors_that_are_stepped_together_are_stepped_as_one_by_one() {
    for entry in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        let Ok(device) = entry.device else { continue };
        for (name, dtype) in devices::DTYPES {
            if !device.supports_dtype(dtype) {
                continue;
            }
            for optimizer in optimizers() {
                let mut model = vectors(&device, dtype);
                let mut descent =
                    Descent::builder(optimizer.clone()).lr(0.1).build(&model).expect("it fits");
                let mut alone: Vec<_> = (0..)
                    .zip(&model.all)
                    .map(|(stream, param)| {
                        let weights = param.val().inner();
                        let state =
                            optimizer.start_as(&weights, Place { stream, ..Place::default() });
                        (weights, state)
                    })
                    .collect();
                for step in 1..=3 {
                    let gradient = |number: usize| {
                        tensor(100 * step + number as u64, LENGTHS[number], &device, dtype)
                    };
                    let mut gradients = GradientsParams::new();
                    for (number, param) in model.all.iter().enumerate() {
                        gradients.register(param.id, gradient(number));
                    }
                    let (before, held) = (bits(&model.all[3].val()), model.clone());
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
                    let walked = pool.expect("a pool").install(|| descent.step(model, gradients));
                    (model, _) = walked.expect("a good step");
                    assert!(bits(&held.all[3].val()) == before, "a clone has changed");
                    for (number, (weights, state)) in alone.iter_mut().enumerate() {
                        let stepped =
                            optimizer.advance(0.1, weights.clone(), gradient(number), state);
                        *weights = stepped.expect("a good step");
                        let together = bits(&model.all[number].val());
                        let subject = format!("{optimizer:?} {}/{name} {number}", entry.name);
                        assert!(together == bits(weights), "{subject}, step {step}");
                    }
                }
            }
        }
    }
}

/// A loss of all weights, whose gradient follows from them.
fn loss(model: &Vectors) -> Tensor<1> {
    let losses = model.all.iter().map(|param| (param.val().square() * 0.5).sum());
    losses.reduce(|sum, loss| sum + loss).expect("there are weights")
}

#[test]
fn a_leaf_that_stays_has_its_gradients() {
    let sgd = || Sgd::new().build().expect("defaults are allowed");
    let model = vectors(&Device::default(), DType::F32);
    let mut kept = Descent::builder(sgd()).lr(0.25).build(&model).expect("it fits");
    let mut anew = Descent::builder(sgd().portable()).lr(0.25).build(&model).expect("it fits");
    let (mut a, mut b) = (model.clone(), model);
    for _ in 0..4 {
        (a, _) = {
            let gradients = loss(&a).backward();
            kept.step(a, gradients)
        }
        .expect("a good step");
        (b, _) = {
            let gradients = loss(&b).backward();
            anew.step(b, gradients)
        }
        .expect("a good step");
        for (a, b) in a.all.iter().zip(&b.all) {
            assert!(a.is_require_grad() && bits(&a.val()) == bits(&b.val()));
        }
    }
}
