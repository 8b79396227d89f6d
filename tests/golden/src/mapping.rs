//! Reads the table: which optimizer of ours a case is.

use crate::table::{
    Condition, LIBRARIES, Meaning, Ours, Row, coefficients, is_on, kernels, plain_name,
};
use crate::{Case, Dtype, OptimizerFile, Skip};
use serde_json::Value;

/// Which weights of our optimizer the `params` of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The weights that are trained, at which the gradient is taken.
    Trained,
    /// The weights to evaluate and ship.
    Evaluated,
}

/// What a case is called here.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Our name of the optimizer, such as `adamw`.
    pub name: &'static str,
    /// Our options that are not at their defaults, by name.
    pub options: Vec<(String, String)>,
    /// The learning rate of each step.
    pub lrs: Vec<f64>,
    /// Which of our weights the file recorded.
    pub point: Point,
    /// The library computes some of it in f32 even in its f64 run.
    pub low_precision: bool,
    /// The matrices of the library are inputs × outputs; an engine here gets them turned.
    pub inputs_first: bool,
    /// Which tensors the library leaves to an auxiliary rule, whatever their shape: an engine here gets vectors in
    /// their place.
    pub aside: Vec<bool>,
}

/// What a case of a file is called here.
///
/// # Errors
/// Why we have no such optimizer: a [`Skip`]. A hyper-parameter that is not in the table is one,
/// so nothing is ever compared under a guess.
pub fn setting(file: &OptimizerFile, case: &Case) -> Result<Setting, Skip> {
    if case.dtype == Dtype::Bf16 {
        return Err(Skip::Bf16Weights);
    }
    let optimizer = plain_name(&file.optimizer)?;
    let rows = LIBRARIES.iter().filter(|(library, _)| *library == file.library);
    let mut rows = rows.flat_map(|(_, rows)| *rows).filter(|row| row.optimizer == optimizer);
    let row = rows.find(|row| row.when.iter().all(|condition| condition.holds(case)));
    let row = row.ok_or_else(|| Skip::NoOptimizer {
        library: file.library.clone(),
        optimizer: file.optimizer.clone(),
    })?;
    match row.ours {
        Ours::Differs(reason) => Err(Skip::Differs(reason)),
        Ours::Is { name, fixed, point, low_precision, hyper, inputs_first, aside } => {
            listed(row, file, case)?;
            let fixed = fixed.iter().map(|(option, value)| (option.to_string(), value.to_string()));
            let options = fixed.collect();
            let aside = (0..case.shapes.len())
                .map(|tensor| aside.iter().any(|aside| aside.holds(case, tensor)))
                .collect();
            let mut setting =
                Setting { name, options, lrs: vec![], point, low_precision, inputs_first, aside };
            let mut lr = Lr { base: None, factor: 1.0, fixed: false };
            let meanings: Vec<_> = hyper.iter().copied().flatten().collect();
            for (number, (key, meaning)) in meanings.iter().enumerate() {
                if meanings[..number].iter().all(|(earlier, _)| earlier != key) {
                    meaning.apply(key, case, &mut setting, &mut lr)?;
                }
            }
            let base = lr.base.ok_or(Skip::Missing("learning rate"))?;
            let changing = case.lr_sequence.clone().filter(|_| !lr.fixed);
            let lrs = changing.unwrap_or_else(|| vec![base; case.steps]);
            setting.lrs = lrs.into_iter().take(case.steps).map(|step| step * lr.factor).collect();
            Ok(setting)
        }
    }
}

/// Does the row know every hyper-parameter?
fn listed(row: &Row, file: &OptimizerFile, case: &Case) -> Result<(), Skip> {
    let Ours::Is { hyper, .. } = row.ours else { return Ok(()) };
    let known = |key: &str| hyper.iter().copied().flatten().any(|(listed, _)| *listed == key);
    match case.hyper.keys().chain(case.hyper_given.keys()).find(|key| !known(key)) {
        None => Ok(()),
        Some(key) => Err(Skip::Unlisted {
            library: file.library.clone(),
            optimizer: file.optimizer.clone(),
            key: key.clone(),
        }),
    }
}

/// The learning rate as the row is read.
struct Lr {
    base: Option<f64>,
    factor: f64,
    /// It is the base in every step.
    fixed: bool,
}

impl Condition {
    pub(crate) fn holds(self, case: &Case) -> bool {
        match self {
            Condition::On(key) => is_on(case, key),
            Condition::Off(key) => !is_on(case, key),
            Condition::Is(key, word) => case.hyper(key).and_then(Value::as_str) == Some(word),
            Condition::MoreThan(key, edge) => {
                case.hyper(key).and_then(Value::as_f64).is_some_and(|number| number > edge)
            }
            Condition::LrChanges => case.lr_changes(),
            Condition::Deep => case.shapes.iter().any(|shape| shape.len() > 2),
            Condition::LargestElsewhere(key) => case.shapes.iter().any(|shape| {
                let mut order: Vec<_> = (0..shape.len()).collect();
                order.sort_by_key(|dim| shape[*dim]);
                let last = shape.len().saturating_sub(2);
                let large = last > 0 && shape[order[last]] as f64 >= number(case, key);
                large && order[last..].iter().any(|dim| *dim < last)
            }),
            Condition::FirstTwoLarger(key) => case.shapes.iter().any(|shape| {
                shape.len() > 2 && shape[..2].iter().all(|size| *size as f64 > number(case, key))
            }),
            Condition::NullSpace(key) => case.shapes.iter().any(|shape| {
                let all: usize = shape.iter().product();
                let most = number(case, key);
                let alone = |size: &usize| size * size > all && *size as f64 <= most;
                shape.len() > 1 && shape.iter().any(alone)
            }),
            Condition::Several => case.shapes.len() > 1,
        }
    }
}

