//! What a step launches on a GPU: few kernels for many tensors, which are there after the first step, and no
//! memory that stays.
//!
//! CUDA pads the rows of a tensor, and a tensor may be a view. What lies alike is stepped as it lies;
//! whatever lies otherwise is copied once, and counted here.

use burn::backend::DispatchDevice;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Distribution, Tensor};
use burn_descent::schedules::Exponential;
use burn_descent::{Builder, Deferred, Descent, Store, registry};
use burn_descent_tests::gpus::gpus;
use burn_descent_tests::model::Model;
use burn_descent_tests::speed::LISTS;
use cubecl::MemoryScope;
use cubecl::hash::StableHash;
use cubecl::launched::LaunchedKernels;
use cubecl::logging::{LaunchObservation, LaunchObserver};
use std::sync::{Arc, Mutex};

/// Lengths that four, two and one divide: each is a kernel of its own.
const VECTORS: [[usize; 2]; 6] = [[1, 64], [1, 130], [1, 7], [1, 1024], [1, 2], [1, 33]];

/// Gradients of a half, which lie on the device when they are returned.
fn gradients(model: &Model, device: &Device) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    for param in &model.tensors {
        let half = Tensor::<2>::full(param.shape(), 0.5, (device, DType::F32));
        gradients.register(param.id, half);
    }
    device.sync().expect("the device answers");
    gradients
}

/// Launches that make the factor of clipping of the parts of sums of squares.
const FEW: usize = 8;

/// Tensors of one launch at most.
const MOST: usize = 32;

/// How many launches take so many tensors of so many buffers each, beside so many others: they come as powers of two.
fn launches_of(tensors: usize, buffers: usize, others: usize, device: &Device) -> usize {
    let bindings = match device.as_dispatch() {
        DispatchDevice::Cube(device) => device.client().properties().hardware.max_bindings,
        other => panic!("{other:?} is no device of CubeCL"),
    };
    // With few bindings it is one tensor a launch.
    let most = if bindings < 64 { 1 } else { (bindings as usize - others) / buffers };
    let most = 1 << most.clamp(1, MOST).ilog2();
    tensors / most + (tensors % most).count_ones() as usize
}

/// The same for the vectors: where rows are padded all are read alike, elsewhere two each by four, two and one.
fn launches_of_vectors(there: &str, buffers: usize, others: usize, device: &Device) -> usize {
    match there {
        "cuda" => launches_of(VECTORS.len(), buffers, others, device),
        _ => 3 * launches_of(2, buffers, others, device),
    }
}

/// The names of the kernels that were launched.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl LaunchObserver for Names {
    fn launched(&self, kernel: &'static str) {
        self.0.lock().expect("nothing panics while it is held").push(kernel);
    }
}

/// What was launched.
struct Launches {
    names: Vec<&'static str>,
    kernels: Vec<StableHash>,
}

impl Launches {
    /// How many of a kernel.
    fn of(&self, kernel: &str) -> usize {
        self.names.iter().filter(|name| name.rsplit("::").next() == Some(kernel)).count()
    }
}

/// What is launched on a device until it answers.
fn observe<T>(device: &Device, run: impl FnOnce() -> T) -> (T, Launches) {
    device.sync().expect("the device answers");
    let (observer, launched) = (Arc::new(Names::default()), LaunchedKernels::new());
    let observation = LaunchObservation::new(observer.clone());
    let result = run();
    device.sync().expect("the device answers");
    drop(observation);
    let names = observer.0.lock().expect("nothing panics while it is held").clone();
    (result, Launches { names, kernels: launched.finish().into_iter().collect() })
}

/// What steps have launched, and what memory is in use after each.
struct Steps {
    last: Launches,
    /// Did the last step launch kernels that no step before it has launched?
    builds: bool,
    in_use: Vec<u64>,
}

fn take(steps: usize, shapes: &[[usize; 2]], builder: Builder, device: &Device) -> Steps {
    let mut model = Model::ones(shapes, device);
    let mut descent = builder.build(&model).expect("it fits");
    let (mut all, mut in_use) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        let gradients = gradients(&model, device);
        let step = || descent.step(model, gradients).expect("a good step").0;
        let (stepped, launches) = observe(device, step);
        model = stepped;
        all.push(launches);
        in_use.push(bytes_in_use(device));
    }
    let last = all.pop().expect("a step");
    let known = |kernel| all.iter().any(|step| step.kernels.contains(kernel));
    let builds = !last.kernels.iter().all(known);
    Steps { last, builds, in_use }
}

