use burn::module::*;
use burn::optim::*;
use burn::tensor::*;
use burn_descent::{Build, Descent};
#[derive(Module, Debug)]
struct Model {
    tensors: Vec<Param<Tensor<1>>>,
}
fn main() {
    let device = Device::flex();
    let model = Model {
        tensors: (0..1000)
            .map(|_| Param::from_tensor(Tensor::<1>::ones([64], (&device, DType::F32)).autodiff().require_grad()))
            .collect(),
    };
    let ids: Vec<_> = model.tensors.iter().map(|p| p.id).collect();
    let f = burn_descent::AdamW::new().build().unwrap();
    let mut d = Descent::new(f).schedule(1e-3).build(&model).unwrap();
    let mut m = Some(model);
    let mut total = std::time::Duration::ZERO;
    let n = 300;
    for _ in 0..n {
        let mut g = GradientsParams::new();
        for id in &ids {
            g.register(*id, Tensor::<1>::full([64], 0.5, (&device, DType::F32)));
        }
        let b = std::time::Instant::now();
        m = Some(d.step(m.take().unwrap(), g).unwrap().0);
        total += b.elapsed();
    }
    println!("{:?} a tensor", total / n / 1000);
}
