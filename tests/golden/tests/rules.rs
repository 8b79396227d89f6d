//! Every rule goes the way the same optimizer of another library has gone.
//!
//! `BURN_DESCENT_TRACES` names another folder of trajectory files to run instead of the one in the
//! repository. `cargo test --test rules -- --nocapture` prints what was compared.

use burn_descent_golden::{
    BoxError, Case, Engine, Error, OptimizerFile, Outcome, Precision, ReplayError, Setting, Skip,
    Step, replay, setting, traces, traces_dir,
};
use burn_descent_rules::optimizers::*;
use burn_descent_rules::{Real, Rule, from_pairs, slices::Walk};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Replays a case in the given precision.
type Replay = fn(&Case, &Setting, Precision) -> Result<Outcome, ReplayError>;

/// The rules by name, each with the least number of cases of its independent libraries.
macro_rules! rules {
    ($($rule:ident: $least:literal),* $(,)?) => {
        &[$(($rule::NAME, $least, replay_rule::<$rule> as Replay)),*]
    };
}
const RULES: &[(&str, usize, Replay)] = rules![
    Sgd: 40,
    Nesterov: 9,
    AdaGrad: 30,
    RmsProp: 40,
    Adam: 40,
    AdamW: 30,
    Lion: 10,
    Soap: 20,
    SPlus: 8,
    Galore: 9,
    Apollo: 5,
    Kron: 5,
    PsgdPro: 8,
    Muon: 81,
    NorMuon: 9,
    AdaMuon: 13,
    AdaGO: 7,
    Dion2: 10,
    Scion: 8,
    SignSgd: 10,
    Tiger: 7,
    Rprop: 17,
    Adopt: 10,
    AdEmaMix: 10,
    Adan: 20,
    Qhm: 10,
    AggMo: 7,
    Pid: 6,
    Asgd: 9,
    AdaMax: 13,
    NAdam: 19,
    RAdam: 16,
    AdaDelta: 10,
    AdaBelief: 13,
    AdaBound: 10,
    Yogi: 7,
    LaProp: 10,
    QhAdam: 10,
    Madgrad: 10,
    GrokFastAdamW: 10,
    AdamC: 7,
    AdamAtan2: 7,
    OptimisticGd: 7,
    OptimisticAdam: 7,
    DiffGrad: 10,
    AdaMod: 7,
    Padam: 7,
    Grams: 7,
    Pnm: 7,
    AdaPnm: 7,
    SimplifiedAdEmaMix: 10,
    AcProp: 7,
    AccSgd: 7,
    MSvag: 7,
    Mars: 24,
    Tam: 7,
    AdaTam: 7,
    AdaShift: 7,
    Ranger21: 6,
    Swats: 9,
    ApolloDqn: 8,
    SgdSai: 6,
    Ftrl: 14,
    Ano: 10,
    ExAdam: 7,
    Kate: 7,
    Lamb: 10,
    Lars: 34,
    NovoGrad: 27,
    AdamH: 2,
    Fromage: 16,
    Nero: 2,
    AdamP: 21,
    Sgdp: 21,
    StableSpam: 9,
    Adafactor: 10,
    Came: 10,
    Sm3: 10,
    Racs: 10,
    AdamMini: 4,
    Prodigy: 45,
    DAdaptAdam: 21,
    DAdaptSgd: 10,
    DAdaptAdaGrad: 10,
    DAdaptLion: 10,
    DAdaptAdan: 8,
    DoG: 9,
    DoWG: 8,
    Momo: 7,
    MomoAdam: 7,
    PolyakSgd: 9,
    Bcos: 10,
    AdaSmooth: 7,
    Vsgd: 7,
    Cocob: 7,
    AdaNorm: 6,
    AdaGC: 6,
    AdamS: 6,
    Adai: 6,
    AvaGrad: 6,
    AdamG: 7,
    Amos: 6,
    AdSgd: 6,
    FAdam: 6,
    Aida: 6,
    ScheduleFreeSgd: 24,
    ScheduleFreeAdamW: 24,
    ScheduleFreeRAdam: 10,
    Shampoo: 16,
    ScalableShampoo: 12,
    Dash: 4,
];

/// The rules as textbooks have them, computed by whoever wrote the files: no library of its own.
const TEXTBOOK: &str = "formula";
/// Rules that only a textbook has.
const TEXTBOOK_ONLY: &[&str] = &[Nesterov::NAME];