/// By tensors: CubeCL's own buffers, such as those of launch arguments, are apart.
fn bytes_in_use(device: &Device) -> u64 {
    match device.as_dispatch() {
        DispatchDevice::Cube(device) => {
            let report = device.client().memory_report(MemoryScope::Device);
            report.streams.iter().map(|stream| stream.pools.usage().bytes_in_use).sum()
        }
        other => panic!("{other:?} is no device of CubeCL"),
    }
}

/// The rate of each step is another one.
fn walk(optimizer: &str, options: &[(&str, &str)]) -> Builder {
    let optimizer = registry::build(optimizer, options).expect("it is allowed");
    Descent::builder(optimizer).schedule(Exponential::new(1e-3, 0.9))
}

/// One test, for what is launched is observed in the whole process.
#[test]
fn a_step_is_few_launches_of_kernels_that_are_there() {
    let devices = gpus();
    if devices.is_empty() {
        return eprintln!("skipped: no device of CubeCL is there");
    }
    for (name, device) in devices {
        steps_of_a_model(name, &device);
        steps_of_lists(name, &device);
        steps_together(name, &device);
        steps_of_matrices(name, &device);
        steps_in_passes(name, &device);
        steps_in_words(name, &device);
    }
}

/// A rule, its options, and how many states it has.
type Chosen = (&'static str, &'static [(&'static str, &'static str)], usize);

/// Two states, or one; and one that takes cube roots.
const RULES: [Chosen; 4] =
    [("adamw", &[], 2), ("lion", &[], 1), ("sgd", &[("momentum", "0.9")], 1), ("madgrad", &[], 3)];

/// The memory in use after each step is the same. Under fusion it is given back later.
fn assert_stays(name: &str, in_use: &[u64]) {
    let stays = in_use.windows(2).all(|pair| pair[0] == pair[1]);
    assert!(stays || cfg!(feature = "fusion"), "{name}: {in_use:?}");
}

fn steps_of_a_model(there: &str, device: &Device) {
    for (rule, options, states) in RULES {
        let expected = launches_of_vectors(there, 2 + states, 0, device);
        let Steps { last, builds, in_use } = take(4, &VECTORS, walk(rule, options), device);
        let name = format!("{rule} on {there}: {:?}", last.names);
        assert_eq!(last.of("Update"), expected, "{name}");
        assert_eq!(last.names.len(), expected, "{name}");
        assert!(!builds, "{name}: the last step builds kernels");
        // Of one, of two and of four tensors; and by four, two or one number, but where rows are padded there is room for
        // four, whatever the length.
        let most = if there == "cuda" { 2 } else { 3 };
        assert!(last.kernels.len() <= most, "{name}: {} kernels", last.kernels.len());
        assert_stays(&name, &in_use);

        // A few more for the sum of all squares.
        let clipped = walk(rule, options).clip_norm(0.1);
        let Steps { last, builds, in_use } = take(4, &VECTORS, clipped, device);
        let name = format!("{rule}, clipped, on {there}: {:?}", last.names);
        let expected = launches_of_vectors(there, 2 + states, 1, device);
        assert_eq!(last.of("Update"), expected, "{name}");
        let sums = last.of("Add");
        assert!(sums <= VECTORS.len() && sums + last.of("Fold") < last.names.len(), "{name}");
        assert!(last.names.len() <= expected + sums + FEW, "{name}");
        assert!(!builds, "{name}: the last step builds kernels");
        assert_stays(&name, &in_use[1..]);
    }
}

/// As many tensors as models have, of fewer elements; a rule, whether its gradients are clipped, and its launches at most.
/// LAMB sums over each tensor.
const LIKE_MODELS: [(&str, &str, bool, usize); 5] = [
    ("resnet50", "adamw", false, 12),
    ("gpt2", "adamw", false, 12),
    ("small", "adamw", false, 64),
    ("resnet50", "adamw", true, 24),
    ("resnet50", "lamb", false, 24),
];

