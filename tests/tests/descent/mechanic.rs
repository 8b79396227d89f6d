//! Mechanic around an optimizer, in lives with real gradients, against arithmetic by hand.

use crate::line::{Line, gradients_at, line};
use burn::tensor::DType;
use burn_descent::{Build, Checkpoint, Descent, Mechanic, Nesterov, Sgd};

const LR: f64 = 0.5;

fn options() -> Mechanic {
    Mechanic::new().s_init(0.01)
}

fn walk(model: &Line) -> Descent {
    let sgd = Sgd::new().build().expect("defaults are allowed");
    Descent::builder(sgd).lr(LR).mechanic(options()).build(model).expect("it fits")
}

/// Down `(a − 1)² + 3 (b + 2)²`.
fn gradients([a, b]: [f64; 2]) -> [f64; 2] {
    [2.0 * (a - 1.0), 6.0 * (b + 2.0)]
}

fn step(descent: &mut Descent, model: Line) -> Line {
    let gradients = gradients_at(&model, gradients(model.values()));
    descent.step(model, gradients).expect("a good step").0
}

/// Two weights, of which the second may be frozen, by the formula as it is written.
struct ByHand {
    starts: [Option<f64>; 2],
    w: [f64; 2],
    m: [f64; 6],
    v: [f64; 6],
    r: [f64; 6],
    s: [f64; 6],
}

impl ByHand {
    fn step(&mut self, frozen: bool) {
        let options = options();
        let trained: Vec<usize> = (0..if frozen { 1 } else { 2 }).collect();
        if frozen {
            self.starts[1] = None;
        }
        let g = gradients(self.w);
        let sum: f64 = self.s.iter().sum();
        let starts = [0, 1].map(|i| self.starts[i].unwrap_or(self.w[i]));
        let way = |i: usize| (starts[i] - self.w[i]) / (sum + options.eps);
        let norm =
            |of: &dyn Fn(usize) -> f64| trained.iter().map(|i| of(*i).powi(2)).sum::<f64>().sqrt();
        let decay =
            options.weight_decay * sum * norm(&|i| g[i]) / (norm(&|i| self.w[i]) + options.eps);
        let h: f64 = trained.iter().map(|i| (g[*i] + decay * self.w[*i]) * way(*i)).sum();
        let ways = [way(0), way(1)];
        for i in &trained {
            self.starts[*i] = Some(starts[*i]);
        }
        for i in 0..6 {
            let beta = 1.0 - 0.1_f64.powi(i as i32 + 1);
            let bounded = h.clamp(-self.m[i], self.m[i]);
            self.m[i] = (beta * self.m[i]).max(h.abs() + options.eps);
            self.v[i] = beta * beta * self.v[i] + h * h;
            self.r[i] = beta * self.r[i] + bounded * self.s[i];
            let s = options.s_init / 6.0 * self.m[i] + self.r[i].max(0.0);
            self.s[i] = s / (self.v[i].sqrt() + options.eps);
        }
        let sum: f64 = self.s.iter().sum();
        for i in trained {
            let u = -LR * g[i];
            self.w[i] = self.starts[i].expect("it has begun") - sum * (ways[i] - u);
        }
    }
}

#[test]
fn a_life_is_the_formula() {
    let begin = [3.0, -1.0];
    let mut model = line(begin, DType::F64);
    let mut descent = walk(&model);
    let zeros = [0.0; 6];
    let mut by_hand =
        ByHand { starts: [None; 2], w: begin, m: zeros, v: zeros, r: zeros, s: zeros };
    for t in 0..30 {
        // The second one is frozen for a while, and begins anew.
        let frozen = (8..15).contains(&t);
        model = if frozen { model.frozen(1) } else { model.thawed(1) };
        if t == 20 {
            let bytes = descent
                .checkpoint(&model)
                .expect("of this model")
                .into_bytes()
                .expect("it can be written");
            let fresh = line([0.0, 0.0], DType::F64);
            let mut again = walk(&fresh);
            model = Checkpoint::from_bytes(bytes)
                .expect("bytes")
                .restore(&mut again, &fresh)
                .expect("it fits");
            descent = again;
        }
        model = step(&mut descent, model);
        by_hand.step(frozen);
        for (found, expected) in model.values().iter().zip(by_hand.w) {
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{t}: {found} {expected}");
        }
    }
    assert!(by_hand.s.iter().sum::<f64>() > 0.1, "the factor has grown");
}

#[test]
fn the_factor_is_reported() {
    let mut model = line([3.0, -1.0], DType::F32);
    let mut descent = walk(&model);
    let mut last = 0.0;
    for _ in 0..40 {
        let gradients = gradients_at(&model, gradients(model.values()));
        let report;
        (model, report) = descent.step(model, gradients).expect("a good step");
        let (name, factor) = &report.estimates[0];
        assert_eq!(name, "mechanic");
        last = factor.get();
    }
    assert!(last > 0.02, "{last}");
    let [a, b] = model.values();
    assert!((a - 1.0).abs() < 2.0 && (b + 2.0).abs() < 1.0, "{a} {b}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = line([1.0, 1.0], DType::F32);
    let nesterov = Nesterov::new().build().expect("defaults are allowed");
    let error = Descent::builder(nesterov).lr(0.1).mechanic(Mechanic::new()).build(&model);
    let error = error.expect_err("it is evaluated elsewhere").to_string();
    assert!(error.contains("mechanic = nesterov"), "{error}");
    let climbing = Sgd::new().maximize(true).build().expect("it is allowed");
    let error = Descent::builder(climbing).lr(0.1).mechanic(Mechanic::new()).build(&model);
    assert!(error.expect_err("it climbs").to_string().contains("descend"));
    for (options, expected) in [
        (Mechanic::new().s_init(0.0), "mechanic: s_init = 0"),
        (Mechanic::new().betas(0), "mechanic: betas = 0"),
        (Mechanic::new().betas(16), "mechanic: betas = 16"),
        (Mechanic::new().eps(f64::NAN), "mechanic: eps = NaN"),
    ] {
        let sgd = Sgd::new().build().expect("defaults are allowed");
        let error = Descent::builder(sgd).lr(0.1).mechanic(options).build(&model);
        let error = error.expect_err("it is out of range").to_string();
        assert!(error.contains(expected), "{error}");
    }
}