/// A hyper-parameter that is a number; 0 where it is not there.
fn number(case: &Case, key: &str) -> f64 {
    case.hyper(key).and_then(Value::as_f64).unwrap_or(0.0)
}

impl Meaning {
    /// Takes over the hyper-parameter `key`.
    fn apply(
        self,
        key: &'static str,
        case: &Case,
        setting: &mut Setting,
        lr: &mut Lr,
    ) -> Result<(), Skip> {
        let given = case.hyper(key);
        if given.is_none() && key.starts_with("auxiliary.") {
            // There are no other tensors than those of the first group.
            return Ok(());
        }
        let expected = |expected| Skip::Value {
            key: key.into(),
            value: given.unwrap_or(&Value::Null).to_string(),
            expected,
        };
        let number = || {
            let number = given.ok_or(Skip::Missing(key))?;
            number.as_f64().ok_or_else(|| expected("a number"))
        };
        let number_or_zero = || if is_on(case, key) { number() } else { Ok(0.0) };
        let list = |options: &[&'static str], what| {
            let list = given.ok_or(Skip::Missing(key))?.as_array();
            let list = list.filter(|list| list.len() == options.len());
            let pairs = options.iter().copied().zip(list.ok_or_else(|| expected(what))?);
            let text = |(option, value): (&'static str, &Value)| {
                let number = value.as_f64().ok_or_else(|| expected(what))?;
                Ok((option, number.to_string()))
            };
            pairs.map(text).collect::<Result<Vec<_>, Skip>>()
        };
        let mut set =
            |option: &str, value: String| setting.options.push((option.to_string(), value));
        match self {
            Meaning::Lr => lr.base = Some(number()?),
            Meaning::LrAnd(option) => {
                lr.base = Some(number()?);
                set(option, number()?.to_string());
            }
            Meaning::Over(option, divisor) => {
                let below = case.hyper(divisor).and_then(Value::as_f64);
                let below = below.ok_or(Skip::Missing(divisor))?;
                set(option, (number()? / below).to_string());
            }
            Meaning::Ratio(_, _) if given.is_none_or(Value::is_null) => {}
            Meaning::Ratio(option, divisor) => {
                let below = case.hyper(divisor).and_then(Value::as_f64);
                let below = below.ok_or(Skip::Missing(divisor))?;
                set(option, (number()? / below).to_string());
            }
            Meaning::OverOrZero(option, divisor) => {
                let below = case.hyper(divisor).and_then(Value::as_f64);
                let below = below.ok_or(Skip::Missing(divisor))?;
                set(option, (number_or_zero()? / below).to_string());
            }
            Meaning::OrFirst(option, other) => {
                let first = || case.hyper(other)?.as_array()?.first()?.as_f64();
                match given.and_then(Value::as_f64) {
                    None => {}
                    Some(-1.0) => set(option, first().ok_or(Skip::Missing(other))?.to_string()),
                    Some(number) => set(option, number.to_string()),
                }
            }
            Meaning::OrSecond(option, other) => {
                let second = || case.hyper(other)?.as_array()?.get(1)?.as_f64();
                let number = given.and_then(Value::as_f64).or_else(second);
                set(option, number.ok_or(Skip::Missing(other))?.to_string());
            }
            Meaning::Finite(option) => {
                set(option, given.and_then(Value::as_f64).unwrap_or(0.0).to_string());
            }
            Meaning::LrIs(rate) => (lr.base, lr.fixed) = (Some(rate), true),
            Meaning::OneMore(option) => set(option, (number()? + 1.0).to_string()),
            Meaning::Negative(_) if given.is_none() => {}
            Meaning::Twice(option) => set(option, (2.0 * number()?).to_string()),
            Meaning::Negative(option) => set(option, (-number()?).to_string()),
            Meaning::PairOr([a, b], default) => {
                let pair = given.and_then(Value::as_array).filter(|list| list.len() == 2);
                let [first, second] = match pair.map(Vec::as_slice) {
                    Some([Value::Null, second]) => [Some(default), second.as_f64()],
                    Some([first, second]) => [first.as_f64(), second.as_f64()],
                    _ => return Err(expected("a pair of numbers")),
                };
                let (Some(first), Some(second)) = (first, second) else {
                    return Err(expected("a pair of numbers"));
                };
                set(a, first.to_string());
                set(b, second.to_string());
            }
            Meaning::Number(option) => set(option, number()?.to_string()),
            Meaning::NumberOrZero(option) => set(option, number_or_zero()?.to_string()),
            Meaning::Switch(option) => match given {
                None | Some(Value::Null) => set(option, "false".into()),
                Some(Value::Bool(on)) => set(option, on.to_string()),
                Some(_) => return Err(expected("true or false")),
            },
            Meaning::Switches(options) => {
                let on = given.and_then(Value::as_bool).ok_or_else(|| expected("true or false"))?;
                options.into_iter().for_each(|option| set(option, on.to_string()));
            }
            Meaning::Unless(option) => set(option, (!is_on(case, key)).to_string()),
            Meaning::NumberOr(option, default) => {
                let number = if given.is_none() { default } else { number()? };
                set(option, number.to_string());
            }
            Meaning::Given(option) => {
                let given = given.filter(|value| !value.is_null());
                given.into_iter().for_each(|value| set(option, value.to_string()))
            }
            Meaning::GivenLr(default) => {
                lr.base =
                    Some(case.hyper_given.get(key).and_then(Value::as_f64).unwrap_or(default));
            }
            Meaning::GivenNumber(option) => case
                .hyper_given
                .get(key)
                .into_iter()
                .for_each(|value| set(option, value.to_string())),
            Meaning::Pair([a, b]) => list(&[a, b], "a pair of numbers")?
                .into_iter()
                .for_each(|(option, value)| set(option, value)),
            Meaning::First(option) => list(&[option, ""], "a pair of numbers")?
                .into_iter()
                .take(1)
                .for_each(|(option, value)| set(option, value)),
            Meaning::Second(option) => list(&["", option], "a pair of numbers")?
                .into_iter()
                .skip(1)
                .for_each(|(option, value)| set(option, value)),
            Meaning::Triple([a, b, c]) => list(&[a, b, c], "a list of three numbers")?
                .into_iter()
                .for_each(|(option, value)| set(option, value)),
            Meaning::Both(options) => {
                let number = number()?;
                options.into_iter().for_each(|option| set(option, number.to_string()));
            }
            Meaning::Word(option, words) => {
                if let Some(given) = given.filter(|value| !value.is_null()) {
                    let named = |listed: &str| match given {
                        Value::Number(number) => number.to_string() == listed,
                        _ => given.as_str() == Some(listed),
                    };
                    let word = words.iter().find(|(listed, _)| named(listed));
                    let (_, ours) =
                        word.ok_or_else(|| expected("one of the words that are listed"))?;
                    set(option, (*ours).to_owned());
                }
            }
            Meaning::Turns(option, (chosen, word)) => {
                if given.is_some_and(|value| !value.is_null()) {
                    set(option, number()?.to_string());
                    set(chosen, word.into());
                }
            }
            Meaning::Flag(option, [off, on]) => {
                set(option, if is_on(case, key) { on } else { off }.into());
            }
            Meaning::Inside(inner, option) => given
                .and_then(|object| object.get(inner))
                .into_iter()
                .for_each(|value| set(option, value.to_string())),
            Meaning::Rest(option) => set(option, (1.0 - number()?).to_string()),
            Meaning::Numbered(option, words) => {
                let number = number()?;
                let word = words.iter().find(|(listed, _)| *listed == number);
                let (_, ours) =
                    word.ok_or_else(|| expected("one of the numbers that are listed"))?;
                set(option, (*ours).to_owned());
            }
            Meaning::Coefficients(words) => {
                let known = given.and_then(|given| coefficients(given, words));
                match known {
                    Some(word) => set("newton_schulz.coefficients", word.into()),
                    None => {
                        let own = ["newton_schulz.a", "newton_schulz.b", "newton_schulz.c"];
                        let own = list(&own, "coefficients that are listed, or three numbers")?;
                        set("newton_schulz.coefficients", "own".into());
                        own.into_iter().for_each(|(option, value)| set(option, value));
                    }
                }
            }
            Meaning::Axes(option) => {
                let word = given.and_then(kernels).ok_or_else(|| expected("outputs in front"))?;
                set(option, word.into());
            }
            Meaning::Named(options) => {
                let list = given.ok_or(Skip::Missing(key))?.as_array().map(Vec::as_slice);
                let Some([word, number]) = list else {
                    return Err(expected("a word and a number"));
                };
                let option = options.iter().find(|(listed, _)| word.as_str() == Some(listed));
                let (Some((_, option)), Some(number)) = (option, number.as_f64()) else {
                    return Err(expected("one of the words that are listed, and a number"));
                };
                set(option, number.to_string());
            }
            Meaning::Average(option) => {
                let decay = number()?;
                lr.factor = 1.0 - decay;
                set(option, decay.to_string());
            }
            Meaning::Off(reason) => {
                if is_on(case, key) {
                    return Err(Skip::Differs(reason));
                }
            }
            Meaning::Only(value, reason) => {
                if number()? != value {
                    return Err(Skip::Differs(reason));
                }
            }
            Meaning::Decides => {
                given.ok_or(Skip::Missing(key))?;
            }
            Meaning::Free => {}
        }
        Ok(())
    }
}