/// Rules whose trajectories are in the repository alone.
const ONLY_HERE: &[&str] = &[AdamAtan2::NAME];

/// How many cases of the files in the repository are left out, and why.
const LEFT_OUT: &[(&str, usize)] = &[
    ("it has no run in f32", 114),
    ("it has no sequence of gradients: the optimizer asked for them as it went", 17),
    (
        "another rule: a factor whose rank is not full in the first step: the basis of its null space is any, and the \
         way depends on which one a LAPACK takes",
        6,
    ),
    (
        "another rule: heavyball: a basis is made when a sum of reciprocals of its frequency passes a whole number, \
         which rounding shifts: for 3 in the calls 3, 7, 9, 12, 16 and 19",
        1,
    ),
    ("the library failed in f32: ValueError('not run: the lift depends on the dtype')", 2),
    (
        "another rule: GaLore: the weight decay of vectors acts after their step; that of an auxiliary rule here is part \
         of it",
        1,
    ),
    (
        "another rule: timm: the length of AdaMuon's step is over the root of the number of positions of a kernel",
        1,
    ),
    (
        "the library failed in f32: ValueError('not run: Newton-Schulz is stochastically rounded bf16 there')",
        3,
    ),
    (
        "another rule: SM3 with a number for each index of each dimension; here of a tensor of more than two \
         dimensions there is one for each row and each column of a matrix",
        2,
    ),
    (
        "another rule: optax: factored are the two largest dimensions; a stack of matrices here is one of the last \
         two",
        2,
    ),
    (
        "another rule: adam-mini: the names of the parameters choose between rows, heads, whole tensors and Adam; here \
         they are groups of a walk, of which a rule knows nothing: tests/tests/descent/heads.rs walks so",
        3,
    ),
    ("another rule: prodigyopt: sums over every so many elements only", 1),
    (
        "another rule: timm: factored are the first two of more dimensions; a stack of matrices here is one of the \
         last two",
        2,
    ),
    (
        "another rule: timm: factored are the two largest dimensions; a stack of matrices here is one of the last \
         two",
        1,
    ),
    ("the library failed in f32: ValueError('not run: signs of the f32 SVD differ')", 5),
];

fn replay_rule<U: Rule>(
    case: &Case,
    setting: &Setting,
    precision: Precision,
) -> Result<Outcome, ReplayError> {
    let rule: U = from_pairs(&setting.options).map_err(|e| ReplayError::Engine(e.into()))?;
    match precision {
        Precision::F64 => {
            replay(case, setting, precision, &mut OnSlices::<U, f64>::new(rule, case))
        }
        Precision::F32 => {
            replay(case, setting, precision, &mut OnSlices::<U, f32>::new(rule, case))
        }
    }
}

/// A rule on plain slices.
struct OnSlices<'a, U, R> {
    rule: U,
    case: &'a Case,
    params: Vec<Vec<R>>,
    walks: Vec<Walk<U, R>>,
}

impl<'a, U: Rule, R: Real + Into<f64>> OnSlices<'a, U, R> {
    fn new(rule: U, case: &'a Case) -> Self {
        Self { rule, case, params: vec![], walks: vec![] }
    }

    /// For each parameter, the random numbers that the library drew and the bases that it found, in order.
    fn recorded(&self) -> Vec<Vec<Vec<f64>>> {
        let mut recorded = vec![vec![]; self.walks.len()];
        let drawing: Vec<usize> =
            (0..self.walks.len()).filter(|number| self.walks[*number].draws()).collect();
        for step in self.case.draws.chunk_by(|a, b| a.step == b.step) {
            // It draws for one parameter after the other, as often for each.
            let each = step.len().div_ceil(drawing.len().max(1)).max(1);
            for (draws, number) in step.chunks(each).zip(&drawing) {
                recorded[*number].extend(draws.iter().map(|draw| draw.values.clone()));
            }
        }
        for projector in &self.case.projectors {
            recorded[projector.tensor].extend(projector.values.iter().cloned());
        }
        recorded
    }
}

fn cast<R: Real>(tensor: &[f64]) -> Vec<R> {
    tensor.iter().map(|x| R::lit(*x)).collect()
}

fn widen<R: Real + Into<f64>>(tensor: &[R]) -> Vec<f64> {
    tensor.iter().map(|x| (*x).into()).collect()
}

