//! One step of AdamW on each parameter list, for developers: `cargo bench -p burn-descent-tests`.
//!
//! The program `speed` measures all ways in turns, beside the floor and burn-optim, and is what
//! claims are made from; this follows one way over time.

#![allow(missing_docs)] // of what criterion's macros make

use burn::tensor::Device;
use burn_descent_tests::speed::{Choice, Gradients, LISTS, WAYS, way};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn adamw(criterion: &mut Criterion) {
    let adamw = Choice::new("adamw".parse().expect("a name")).expect("it is there");
    for list in LISTS.iter().take(5) {
        let shapes = (list.shapes)();
        let mut group = criterion.benchmark_group(format!("adamw/{}", list.name));
        let elements = list.lengths().iter().sum::<usize>() as u64;
        group.sample_size(10).throughput(Throughput::Elements(elements));
        for through in WAYS {
            let mut way = way(through, &adamw, &shapes, &Device::default());
            group.bench_function(through, |bencher| {
                bencher
                    .iter_custom(|steps| (0..steps).map(|_| way.step(Gradients::Fresh).time).sum());
            });
        }
    }
}

criterion_group!(benches, adamw);
criterion_main!(benches);
