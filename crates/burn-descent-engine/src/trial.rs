//! Is a rule sound in a precision? Found by trying it on a few weights.

use crate::program::{Lanes, Program};
use crate::state::compute_dtype;
use burn::tensor::DType;
use burn_descent_rules::{Graph, InvalidOption, Node, Real};
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
        let changed = self.options.iter().zip(&self.defaults).filter(|(now, before)| now != before);
        let changed: Vec<_> = changed.map(|(now, (_, default))| (now, default.as_str())).collect();
        let with =
            |options: &[(&str, &str)]| (self.with)(options).is_ok_and(|rule| survives(&rule));
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
                owner: self.name,
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

/// Where weights begin.
const WEIGHTS: [f64; 2] = [0.0, 0.5];

/// Gradients of step `t`, from 0: none, tiny, ordinary; with one sign and in turns; that fall, rise,
/// come late, and stop.
fn gradients(t: u64) -> [f64; 9] {
    let sign = if t.is_multiple_of(2) { 1.0 } else { -1.0 };
    let power = |base: f64| base.powi(t as i32);
    let [early, late] = [t < 2, t >= 2].map(|is| if is { 0.5 } else { 0.0 });
    [0.0, 1e-20, -1e-20 * sign, 0.1, 0.1 * sign, 0.5 * power(0.7), 0.01 * power(1.7), late, -early]
}

/// Do a few weights stay finite, and those to judge too?
fn survives<R: Real<Mask = bool> + Into<f64>>(program: &Program) -> bool {
    let first: Vec<R> = program.states.iter().map(|(_, value)| R::lit(*value)).collect();
    let places =
        WEIGHTS.iter().flat_map(|weight| (0..gradients(0).len()).map(move |g| (*weight, g)));
    let mut weights: Vec<(R, Vec<R>, usize)> =
        places.map(|(weight, g)| (R::lit(weight), first.clone(), g)).collect();
    let mut memory: Vec<f64> = program.memory.iter().map(|(_, value)| *value).collect();
    for t in 0..STEPS {
        let Lanes { rule, noise } = (program.compute)(LR, t + 1, &mut memory);
        let judging: Vec<R> = rule.iter().map(|scalar| R::lit(*scalar)).collect();
        let scalars = rule.into_iter().chain([1.0]).chain(noise).map(R::lit);
        let mut scalars: Vec<R> = scalars.collect();
        let g = gradients(t).map(R::lit);
        if let Some(term) = &program.term {
            let terms = weights.iter().map(|(p, s, i)| run(term, *p, g[*i], s, &scalars)[0]);
            let sum = terms.fold(R::lit(0.0), |sum, term| sum + term);
            scalars.extend([R::lit(weights.len() as f64), sum]);
        }
        for (p, s, i) in &mut weights {
            let mut new = run(&program.update, *p, g[*i], s, &scalars).into_iter();
            *p = new.next().unwrap_or(*p);
            *s = new.collect();
            let judged = run(&program.evaluate, *p, g[*i], s, &judging)[0];
            if ![*p, judged].into_iter().all(|x| Into::<f64>::into(x).is_finite()) {
                return false;
            }
        }
    }
    true
}

/// The outputs of a graph at one weight. Nothing is drawn for noise.
fn run<R: Real<Mask = bool>>(graph: &Graph, p: R, g: R, states: &[R], scalars: &[R]) -> Vec<R> {
    use Node::*;
    let (zero, one) = (R::lit(0.0), R::lit(1.0));
    // A mask is 1 or 0.
    let mut values: Vec<R> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let of = |id: usize| values[id];
        values.push(match *node {
            Parameter => p,
            Gradient => g,
            Noise => zero,
            State(lane) => states[lane],
            Scalar(lane) => scalars[lane],
            Literal(bits) => R::lit(f64::from_bits(bits)),
            Add(a, b) => of(a) + of(b),
            Sub(a, b) => of(a) - of(b),
            Mul(a, b) => of(a) * of(b),
            Div(a, b) => of(a) / of(b),
            Max(a, b) => of(a).max(of(b)),
            Lt(a, b) => R::select(of(a).lt(of(b)), one, zero),
            Neg(a) => -of(a),
            Sqrt(a) => of(a).sqrt(),
            RoughCbrt(a) => of(a).cbrt(),
            Abs(a) => of(a).abs(),
            Select(mask, yes, no) => R::select(zero.lt(of(mask)), of(yes), of(no)),
        });
    }
    graph.outputs.iter().map(|id| values[*id]).collect()
}