fn steps_of_lists(there: &str, device: &Device) {
    for (list, rule, clipped, most) in LIKE_MODELS {
        let shapes = LISTS.iter().find(|known| known.name == list).expect("it is there").shapes;
        let shapes: Vec<_> = shapes().into_iter().map(|[a, b]| [a.min(2), b.min(64)]).collect();
        let builder = walk(rule, &[]);
        let builder = if clipped { builder.clip_norm(0.1) } else { builder };
        let Steps { last, builds, in_use } = take(3, &shapes, builder, device);
        let launches = last.names.len();
        let name = format!("{rule} on {list}, clipped: {clipped}, on {there}: {launches} launches");
        assert!(there != "cuda" || launches <= most, "{name}");
        assert!(!builds, "{name}: the last step builds kernels");
        assert_stays(&name, &in_use[1..]);
        if rule == "adamw" && !clipped && there == "cuda" {
            assert_eq!(launches, launches_of(shapes.len(), 4, 0, device), "{name}");
        }
    }
}

/// Tensors that are stepped together have the bits that they have one by one.
fn steps_together(there: &str, device: &Device) {
    for (rule, options, _) in RULES {
        let optimizer = registry::build(rule, options).expect("it is allowed");
        for dtype in [DType::F32, DType::BF16].into_iter().filter(|of| device.supports_dtype(*of)) {
            let shapes = VECTORS.into_iter().chain(SHAPES).cycle().take(40);
            let random = |shape| {
                Tensor::<2>::random(shape, Distribution::Default, (device, DType::F32)).cast(dtype)
            };
            let mut tensors: Vec<_> = shapes.map(|shape| (shape, random(shape), None)).collect();
            let mut together: Vec<_> = tensors.iter().map(|(_, x, _)| x.clone()).collect();
            let mut states: Vec<_> = together.iter().map(|x| optimizer.start(x)).collect();
            for _ in 0..2 {
                let gradients: Vec<_> = tensors.iter().map(|(shape, ..)| random(*shape)).collect();
                for ((_, x, state), gradient) in tensors.iter_mut().zip(&gradients) {
                    let step = optimizer.try_step(0.1, x.clone(), gradient.clone(), state.take());
                    let (stepped, after) = step.expect("a good step");
                    (*x, *state) = (stepped, Some(after));
                }
                let all = together.into_iter().zip(gradients).zip(states);
                let defer = |((x, gradient), state)| optimizer.defer(0.1, x, gradient, state);
                let mut steps: Vec<_> = all.map(|one| defer(one).expect("a good step")).collect();
                Deferred::run(&mut steps);
                (together, states) = steps.into_iter().map(Deferred::finish::<2>).unzip();
            }
            for ((shape, x, state), (y, other)) in tensors.iter().zip(together.iter().zip(&states))
            {
                let name = format!("{rule} {shape:?} in {dtype:?} on {there}");
                assert_eq!(x.clone().into_data(), y.clone().into_data(), "{name}");
                let state = state.as_ref().expect("it has taken steps");
                assert_eq!(state.tensors(), other.tensors(), "{name}");
            }
        }
    }
}

/// How a parameter and its gradient lie, and the copies that a step makes of them.
struct Lying {
    name: &'static str,
    parameter: fn([usize; 2], &Device) -> Tensor<2>,
    gradient: fn([usize; 2], &Device) -> Tensor<2>,
    /// Does somebody else hold the parameter?
    held: bool,
    /// In each step but the first, which may move states.
    copies: usize,
}

fn rows([rows, columns]: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::random([rows, columns], Distribution::Default, (device, DType::F32))
}

fn columns([rows, columns]: [usize; 2], device: &Device) -> Tensor<2> {
    self::rows([columns, rows], device).transpose()
}

/// A row that stands for all of them.
fn expanded([rows, columns]: [usize; 2], device: &Device) -> Tensor<2> {
    self::rows([1, columns], device).expand([rows, columns])
}

const LYING: [Lying; 6] = [
    Lying { name: "by rows", parameter: rows, gradient: rows, held: false, copies: 0 },
    Lying { name: "by columns", parameter: columns, gradient: columns, held: false, copies: 0 },
    Lying {
        name: "gradient by columns",
        parameter: rows,
        gradient: columns,
        held: false,
        copies: 1,
    },
    Lying {
        name: "gradient expanded",
        parameter: rows,
        gradient: expanded,
        held: false,
        copies: 1,
    },
    Lying { name: "held by others", parameter: rows, gradient: rows, held: true, copies: 1 },
    Lying { name: "columns, held", parameter: columns, gradient: rows, held: true, copies: 2 },
];

