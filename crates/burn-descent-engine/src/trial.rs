//! Is a rule sound in a precision? Found by trying it on a few weights.

use crate::program::Program;
use crate::state::compute_dtype;
use burn::tensor::DType;
use burn_descent_rules::{Domain, Graph, InvalidOption, Node, Real, View};
use std::sync::OnceLock;

/// What came of trying a rule, for each precision in which it has been tried.
#[derive(Default)]
pub(crate) struct Trials {
    f32: OnceLock<Result<(), InvalidOption>>,
    f64: OnceLock<Result<(), InvalidOption>>,
}

impl Program {
    /// Does an update stay finite in the precision in which parameters of this type are computed?
    pub(crate) fn check_in(&self, parameter: DType) -> Result<(), InvalidOption> {
        let (found, precision, survives) = match compute_dtype(parameter) {
            DType::F64 => (&self.trials.f64, "f64", survives::<f64> as fn(&Self) -> bool),
            _ => (&self.trials.f32, "f32", survives::<f32> as fn(&Self) -> bool),
        };
        found.get_or_init(|| self.try_out(precision, survives)).clone()
    }

    /// Names the option that breaks the rule: the first with which alone at its default it would
    /// survive, else the last of those that have to be at theirs. A rule that does not survive with its
    /// defaults either says nothing of its options.
    fn try_out(&self, precision: &str, survives: fn(&Self) -> bool) -> Result<(), InvalidOption> {
        if survives(self) {
            return Ok(());
        }
        let changed =
            self.options().iter().zip(&self.code.defaults).filter(|(now, before)| now != before);
        let changed: Vec<_> = changed.map(|(now, (_, default))| (now, default.as_str())).collect();
        let with = |options: &[(&str, &str)]| self.with(options).is_ok_and(|rule| survives(&rule));
        let alone = changed.iter().find(|((option, _), default)| with(&[(option, default)]));
        let together = || {
            let defaults = |until: usize| {
                changed[..=until].iter().map(|((option, _), default)| (option.as_str(), *default))
            };
            let broken = |until: &usize| with(&defaults(*until).collect::<Vec<_>>());
            (0..changed.len()).find(broken).map(|last| &changed[last])
        };
        match alone.or_else(together) {
            None => Ok(()),
            Some(((option, value), _)) => Err(InvalidOption {
                owner: self.code.name,
                option: option.clone().into(),
                value: value.clone(),
                allowed: format!("one with which an update in {precision} gives finite numbers"),
            }),
        }
    }
}

const STEPS: u64 = 8;

/// As small as rates are, so that no decay that makes sense diverges in these steps.
const LR: f64 = 1e-3;

/// The loss, for rules that need it.
const LOSS: f64 = 1.0;

/// Where weights begin.
const WEIGHTS: [f64; 2] = [0.0, 0.5];

const GRADIENTS: usize = 9;

/// Gradients of step `t`, from 0: none, tiny, ordinary; with one sign and in turns; that fall, rise,
/// come late, and stop.
fn gradients(t: u64) -> [f64; GRADIENTS] {
    let sign = if t.is_multiple_of(2) { 1.0 } else { -1.0 };
    let power = |base: f64| base.powi(t as i32);
    let [early, late] = [t < 2, t >= 2].map(|is| if is { 0.5 } else { 0.0 });
    [0.0, 1e-20, -1e-20 * sign, 0.1, 0.1 * sign, 0.5 * power(0.7), 0.01 * power(1.7), late, -early]
}