impl<U: Rule, R: Real + Into<f64>> Engine for OnSlices<'_, U, R> {
    fn start(&mut self, init: &Step, shapes: &[Vec<usize>]) -> Result<(), BoxError> {
        let walk = |shape: &Vec<usize>| Walk::of_shape(self.rule.clone(), shape, false);
        self.walks = shapes.iter().map(walk).collect::<Result<_, _>>()?;
        let recorded = self.recorded().into_iter();
        let walks = core::mem::take(&mut self.walks).into_iter().zip(recorded);
        self.walks = walks.map(|(walk, recorded)| walk.with_recorded(recorded)).collect();
        self.params = init.iter().map(|tensor| cast(tensor)).collect();
        Ok(())
    }

    fn step(&mut self, lr: f64, grads: &Step) -> Result<(), BoxError> {
        self.step_with_loss(lr, None, grads)
    }

    fn step_with_loss(&mut self, lr: f64, loss: Option<f64>, grads: &Step) -> Result<(), BoxError> {
        let grads: Vec<Vec<R>> = grads.iter().map(|g| cast(g)).collect();
        let all = self.walks.iter_mut().zip(&mut self.params).zip(&grads);
        let mut all: Vec<_> = all.map(|((walk, p), g)| (walk, &mut p[..], &g[..])).collect();
        match loss {
            Some(loss) => Walk::step_together_with_loss(lr, loss, &mut all)?,
            None => Walk::step_together(lr, &mut all)?,
        }
        Ok(())
    }

    fn params(&self) -> Result<Step, BoxError> {
        Ok(self.params.iter().map(|p| widen(p)).collect())
    }

    fn evaluated(&self) -> Result<Step, BoxError> {
        let evaluate = |(p, walk): (&Vec<R>, &Walk<U, R>)| widen(&walk.evaluate(p));
        Ok(self.params.iter().zip(&self.walks).map(evaluate).collect())
    }
}

/// What happened to the cases of some files.
#[derive(Default)]
struct Report {
    /// Cases of independent libraries that agree, by rule.
    agree: BTreeMap<&'static str, usize>,
    /// The libraries they are from, by rule.
    libraries: BTreeMap<&'static str, BTreeSet<String>>,
    /// The cases that were left out, by reason.
    left_out: BTreeMap<String, usize>,
    /// Everything that is wrong.
    failures: Vec<String>,
}

