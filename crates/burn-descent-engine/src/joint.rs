//! Steps of many tensors that wait for each other: rules that sum over the model.

use crate::Reading;
use crate::code::Code;
use burn_descent_rules::{Domain, Fold, MAX_STAGES, Sum};

/// The step of one tensor, stage by stage. Between two stages the sums over the model are put together.
pub(crate) trait Joint {
    /// Before the first stage: how many elements are stepped together.
    fn begin(&mut self, model: usize);

    /// Takes the sums of a stage, and gives those over the model, of this tensor alone.
    fn stage(&mut self, number: usize) -> Vec<Reading>;

    /// The sums over the model of this stage.
    fn learn(&mut self, number: usize, totals: &[Reading]);

    /// After the last stage: what has to be known of all tensors is known.
    fn end(&mut self);
}

/// The sums of a stage that go to the model.
pub(crate) fn of_model(code: &Code, number: usize) -> impl Iterator<Item = &Sum> {
    let sums = code.stages.sums.get(number).into_iter().flat_map(|stage| &stage.sums);
    sums.filter(|sum| sum.to == Domain::Model)
}

/// A step that waits for others of its rule.
pub(crate) struct Waiting<'a> {
    pub(crate) code: &'a Code,
    pub(crate) elements: usize,
    pub(crate) step: &'a mut dyn Joint,
}

/// Takes all stages of these steps; those of one rule see the sums over all of them, whatever their options
/// are.
pub(crate) fn together(steps: &mut [Waiting<'_>]) {
    let is_one = |a: &Code, b: &Code| a.family == b.family;
    let mut rules: Vec<&Code> = Vec::new();
    for step in steps.iter() {
        if !rules.iter().any(|rule| is_one(rule, step.code)) {
            rules.push(step.code);
        }
    }
    for rule in rules {
        let mut steps: Vec<_> = steps.iter_mut().filter(|step| is_one(rule, step.code)).collect();
        let model = steps.iter().map(|step| step.elements).sum();
        steps.iter_mut().for_each(|step| step.step.begin(model));
        for number in 0..MAX_STAGES.min(rule.stages.sums.len()) {
            let mut totals: Option<Vec<Reading>> = None;
            for step in &mut steps {
                let sums = step.step.stage(number);
                totals = Some(match totals {
                    None => sums,
                    Some(totals) => {
                        let folds = of_model(rule, number).map(|sum| sum.fold);
                        let pairs = totals.iter().zip(&sums).zip(folds);
                        pairs.map(|((a, b), fold)| put(fold, a, b)).collect()
                    }
                });
            }
            let totals = totals.unwrap_or_default();
            steps.iter_mut().for_each(|step| step.step.learn(number, &totals));
        }
        steps.iter_mut().for_each(|step| step.step.end());
    }
}

/// Two numbers made one, on the device of the first if it lies on one.
fn put(fold: Fold, a: &Reading, b: &Reading) -> Reading {
    match (a.tensor(), b.tensor()) {
        (Some(a), Some(b)) => {
            let b = b.clone().to_device(&a.device()).cast(a.dtype());
            let one = match fold {
                Fold::Sum => a.clone() + b,
                Fold::Max => a.clone().max_pair(b),
                Fold::Whole => b,
            };
            Reading::on_device(one)
        }
        _ => fold.put(a.get(), b.get()).into(),
    }
}