/// Rows that CUDA pads, and rows that it does not.
const SHAPES: [[usize; 2]; 5] = [[128, 10], [16, 257], [64, 64], [3, 5], [7, 1]];

fn steps_of_matrices(there: &str, device: &Device) {
    let adamw = registry::build("adamw", &[] as &[(&str, &str)]).expect("it is allowed");
    for (shape, lying) in SHAPES.into_iter().flat_map(|shape| LYING.map(|lying| (shape, lying))) {
        let name = format!("{} {shape:?} on {there}", lying.name);
        // One row or column lies like the other.
        let least = if shape.contains(&1) { usize::from(lying.held) } else { lying.copies };
        let copies = least..=lying.copies;
        let mut parameter = (lying.parameter)(shape, device);
        let mut state = None;
        for step in 0..3 {
            let gradient = (lying.gradient)(shape, device);
            let held = lying.held.then(|| parameter.clone());
            let run = || adamw.try_step(0.01, parameter, gradient, state).expect("a good step");
            let ((next, after), launches) = observe(device, run);
            assert_eq!(launches.of("Update"), 1, "{name}: {:?}", launches.names);
            let copied = launches.names.len() - 1;
            assert!(step == 0 || copies.contains(&copied), "{name}: {:?}", launches.names);
            (parameter, state) = (next, Some(after));
            drop(held);
        }
    }
}

/// Sums over rows, columns and the tensor, the sum of what there is one of for each row, and the sum over what
/// follows from them: three passes; then the update, and a state of rows and one of columns brought forward.
fn steps_in_passes(there: &str, device: &Device) {
    let adafactor = registry::build("adafactor", &[] as &[(&str, &str)]).expect("it is allowed");
    for shape in SHAPES.into_iter().chain([[300, 200]]) {
        let name = format!("adafactor {shape:?} on {there}");
        let (mut parameter, mut state) = (rows(shape, device), None);
        let (mut in_use, mut known) = (Vec::new(), Vec::new());
        for step in 0..4 {
            let gradient = rows(shape, device);
            let run = || adafactor.try_step(0.01, parameter, gradient, state).expect("a good step");
            let ((next, after), launches) = observe(device, run);
            let [sums, folds, updates] = ["Collect", "Gather", "Update"].map(|of| launches.of(of));
            assert_eq!([sums, updates], [3, 3], "{name}: {:?}", launches.names);
            // Where there are many parts of a sum, they are put together by two launches.
            assert!((3..=6).contains(&folds), "{name}: {:?}", launches.names);
            let others = launches.names.len() - sums - folds - updates;
            assert!(step == 0 || others == 0, "{name}: {:?}", launches.names);
            let builds = launches.kernels.iter().any(|kernel| !known.contains(kernel));
            assert!(step == 0 || !builds, "{name}: step {step} builds kernels");
            known.extend(launches.kernels);
            (parameter, state) = (next, Some(after));
            in_use.push(bytes_in_use(device));
        }
        assert_stays(&name, &in_use[1..]);
    }
}

/// States in eight bits are read and written by the one kernel of a step, or by two around those of a rule that takes more;
/// nothing comes to the host, and no memory stays.
fn steps_in_words(there: &str, device: &Device) {
    for (rule, around) in [("adamw", 0), ("lamb", 2 * VECTORS.len())] {
        let optimizer = registry::build(rule, &[] as &[(&str, &str)]).expect("it is allowed");
        let kept = optimizer.keep_small(0).keep_all(Store::int8()).expect("it is allowed");
        let builder = Descent::builder(kept).schedule(Exponential::new(1e-3, 0.9));
        let Steps { last, builds, in_use } = take(4, &VECTORS, builder, device);
        let name = format!("{rule} in eight bits on {there}: {:?}", last.names);
        assert_eq!(last.of("Update"), VECTORS.len(), "{name}");
        assert_eq!(last.of("Widen") + last.of("Narrow"), around, "{name}");
        assert!(around > 0 || last.names.len() == VECTORS.len(), "{name}");
        assert!(!builds, "{name}: the last step builds kernels");
        assert_stays(&name, &in_use);
    }
}
