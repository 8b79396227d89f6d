//! Checkpoints: what fits, what does not, and files that something has happened to.

mod damage;
mod faults;
mod files;
mod forged;
mod kill;
mod pytorch;
mod whole;

use burn::module::{Module, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{DType, Device, Tensor};
use burn_descent::{
    AdamW, Build, Builder, Checkpoint, CheckpointError, Descent, Ema, Fused, Lookahead, Mismatch,
    Nesterov, Schedule, Sgd, schedules::Cosine,
};
use burn_descent_tests::{allocation, bits, numbers};
use std::path::Path;

#[derive(Module, Debug)]
struct Net {
    w: Param<Tensor<2>>,
    b: Param<Tensor<1>>,
}

fn tensor<const D: usize>(seed: u64, shape: [usize; D]) -> Tensor<D> {
    let numbers: Vec<f32> =
        numbers(seed, shape.iter().product()).iter().map(|x| *x as f32).collect();
    Tensor::<1>::from_floats(numbers.as_slice(), &Device::default()).reshape(shape)
}

impl Net {
    fn of(rows: usize) -> Self {
        let w: Tensor<2> = tensor(1, [rows, 2]).autodiff();
        let b: Tensor<1> = tensor(2, [2]).autodiff();
        Self { w: Param::from_tensor(w.require_grad()), b: Param::from_tensor(b.require_grad()) }
    }

    fn gradients(&self, seed: u64) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        gradients.register(self.w.id, tensor(seed, self.w.val().dims()));
        gradients.register(self.b.id, tensor(seed + 1, [2]));
        gradients
    }

    fn bits(&self) -> Vec<u8> {
        [bits(&self.w.val()), bits(&self.b.val())].concat()
    }
}

fn adamw() -> Fused {
    AdamW::new().build().expect("defaults are allowed")
}

/// A walk with something of every kind to keep.
fn builder() -> Builder {
    let builder = Descent::builder(adamw()).schedule(Cosine::new(0.1, 10).warmup(2));
    builder.accumulate(2).average(Ema::new(0.9)).decay_matrices_only()
}

/// Five calls into a walk: two steps, and half of the next.
fn walked(builder: Builder) -> (Net, Descent) {
    let mut net = Net::of(3);
    let mut descent = builder.build(&net).expect("it fits");
    for call in 0..5 {
        let gradients = net.gradients(10 * call);
        (net, _) = descent.step(net, gradients).expect("a good step");
    }
    (net, descent)
}

fn file() -> Vec<u8> {
    let (net, descent) = walked(builder());
    descent
        .checkpoint(&net)
        .expect("of this model")
        .note("epoch", "7")
        .into_bytes()
        .expect("a checkpoint")
}

fn restore(file: &[u8], builder: Builder, net: &Net) -> Result<(Net, Descent), CheckpointError> {
    let mut descent = builder.build(net).expect("it fits");
    let net = Checkpoint::from_bytes(file.to_vec())?.restore(&mut descent, net)?;
    Ok((net, descent))
}

