//! What a step launches on a GPU: one kernel a tensor, which is there after the first step, and no
//! memory that stays.

use burn::backend::DispatchDevice;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use burn_descent::schedules::Exponential;
use burn_descent::{Builder, Descent, registry};
use burn_descent_tests::devices;
use burn_descent_tests::model::Model;
use cubecl::MemoryScope;
use cubecl::launched::LaunchedKernels;
use cubecl::logging::{LaunchObservation, LaunchObserver};
use std::sync::{Arc, Mutex};

/// Lengths that four, two and one divide: each is a kernel of its own.
const LENGTHS: [usize; 6] = [64, 130, 7, 1024, 2, 33];

/// Gradients of a half, which lie on the device when they are returned.
fn gradients(model: &Model, device: &Device) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    for (param, len) in model.tensors.iter().zip(LENGTHS) {
        gradients.register(param.id, Tensor::<1>::full([len], 0.5, (device, DType::F32)));
    }
    device.sync().expect("the device answers");
    gradients
}

/// Launches that make the factor of clipping of the sums of squares.
const FEW: usize = 9;

/// The names of the kernels that were launched.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl LaunchObserver for Names {
    fn launched(&self, kernel: &'static str) {
        self.0.lock().expect("nothing panics while it is held").push(kernel);
    }
}

/// What steps have launched, and what memory is in use after each.
struct Steps {
    /// The kernels of the last step.
    names: Vec<&'static str>,
    /// Did the last step launch kernels that no step before it has launched?
    builds: bool,
    in_use: Vec<u64>,
}

fn take(steps: usize, builder: Builder, device: &Device) -> Steps {
    let mut model = Model::ones(&LENGTHS, device);
    let mut descent = builder.build(&model).expect("it fits");
    let (mut names, mut kernels, mut in_use) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..steps {
        let gradients = gradients(&model, device);
        let (observer, launched) = (Arc::new(Names::default()), LaunchedKernels::new());
        let observation = LaunchObservation::new(observer.clone());
        model = descent.step(model, gradients).expect("a good step").0;
        device.sync().expect("the device answers");
        drop(observation);
        kernels.push(launched.finish());
        names = observer.0.lock().expect("nothing panics while it is held").clone();
        in_use.push(bytes_in_use(device));
    }
    let (last, before) = kernels.split_last().expect("a step");
    let builds = last.iter().any(|kernel| !before.iter().any(|known| known.contains(kernel)));
    Steps { names, builds, in_use }
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
    Descent::new(optimizer).schedule(Exponential::new(1e-3, 0.9))
}

/// One test, for what is launched is observed in the whole process.
#[test]
fn a_step_is_one_launch_a_tensor_of_a_kernel_that_is_there() {
    let entry = devices::all().into_iter().find(|entry| entry.name == "wgpu").expect("an entry");
    let device = match entry.device {
        Ok(device) => device,
        Err(reason) => {
            let required = std::env::var("BURN_DESCENT_REQUIRE").unwrap_or_default();
            assert!(!required.contains("wgpu"), "{reason}");
            return eprintln!("skipped: {reason}");
        }
    };
    for (name, options) in [("adamw", vec![]), ("lion", vec![]), ("sgd", vec![("momentum", "0.9")])]
    {
        let plain = take(4, walk(name, &options), &device);
        assert_eq!(count(&plain.names, "Update"), LENGTHS.len(), "{name}: {:?}", plain.names);
        assert_eq!(plain.names.len(), LENGTHS.len(), "{name}: {:?}", plain.names);
        assert!(!plain.builds, "{name}: the last step builds kernels");
        assert!(plain.in_use.windows(2).all(|pair| pair[0] == pair[1]), "{:?}", plain.in_use);

        // One more a tensor for the sum of its squares, and a few, however many tensors there are.
        let clipped = take(4, walk(name, &options).clip_norm(0.1), &device);
        assert_eq!(count(&clipped.names, "Update"), LENGTHS.len(), "{name}: {:?}", clipped.names);
        assert_eq!(count(&clipped.names, "Add"), LENGTHS.len(), "{name}: {:?}", clipped.names);
        assert!(clipped.names.len() <= 2 * LENGTHS.len() + FEW, "{name}: {:?}", clipped.names);
        assert!(!clipped.builds, "{name}: the last clipped step builds kernels");
        let in_use = &clipped.in_use[1..];
        assert!(in_use.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {in_use:?}");
    }
}

/// How many of the kernels are of this type.
fn count(names: &[&str], kernel: &str) -> usize {
    names.iter().filter(|name| name.rsplit("::").next() == Some(kernel)).count()
}