impl Report {
    /// Of all files, by every core.
    fn of(files: &[PathBuf]) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let part = |core| files.iter().skip(core).step_by(cores);
            let threads: Vec<_> =
                (0..cores).map(|core| scope.spawn(move || Self::of_part(part(core)))).collect();
            let parts = threads.into_iter().map(|thread| thread.join().expect("no panic"));
            parts.fold(Self::default(), Self::with)
        })
    }

    fn of_part<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Self {
        let mut report = Self::default();
        for path in files {
            match OptimizerFile::read(path) {
                Ok(file) => report.add(&file),
                Err(Error::NotOptimizer { .. }) => {}
                Err(error) => report.failures.push(error.to_string()),
            }
        }
        report
    }

    fn with(mut self, other: Self) -> Self {
        for (rule, cases) in other.agree {
            *self.agree.entry(rule).or_default() += cases;
        }
        for (rule, libraries) in other.libraries {
            self.libraries.entry(rule).or_default().extend(libraries);
        }
        for (reason, cases) in other.left_out {
            *self.left_out.entry(reason).or_default() += cases;
        }
        self.failures.extend(other.failures);
        self
    }

    fn add(&mut self, file: &OptimizerFile) {
        let mut worst = [0.0_f64; 2];
        let mut agree = 0;
        for case in &file.cases {
            match self.replay(file, case, &mut worst) {
                Ok(true) => agree += 1,
                Ok(false) => {}
                Err(skip) => self.leave_out(&skip),
            }
        }
        if agree > 0 {
            println!(
                "{:18} {:18} {agree:3} of {:3} cases agree, max error {:.1e} (f64) {:.1e} (f32)",
                file.library,
                file.optimizer,
                file.cases.len(),
                worst[0],
                worst[1],
            );
        }
    }

    fn leave_out(&mut self, skip: &Skip) {
        *self.left_out.entry(skip.to_string()).or_default() += 1;
    }

    /// Does the case agree in both precisions, or in f64 where there is no f32?
    fn replay(
        &mut self,
        file: &OptimizerFile,
        case: &Case,
        worst: &mut [f64; 2],
    ) -> Result<bool, Skip> {
        let named = format!("{} {}", file.library, case.id);
        let setting = setting(file, case).inspect_err(|skip| {
            if let Skip::Unlisted { .. } | Skip::Missing(_) | Skip::Value { .. } = skip {
                self.failures.push(format!("{named}: {skip}"));
            }
        })?;
        if case.grads.is_none() {
            return Err(Skip::NoGradients);
        }
        let Some((name, _, run)) = RULES.iter().find(|(name, ..)| *name == setting.name) else {
            self.failures.push(format!("{named}: there is no rule `{}`", setting.name));
            return Ok(false);
        };
        let mut agrees = true;
        for (precision, worst) in [Precision::F64, Precision::F32].into_iter().zip(worst) {
            let failure = match run(case, &setting, precision) {
                Ok(outcome) => {
                    *worst = worst.max(outcome.max_error);
                    (!outcome.agrees()).then(|| {
                        let Outcome { max_error, tolerance, step, tensor, .. } = outcome;
                        format!(
                            "error {max_error:.1e} > {tolerance:.0e} at step {step}, tensor {tensor}"
                        )
                    })
                }
                Err(ReplayError::Skip(skip)) if precision == Precision::F64 => return Err(skip),
                Err(ReplayError::Skip(skip)) => {
                    self.leave_out(&skip);
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            if let Some(failure) = failure {
                let options = &setting.options;
                self.failures.push(format!("{named} {precision:?}: {failure}; {name} {options:?}"));
                agrees = false;
            }
        }
        if agrees && (file.library != TEXTBOOK || TEXTBOOK_ONLY.contains(name)) {
            *self.agree.entry(name).or_default() += 1;
            self.libraries.entry(name).or_default().insert(file.library.clone());
        }
        Ok(agrees)
    }
}

#[test]
fn every_rule_agrees_with_other_libraries() {
    let elsewhere = std::env::var_os("BURN_DESCENT_TRACES").map(PathBuf::from);
    let files = traces(&elsewhere.clone().unwrap_or_else(traces_dir)).unwrap();
    let Report { agree, libraries, left_out, mut failures } = Report::of(&files);
    for (reason, cases) in &left_out {
        println!("{cases:3} left out: {reason}");
    }
    for (name, least, _) in RULES {
        let cases = agree.get(name).copied().unwrap_or_default();
        println!("{name}: {cases} cases agree, of {:?}", libraries.get(name));
        if cases < *least && (elsewhere.is_none() || !ONLY_HERE.contains(name)) {
            failures.push(format!("{name}: only {cases} cases agree, not {least} or more"));
        }
    }
    let expected: BTreeMap<_, _> = LEFT_OUT.iter().map(|(r, n)| (r.to_string(), *n)).collect();
    if elsewhere.is_none() && left_out != expected {
        failures.push(format!("left out: {left_out:#?}, not {expected:#?}"));
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// No library has the true look-ahead, but at a constant rate and without weight decay PyTorch's
/// `SGD(nesterov=True)` walks through the same look-ahead points.
#[test]
fn nesterov_trains_the_weights_of_sgd_with_nesterov() {
    let mut cases = 0;
    for path in traces(&traces_dir()).unwrap() {
        let file = OptimizerFile::read(&path).unwrap();
        for case in &file.cases {
            let Ok(setting) = setting(&file, case) else { continue };
            let Ok(sgd) = from_pairs::<Sgd>(&setting.options) else { continue };
            // Where the rate is constant, `classic` changes nothing; nor does how no decay acts.
            let sgd = sgd.classic(false).decoupled_weight_decay(false);
            let plain = Sgd::new().momentum(sgd.momentum).nesterov(true);
            if setting.name != Sgd::NAME || sgd != plain || case.lr_changes() {
                continue;
            }
            let options = vec![("momentum".to_string(), sgd.momentum.to_string())];
            let setting = Setting { name: Nesterov::NAME, options, ..setting };
            for precision in [Precision::F64, Precision::F32] {
                let outcome = replay_rule::<Nesterov>(case, &setting, precision).unwrap();
                assert!(outcome.agrees(), "{} {}: {outcome:?}", file.library, case.id);
            }
            cases += 1;
        }
    }
    assert!(cases >= 9, "only {cases} cases");
}