fn misfits(file: &[u8], builder: Builder, net: &Net) -> Vec<Mismatch> {
    match restore(file, builder, net).map(|_| ()) {
        Err(CheckpointError::Misfit(mismatches)) => mismatches,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    let (net, _) = walked(builder());
    let checkpoint = Checkpoint::from_bytes(file()).expect("a checkpoint");
    assert_eq!((checkpoint.noted("epoch"), checkpoint.steps()), (Some("7"), 2));
    assert!(file() == file(), "the file depends on chance");
    let fresh = Net::of(3);
    let (restored, descent) = restore(&file(), builder(), &fresh).expect("it fits");
    assert!(restored.bits() == net.bits() && fresh.bits() != net.bits());
    assert_eq!(descent.steps(), 2);
}

#[test]
fn an_optimizer_of_burn_is_kept_too() {
    let builder = || Descent::builder(AdamConfig::new().build()).lr(0.1);
    let (net, mut descent) = walked(builder());
    let file = descent.checkpoint(&net).expect("of this model").into_bytes().expect("a checkpoint");
    let (restored, mut taken_up) = restore(&file, builder(), &Net::of(3)).expect("it fits");
    let (a, b) = (net.gradients(100), restored.gradients(100));
    let (net, _) = descent.step(net, a).expect("a good step");
    let (restored, _) = taken_up.step(restored, b).expect("a good step");
    assert!(net.bits() == restored.bits());
}

/// burn reads a state in the default precision of the device: its step would panic.
#[test]
fn a_state_of_burns_that_is_read_in_another_precision_is_refused() {
    let wide = |net: Net| {
        let cast = |tensor: Tensor<2>| tensor.inner().cast(DType::F64).autodiff().require_grad();
        Net { w: Param::from_tensor(cast(net.w.val())), b: net.b }
    };
    let builder = || Descent::builder(AdamConfig::new().build()).lr(0.1);
    let mut net = wide(Net::of(3));
    let mut descent = builder().build(&net).expect("it fits");
    let mut gradients = net.gradients(1);
    let gradient = gradients.remove::<2>(net.w.id).expect("it is there").cast(DType::F64);
    gradients.register(net.w.id, gradient);
    (net, _) = descent.step(net, gradients).expect("a good step");
    let checkpoint = descent.checkpoint(&net).expect("of this model");
    let fresh = wide(Net::of(3));
    let mut again = builder().build(&fresh).expect("it fits");
    let refused = checkpoint.clone().restore(&mut again, &fresh).map(|_| ());
    let (parameter, saved, read) = ("w".into(), DType::F64, DType::F32);
    let mismatch = Mismatch::StateDtype { parameter, saved, read };
    assert_eq!(refused, Err(CheckpointError::Misfit(vec![mismatch.clone()])));
    // It begins without one where that is asked for, and can be stepped.
    let (net, mismatches) = checkpoint.restore_what_fits(&mut again, &fresh).expect("whole");
    assert_eq!(mismatches, [mismatch]);
    let mut gradients = net.gradients(2);
    let gradient = gradients.remove::<2>(net.w.id).expect("it is there").cast(DType::F64);
    gradients.register(net.w.id, gradient);
    assert!(again.step(net, gradients).is_ok());
}

/// A model that has been cast since the last step is saved and taken up: what is kept of it in the old precision is
/// what the next step would make of it.
#[test]
fn a_model_that_was_cast_between_two_steps_is_taken_up() {
    let cast = |net: &Net, dtype: DType| {
        let w = net.w.val().inner().cast(dtype).autodiff().require_grad();
        let b = net.b.val().inner().cast(dtype).autodiff().require_grad();
        Net { w: Param::initialized(net.w.id, w), b: Param::initialized(net.b.id, b) }
    };
    let gradients = |net: &Net, seed: u64| {
        let dtype = net.w.val().dtype();
        let mut gradients = GradientsParams::new();
        gradients.register(net.w.id, tensor(seed, [3, 2]).cast(dtype));
        gradients.register(net.b.id, tensor(seed + 1, [2]).cast(dtype));
        gradients
    };
    for (from, to) in [(DType::F64, DType::F32), (DType::F32, DType::F64)] {
        let builder = || builder().lookahead(Lookahead::new().k(2));
        let mut net = cast(&Net::of(3), from);
        let mut descent = builder().build(&net).expect("it fits");
        for call in 0..5 {
            let given = gradients(&net, 10 * call);
            (net, _) = descent.step(net, given).expect("a good step");
        }
        let mut net = cast(&net, to);
        let saved = descent.checkpoint(&net).expect("of this model").into_bytes().expect("bytes");
        let fresh = cast(&Net::of(3), to);
        let mut again = builder().build(&fresh).expect("it fits");
        let checkpoint = Checkpoint::from_bytes(saved).expect("a checkpoint");
        let mut restored = checkpoint.restore(&mut again, &fresh).expect("it fits");
        assert!(again.evaluate(&restored).bits() == descent.evaluate(&net).bits());
        for call in 5..12 {
            let given = [gradients(&net, 10 * call), gradients(&restored, 10 * call)];
            let [a, b] = given;
            (net, _) = descent.step(net, a).expect("a good step");
            (restored, _) = again.step(restored, b).expect("a good step");
            assert!(restored.bits() == net.bits(), "call {call} from {from:?} to {to:?}");
            assert!(again.evaluate(&restored).bits() == descent.evaluate(&net).bits());
        }
    }
}

#[test]
fn another_walk_or_model_is_named() {
    let file = file();
    let net = Net::of(3);

    let taller = misfits(&file, builder(), &Net::of(4));
    assert!(matches!(&taller[..], [Mismatch::Shape { parameter, .. }] if parameter == "w"));

    let sgd = Descent::builder(Sgd::new().build().expect("defaults")).lr(0.1);
    let other = misfits(&file, sgd, &net);
    assert!(other.iter().any(|mismatch| matches!(mismatch,
        Mismatch::Optimizer { parameter, saved, expected }
            if parameter == "b" && saved == "adamw" && expected == "sgd")));

    let amsgrad = AdamW::new().amsgrad(true).build().expect("allowed");
    let states = misfits(&file, Descent::builder(amsgrad).lr(0.1), &net);
    let part = Mismatch::Part { parameter: "w".into(), part: "state" };
    assert!(states.contains(&part), "{states:?}");

    let double = Net {
        w: Param::from_tensor(net.w.val().inner().cast(DType::F64).autodiff().require_grad()),
        b: Net::of(3).b,
    };
    let precision = misfits(&file, builder(), &double);
    assert!(matches!(&precision[..], [Mismatch::Dtype { parameter, .. }] if parameter == "w"));

    #[derive(Module, Debug)]
    struct Other {
        w: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }
    let Net { w, b } = Net::of(3);
    let other = Other { w, bias: b };
    let mut descent = builder().build(&other).expect("it fits");
    let checkpoint = Checkpoint::from_bytes(file.clone()).expect("a checkpoint");
    let error = checkpoint.restore(&mut descent, &other).expect_err("another model").to_string();
    assert!(error.contains("no parameter `bias`"), "{error}");
    assert!(error.contains("the model has no parameter `b`"), "{error}");
    assert_eq!(descent.steps(), 0);
}

#[test]
fn a_changed_option_is_taken_up_only_when_asked_for() {
    let (file, net) = (file(), Net::of(3));
    let changed = || builder().lr(0.01).clip_norm(1.0);
    let options: Vec<String> =
        misfits(&file, changed(), &net).iter().map(Mismatch::to_string).collect();
    assert_eq!(options.len(), 2, "{options:?}");
    assert!(options[0].starts_with("clip_norm was None, it is Some(1.0)"), "{options:?}");
    assert!(options[1].contains("lr") && options[1].contains("Cosine"), "{options:?}");

    let mut descent = changed().build(&net).expect("it fits");
    let checkpoint = Checkpoint::from_bytes(file.clone()).expect("a checkpoint");
    let net = checkpoint.restore_changed(&mut descent, &net).expect("asked for");
    let gradients = net.gradients(50);
    let (_, report) = descent.step(net, gradients).expect("a good step");
    assert!(report.stepped && report.step == 3, "the half step is still there");
    assert_eq!(report.learning_rates[0].1, 0.01);

    // One micro-batch of two is in flight: it cannot be part of a step of one.
    let net = Net::of(3);
    let mut descent = Descent::builder(adamw()).lr(0.1).build(&net).expect("it fits");
    let checkpoint = Checkpoint::from_bytes(file).expect("a checkpoint");
    let error = checkpoint.restore_changed(&mut descent, &net).expect_err("lost").to_string();
    assert!(error.contains("it holds 1 micro-batches"), "{error}");
    assert!(!error.contains("restore_changed") && !error.contains("accumulate was"), "{error}");
}

#[test]
fn a_misfit_is_told_once_and_with_advice_that_helps() {
    let (file, net) = (file(), Net::of(3));
    let text = |file: &[u8], builder, net: &Net| {
        restore(file, builder, net).map(|_| ()).expect_err("it does not fit").to_string()
    };
    // An option alone can be taken up.
    let error = text(&file, builder().lr(0.01), &net);
    assert!(error.ends_with("; if that is meant, take it up with `restore_changed`"), "{error}");
    // Beside another parameter it cannot.
    let error = text(&file, builder().lr(0.01), &Net::of(4));
    assert!(error.contains("lr") && !error.contains("restore_changed"), "{error}");
    // Nor can micro-batches of a step that is over.
    let error = text(&file, builder().accumulate(1), &net);
    assert_eq!(error.matches("accumulate").count(), 1, "{error}");
    assert!(!error.contains("restore_changed"), "{error}");
    let mut descent = builder().accumulate(1).build(&net).expect("it fits");
    let checkpoint = Checkpoint::from_bytes(file).expect("a checkpoint");
    let (_, misfits) = checkpoint.restore_what_fits(&mut descent, &net).expect("whole");
    assert_eq!(misfits, [Mismatch::Accumulated { held: 1, now: 1 }]);
}

#[test]
fn renamed_layers_are_found() {
    #[derive(Module, Debug)]
    struct Inner {
        scale: Param<Tensor<2>>,
        b: Param<Tensor<1>>,
    }
    #[derive(Module, Debug)]
    struct Other {
        inner: Inner,
    }
    let Net { w: scale, b } = Net::of(3);
    let other = Other { inner: Inner { scale, b } };
    let to = |path: &str| format!("inner.{}", if path == "w" { "scale" } else { path });
    let renamed = || Checkpoint::from_bytes(file()).expect("a checkpoint").rename(to);
    let mut descent = builder().build(&other).expect("it fits");
    let restored = renamed().expect("no clash").restore(&mut descent, &other).expect("it fits");
    let (net, walk) = walked(builder());
    let Inner { scale, b } = restored.inner;
    let restored = Net { w: scale, b };
    assert!(restored.bits() == net.bits() && descent.steps() == walk.steps());
    // With states, averages and the half step: it goes on as the other does.
    let (mut walk, a, b) = (walk, net.gradients(90), restored.gradients(90));
    let (net, _) = walk.step(net, a).expect("a good step");
    let (restored, _) = descent.step(restored, b).expect("a good step");
    assert!(restored.bits() == net.bits());
    assert!(descent.evaluate(&restored).bits() == walk.evaluate(&net).bits());

    let refused = |to: fn(&str) -> String| {
        let checkpoint = Checkpoint::from_bytes(file()).expect("a checkpoint");
        checkpoint.rename(to).map(|_| ()).expect_err("it cannot be").to_string()
    };
    let error = refused(|_| "w".into());
    assert!(error.contains("`w` cannot be renamed to `w`"), "{error}");
    for bad in [|_: &str| String::new(), |path: &str| format!("crc32:{path}")] {
        assert!(refused(bad).contains("cannot be renamed"));
    }
}

#[test]
fn what_fits_is_taken_and_the_rest_is_told() {
    let net = Net::of(4);
    let before = net.bits();
    let mut descent = builder().build(&net).expect("it fits");
    let checkpoint = Checkpoint::from_bytes(file()).expect("a checkpoint");
    let (restored, misfits) = checkpoint.restore_what_fits(&mut descent, &net).expect("whole");
    assert!(matches!(&misfits[..], [Mismatch::Shape { parameter, .. }] if parameter == "w"));
    let (kept, _) = walked(builder());
    assert_eq!(bits(&restored.b.val().inner()), bits(&kept.b.val().inner()));
    assert_eq!(bits(&restored.w.val().inner()), before[..32]);
    assert_eq!(descent.steps(), 2);
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("no.bpk");
    let error = Checkpoint::open(&path).expect_err("no file").to_string();
    assert!(error.contains("no.bpk"), "{error}");
    let error = Checkpoint::open(folder.path()).expect_err("a folder");
    assert!(matches!(error, CheckpointError::File { .. }));
    let (net, descent) = walked(builder());
    let nowhere =
        descent.checkpoint(&net).expect("of this model").save(folder.path().join("no/where.bpk"));
    assert!(matches!(nowhere, Err(CheckpointError::File { .. })));

    for bytes in [b"".to_vec(), b"epoch,loss\n1,0.5\n".to_vec(), vec![0; 4096]] {
        let error = Checkpoint::from_bytes(bytes).expect_err("no checkpoint");
        assert!(matches!(error, CheckpointError::Foreign(_)), "{error}");
    }
    let model = Net::of(3).into_record().into_bytes().expect("a record").to_vec();
    let error = Checkpoint::from_bytes(model).expect_err("a model").to_string();
    assert!(error.contains("another burnpack file"), "{error}");
}

#[test]
fn another_version_is_named() {
    let later = replaced(file(), b"gversiona3", b"gversiona4");
    let error = Checkpoint::from_bytes(later).expect_err("a later version");
    assert_eq!(error, CheckpointError::Version { found: "4".into(), read: &["1", "2", "3"] });
}

/// The bytes with a part replaced by another as long, and the right checksum.
fn replaced(mut file: Vec<u8>, part: &[u8], by: &[u8]) -> Vec<u8> {
    let at = file.windows(part.len()).position(|window| window == part).expect("it is there");
    file[at..at + by.len()].copy_from_slice(by);
    damage::with_checksum(file)
}

#[global_allocator]
static COUNTING: allocation::Counting = allocation::Counting;

/// Files of every version are read for ever. Where there is none of this version yet, it is written.
#[test]
fn every_version_is_still_read() {
    for version in 1..=3 {
        of_version(version);
    }
}

fn of_version(version: u32) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join(format!("fixtures/checkpoint-{version}.bpk"));
    let walk = || {
        let nesterov = Nesterov::new().build().expect("defaults are allowed");
        let group = burn::module::ParamGroup::from_path("b");
        builder().group(burn_descent::Group::new("bias", group, nesterov).lr(0.01))
    };
    let (net, descent) = walked(walk());
    if std::env::var_os("BURN_DESCENT_BLESS").is_some() && !path.exists() {
        descent
            .checkpoint(&net)
            .expect("of this model")
            .note("made by", "this test")
            .save(&path)
            .expect("it can be made");
    }
    let file = std::fs::read(path).expect("the fixture");
    let (restored, taken_up) = restore(&file, walk(), &Net::of(3)).expect("it fits for ever");
    assert_eq!(taken_up.steps(), descent.steps());
    let close = |a: Vec<u8>, b: Vec<u8>| {
        let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes"));
        a.chunks(4).zip(b.chunks(4)).all(|(a, b)| (number(a) - number(b)).abs() < 1e-6)
    };
    // Not bit for bit: the machine that made it may have had other instructions.
    assert!(close(restored.bits(), net.bits()));
    assert!(close(taken_up.evaluate(&restored).bits(), descent.evaluate(&net).bits()));
}