/// Do a few weights stay finite, and those to evaluate too?
fn survives<R: Real<Mask = bool> + Into<f64>>(program: &Program) -> bool {
    let gradients_at = |t| gradients(t).map(R::lit);
    // The weights are the rows of a matrix.
    let view = View::matrix(WEIGHTS.len(), gradients(0).len());
    let whole = |value: &f64| vec![R::lit(*value); view.len()];
    let mut p: Vec<R> = WEIGHTS.iter().flat_map(|w| [R::lit(*w); GRADIENTS]).collect();
    let mut states: Vec<_> = program.starts().iter().map(whole).collect();
    let mut memory = program.memory();
    for t in 0..STEPS {
        let own = program.compute(LR, t + 1, &mut memory, Some(LOSS));
        let scalars: Vec<f64> = own.iter().copied().chain([1.0]).collect();
        let g = gradients_at(t).repeat(WEIGHTS.len());
        let mut new = run(&program.code.update, view, &p, &g, &states, &scalars).into_iter();
        p = new.next().unwrap_or(p);
        states = new.collect();
        let evaluated = run(&program.code.evaluate, view, &p, &g, &states, &own);
        let mut all = p.iter().chain(evaluated.iter().flatten());
        if !all.all(|x| Into::<f64>::into(*x).is_finite()) {
            return false;
        }
    }
    true
}

/// The outputs of a graph at each element. Nothing is drawn for noise.
fn run<R: Real<Mask = bool>>(
    graph: &Graph,
    view: View,
    p: &[R],
    g: &[R],
    states: &[Vec<R>],
    scalars: &[f64],
) -> Vec<Vec<R>> {
    use Node::*;
    let (zero, one) = (R::lit(0.0), R::lit(1.0));
    // A mask is 1 or 0.
    let mut values: Vec<Vec<R>> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let whole = |number: f64| vec![R::lit(number); view.len()];
        let one_of = |a: usize, f: &dyn Fn(R) -> R| values[a].iter().map(|a| f(*a)).collect();
        let two_of = |a: usize, b: usize, f: &dyn Fn(R, R) -> R| {
            values[a].iter().zip(&values[b]).map(|(a, b)| f(*a, *b)).collect()
        };
        values.push(match *node {
            Parameter => p.to_vec(),
            Gradient => g.to_vec(),
            Noise => whole(0.0),
            State(lane) => states[lane].clone(),
            Scalar(lane) => whole(scalars[lane]),
            Literal(bits) => whole(f64::from_bits(bits)),
            Count(of) => whole(view.elements(of) as f64),
            Add(a, b) => two_of(a, b, &|a, b| a + b),
            Sub(a, b) => two_of(a, b, &|a, b| a - b),
            Mul(a, b) => two_of(a, b, &|a, b| a * b),
            Div(a, b) => two_of(a, b, &|a, b| a / b),
            Max(a, b) => two_of(a, b, &R::max),
            Lt(a, b) => two_of(a, b, &|a, b| R::select(a.lt(b), one, zero)),
            Neg(a) => one_of(a, &|a| -a),
            Sqrt(a) => one_of(a, &R::sqrt),
            RoughCbrt(a) => one_of(a, &R::cbrt),
            Pow(a, b) => two_of(a, b, &R::powf),
            Abs(a) => one_of(a, &R::abs),
            Select(mask, yes, no) => (0..view.len())
                .map(|i| R::select(zero.lt(values[mask][i]), values[yes][i], values[no][i]))
                .collect(),
            Fold(_, burn_descent_rules::Fold::Whole, _, of) => values[of].clone(),
            Fold(_, fold, to, of) => folded(&values[of], view, fold, to),
            Known(_) => unreachable!("the sums are in the graph"),
        });
    }
    graph.outputs.iter().map(|id| values[*id].clone()).collect()
}

fn folded<R: Real<Mask = bool>>(
    x: &[R],
    view: View,
    fold: burn_descent_rules::Fold,
    to: Domain,
) -> Vec<R> {
    let mut sums: Vec<Option<R>> = vec![None; view.numbers(to)];
    for (place, x) in x.iter().enumerate() {
        let sum = &mut sums[view.place(to, place)];
        *sum = Some(sum.map_or(*x, |sum| fold.put(sum, *x)));
    }
    (0..x.len()).map(|place| sums[view.place(to, place)].unwrap_or(x[place])).collect()
}
