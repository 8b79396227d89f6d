//! The chapters of the book for people who come from another library, made from the table by which the golden
//! trajectories are replayed. What it says of an option is what the tests replay.

use crate::burns;
use burn_descent::Store;
use burn_descent::registry::{Method, Selection};
use burn_descent_golden::{
    Case, Condition, Error, LIBRARIES, Meaning, OptimizerFile, Ours, Row, Setting, setting, traces,
    traces_dir,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What was recorded of other libraries, and burn-optim.
static FILES: LazyLock<Vec<OptimizerFile>> = LazyLock::new(|| {
    let paths = traces(&traces_dir()).expect("the traces of the repository");
    let read = |path| match OptimizerFile::read(path) {
        Err(Error::NotOptimizer { .. }) => None,
        file => Some(file.expect("the traces of the repository")),
    };
    let recorded = paths.iter().filter_map(|path| read(path));
    recorded
        .chain(burns::all().iter().map(|burns| {
            let cases = burns.values.iter().map(|value| burns.case(value)).collect();
            OptimizerFile { cases, ..burns.file() }
        }))
        .collect()
});

/// Hyper-parameters that a library reports at its defaults, of optimizers whose runs are not kept in the repository.
static DEFAULTS: LazyLock<Vec<OptimizerFile>> = LazyLock::new(|| {
    let defaults: Vec<Value> =
        serde_json::from_str(include_str!("../golden/defaults.json")).expect("a list");
    let file = |default: Value| {
        let sizes = |shape: &Value| -> usize {
            let sizes = shape.as_array().into_iter().flatten();
            sizes.filter_map(Value::as_u64).product::<u64>() as usize
        };
        let zeros: Vec<Vec<f64>> = default["shapes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|shape| vec![0.0; sizes(shape)])
            .collect();
        let case = json!({
            "id": "defaults", "problem": "none", "shapes": default["shapes"], "hyper": default["hyper"],
            "hyper_given": default["hyper_given"], "steps": 1, "init": zeros, "record": [1],
            "params": [zeros],
        });
        let file = json!({
            "library": default["library"], "version": default["version"],
            "optimizer": default["optimizer"], "cases": [case],
        });
        serde_json::from_value(file).expect("the fields of a file")
    };
    defaults.into_iter().map(file).collect()
});

/// A table of the optimizers of a library, and what each of their options is here.
///
/// # Panics
/// If there is no such library, or the table names options that there are not.
pub fn library(name: &'static str) -> String {
    let (_, rows) = LIBRARIES.iter().find(|(library, _)| *library == name).expect("a library");
    let mut names: Vec<&str> = Vec::new();
    for row in *rows {
        if !names.contains(&row.optimizer) {
            names.push(row.optimizer);
        }
    }
    let optimizers: Vec<Optimizer> =
        names.iter().map(|optimizer| Optimizer::new(name, optimizer, rows)).collect();
    let mut text = String::new();
    let versions: BTreeSet<&str> = FILES
        .iter()
        .filter(|file| file.library == name && !file.version.is_empty())
        .map(|file| file.version.split('+').next().unwrap_or_default())
        .collect();
    if !versions.is_empty() {
        let versions: Vec<_> = versions.into_iter().collect();
        text += &format!("Recorded with version {}.\n\n", versions.join(", "));
    }
    text +=
        "| theirs | here, for their defaults | their default rate | runs |\n|---|---|---:|---:|\n";
    for optimizer in optimizers.iter().filter(|optimizer| optimizer.is_here()) {
        text += &optimizer.line();
    }
    text += "\n";
    let shared = shared(&optimizers);
    if !shared.is_empty() {
        text += &format!(
            "Not part of the rules here, unless an entry says so: {}.\n\n",
            refusals(&shared)
        );
    }
    for optimizer in &optimizers {
        text += &optimizer.item(&shared);
    }
    text
}

/// What several optimizers of a library have, and no rule here has.
fn shared(optimizers: &[Optimizer]) -> Vec<(String, String)> {
    let refused = |optimizer: &Optimizer| {
        let rows = optimizer.rows.iter();
        rows.flat_map(|row| Described::of(optimizer.library, row).refused).collect::<BTreeSet<_>>()
    };
    let all: Vec<_> = optimizers.iter().map(refused).collect();
    let mut shared = Vec::new();
    for refused in all.iter().flatten() {
        let count = all.iter().filter(|other| other.contains(refused)).count();
        if count >= 3 && !shared.contains(refused) {
            shared.push(refused.clone());
        }
    }
    shared
}

/// An optimizer of a library.
struct Optimizer {
    library: &'static str,
    name: String,
    rows: Vec<&'static Row>,
    /// With every option at its default, if such a run was recorded, and whether the rate was.
    defaults: Option<(Setting, bool)>,
    runs: usize,
}

impl Optimizer {
    fn new(library: &'static str, optimizer: &'static str, rows: &'static [Row]) -> Self {
        let rows: Vec<_> = rows.iter().filter(|row| row.optimizer == optimizer).collect();
        let plain = |file: &&OptimizerFile| {
            let name = &file.optimizer;
            file.library == library && name.strip_suffix("_patched").unwrap_or(name) == optimizer
        };
        let (mut runs, mut defaults) = (0, None::<(Setting, bool)>);
        for (file, kept) in FILES
            .iter()
            .filter(plain)
            .map(|file| (file, true))
            .chain(DEFAULTS.iter().filter(plain).map(|file| (file, false)))
        {
            for case in &file.cases {
                let Ok(setting) = setting(file, case) else { continue };
                runs += usize::from(kept);
                if let (true, None) = (is_default(library, file, case), &defaults) {
                    let rated = case.hyper_given.keys().any(|key| is_rate(key));
                    defaults = Some((setting, !rated && library != burns::LIBRARY));
                }
            }
        }
        Self { library, name: shown(library, optimizer), rows, defaults, runs }
    }

    fn is_here(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.ours, Ours::Is { .. }))
    }

    /// Its line in the table.
    fn line(&self) -> String {
        let ours = match &self.defaults {
            Some((setting, _)) => format!("`{}`", built(selection(setting.name, &setting.options))),
            None => "(no run at its defaults)".to_owned(),
        };
        let rate = match &self.defaults {
            Some((setting, true)) => setting.lrs.first().map_or(String::new(), |lr| number(*lr)),
            _ => String::new(),
        };
        let runs = if self.runs > 0 { self.runs.to_string() } else { String::new() };
        format!("| `{}` | {ours} | {rate} | {runs} |\n", self.name)
    }

    /// What its options are.
    fn item(&self, shared: &[(String, String)]) -> String {
        let mut text = String::new();
        // The row without conditions is the usual one, and comes first here.
        let (last, others) = self.rows.split_last().expect("an optimizer has a row");
        let usual = Described::of(self.library, last).but(shared);
        text += &format!("- **`{}`** {}\n", self.name, usual.sentence());
        for row in others {
            let when: Vec<_> = row.when.iter().map(condition).collect();
            let described = Described::of(self.library, row).but(shared).without(&usual);
            let is_new = !(described.options.is_empty() && described.refused.is_empty());
            if is_new || described.ours != usual.ours || described.reason != usual.reason {
                text += &format!("  - {} it {}\n", when.join(" and "), described.sentence());
            }
        }
        text
    }
}

/// What a row says.
struct Described {
    ours: Option<String>,
    options: Vec<String>,
    /// What there is not, and why.
    refused: Vec<(String, String)>,
    reason: String,
}

/// Keys with the same reason together.
fn refusals(refused: &[(String, String)]) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (key, reason) in refused {
        match reasons.iter_mut().find(|(other, _)| other == reason) {
            Some((_, keys)) => keys.push(key),
            None => reasons.push((reason, vec![key])),
        }
    }
    let together =
        reasons.into_iter().map(|(reason, keys)| format!("{} ({reason})", keys.join(", ")));
    together.collect::<Vec<_>>().join("; ")
}

impl Described {
    fn of(library: &str, row: &Row) -> Self {
        let (mut options, mut refused) = (Vec::new(), Vec::new());
        let reason = |reason: &str| {
            // It often begins with the name of the library.
            let (first, rest) = reason.split_once(": ").unwrap_or(("", reason));
            let is_name = library.replace('-', "_").starts_with(&first.replace('-', "_"));
            let reason = if is_name { rest } else { reason };
            reason.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        match row.ours {
            Ours::Differs(why) => Self { ours: None, options, refused, reason: reason(why) },
            Ours::Is { name, fixed, hyper, .. } => {
                let mut said = BTreeSet::new();
                for (key, meaning) in hyper.iter().copied().flatten() {
                    if !said.insert(*key) {
                        continue;
                    }
                    match meaning {
                        Meaning::Off(why) => refused.push((format!("`{key}`"), reason(why))),
                        Meaning::Only(value, why) => {
                            let value = number(*value);
                            refused.push((format!("`{key}` other than {value}"), reason(why)));
                        }
                        _ => options.extend(option(key, *meaning)),
                    }
                }
                let fixed: Vec<_> = fixed
                    .iter()
                    .map(|(option, value)| ((*option).to_owned(), (*value).to_owned()))
                    .collect();
                let ours = Some(selection(name, &fixed));
                Self { ours, options, refused, reason: String::new() }
            }
        }
    }

    /// Without what is said of all.
    fn but(mut self, shared: &[(String, String)]) -> Self {
        self.refused.retain(|refused| !shared.contains(refused));
        self
    }

    /// What it says that another does not.
    fn without(mut self, other: &Self) -> Self {
        self.options.retain(|option| !other.options.contains(option));
        self.refused.retain(|refused| !other.refused.contains(refused));
        self
    }

    fn sentence(&self) -> String {
        let Some(ours) = &self.ours else { return format!("is not here: {}.", self.reason) };
        let mut text = format!("is `{ours}`");
        if !self.options.is_empty() {
            text += &format!(" with {}", self.options.join(", "));
        }
        text += ".";
        if !self.refused.is_empty() {
            text += &format!(" Not part of it here: {}.", refusals(&self.refused));
        }
        text
    }
}

/// What a hyper-parameter is here; `None` where it changes nothing.
fn option(key: &str, meaning: Meaning) -> Option<String> {
    let same = |option: &str| match key == option {
        true => format!("`{key}`"),
        false => format!("`{key}` → `{option}`"),
    };
    let several = |options: &[&str]| {
        let options: Vec<_> = options.iter().map(|option| format!("`{option}`")).collect();
        format!("`{key}` → {}", options.join(" and "))
    };
    Some(match meaning {
        Meaning::Free | Meaning::Decides | Meaning::Off(_) | Meaning::Only(..) => return None,
        Meaning::Lr | Meaning::GivenLr(_) if matches!(key, "lr" | "learning_rate") => return None,
        Meaning::Lr | Meaning::GivenLr(_) => format!("`{key}` → the learning rate"),
        Meaning::LrAnd(option) => format!("`{key}` → the learning rate and `{option}`"),
        Meaning::LrIs(rate) => format!("a learning rate of {}", number(rate)),
        Meaning::Number(option)
        | Meaning::NumberOrZero(option)
        | Meaning::NumberOr(option, _)
        | Meaning::Switch(option)
        | Meaning::Given(option)
        | Meaning::GivenNumber(option) => same(option),
        Meaning::Switches(options) | Meaning::Both(options) | Meaning::Pair(options) => {
            several(&options)
        }
        Meaning::PairOr(options, _) => several(&options),
        Meaning::Triple(options) => several(&options),
        Meaning::Unless(option) => format!("not `{key}` → `{option}`"),
        Meaning::First(option) => format!("the first of `{key}` → `{option}`"),
        Meaning::Second(option) => format!("the second of `{key}` → `{option}`"),
        Meaning::OneMore(option) => format!("`{key}` + 1 → `{option}`"),
        Meaning::Rest(option) => format!("1 − `{key}` → `{option}`"),
        Meaning::Twice(option) => format!("2 · `{key}` → `{option}`"),
        Meaning::Negative(option) => format!("−`{key}` → `{option}`"),
        Meaning::Over(option, by)
        | Meaning::OverOrZero(option, by)
        | Meaning::Ratio(option, by) => {
            format!("`{key}` / `{by}` → `{option}`")
        }
        Meaning::Turns(option, (word, is)) => format!("`{key}` → `{option}` with `{word}={is}`"),
        Meaning::Flag(option, [off, on]) => {
            format!("`{key}` → `{option}={on}`, else `{option}={off}`")
        }
        Meaning::Inside(inner, option) => format!("`{key}.{inner}` → `{option}`"),
        Meaning::Numbered(option, words) => {
            let words: Vec<_> = words
                .iter()
                .map(|(listed, ours)| format!("{} is `{ours}`", number(*listed)))
                .collect();
            format!("`{key}` → `{option}` ({})", words.join(", "))
        }
        Meaning::Word(option, words) => {
            let others = words.iter().filter(|(theirs, ours)| theirs != ours);
            let words: Vec<_> =
                others.map(|(theirs, ours)| format!("`{theirs}` is `{ours}`")).collect();
            match words.is_empty() {
                true => same(option),
                false => format!("`{key}` → `{option}` ({})", words.join(", ")),
            }
        }
        Meaning::Coefficients(_) => format!(
            "`{key}` → `newton_schulz.coefficients` (three numbers of one's own: `own`, and `newton_schulz.a`, `b`, `c`)"
        ),
        Meaning::Axes(option) => format!("`{key}` → `{option}`"),
        Meaning::OrFirst(option, other) => {
            format!("`{key}`, or the first of `{other}` → `{option}`")
        }
        Meaning::OrSecond(option, other) => {
            format!("`{key}`, or the second of `{other}` → `{option}`")
        }
        Meaning::Finite(option) => format!("`{key}` → `{option}` (infinity is 0)"),
        Meaning::Named(words) => {
            let words: Vec<_> =
                words.iter().map(|(theirs, ours)| format!("`{theirs}` is `{ours}`")).collect();
            format!("`{key}` ({})", words.join(", "))
        }
        Meaning::Average(option) => {
            format!("`{key}` → `{option}`, and the learning rate times 1 − `{key}`")
        }
    })
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::On(key) => format!("with `{key}`"),
        Condition::Off(key) => format!("without `{key}`"),
        Condition::Is(key, word) => format!("where `{key}` is `{word}`"),
        Condition::MoreThan(key, edge) => format!("where `{key}` is more than {}", number(*edge)),
        Condition::LrChanges => "where the learning rate changes".into(),
        Condition::Deep => "for tensors of more than two dimensions".into(),
        Condition::NullSpace(key) => format!("for an oblong matrix with sides up to `{key}`"),
        Condition::Several => "for several tensors".into(),
        Condition::LargestElsewhere(_) => {
            "for tensors whose two largest dimensions are not the last two".into()
        }
        Condition::FirstTwoLarger(key) => {
            format!("for tensors of more than two dimensions, the first two larger than `{key}`")
        }
    }
}

/// Is it a run in which nothing but a learning rate was given?
fn is_default(library: &str, file: &OptimizerFile, case: &Case) -> bool {
    if library == burns::LIBRARY {
        return file.cases.first().is_some_and(|first| first.id == case.id);
    }
    !case.lr_changes() && case.hyper_given.keys().all(|key| is_rate(key))
}

fn is_rate(key: &str) -> bool {
    matches!(key, "lr" | "learning_rate" | "max_learning_rate")
}

/// The name of a class, where it is not that of the table.
fn shown(library: &str, optimizer: &str) -> String {
    let classes: &[&str] = match library {
        "torch.optim" => &[
            "SGD",
            "Adagrad",
            "RMSprop",
            "Adam",
            "AdamW",
            "Rprop",
            "ASGD",
            "Adadelta",
            "Adamax",
            "NAdam",
            "RAdam",
            "Adafactor",
            "LBFGS",
            "Muon",
        ],
        "keras" => &[
            "SGD",
            "Adagrad",
            "RMSprop",
            "Adam",
            "AdamW",
            "Lion",
            "Adadelta",
            "Adamax",
            "Nadam",
            "Adafactor",
            "Ftrl",
            "Lamb",
            "Muon",
        ],
        _ => &[],
    };
    let class = classes.iter().find(|class| class.to_lowercase() == optimizer);
    class.map_or(optimizer, |class| class).to_owned()
}

/// An optimizer in one word, with the options that are not at their defaults. PyTorch's Adafactor takes the epsilon of the
/// precision: of f64 in the runs here, of f32 where people train.
fn selection(name: &str, options: &[(String, String)]) -> String {
    let defaults = Method::find(name).expect("a method of the registry").options();
    let mut text = name.to_owned();
    for (number_of, (option, value)) in options.iter().enumerate() {
        // The last one that is set counts.
        if options[number_of + 1..].iter().any(|(later, _)| later == option) {
            continue;
        }
        let (_, default) = defaults
            .iter()
            .find(|(name, _)| name == option)
            .unwrap_or_else(|| panic!("{name} has no option {option}"));
        let numbers = (value.parse::<f64>(), default.parse::<f64>());
        let is_default = match numbers {
            (Ok(value), Ok(default)) => value == default,
            _ => value == default,
        };
        if !is_default {
            let value = match value.parse::<f64>() {
                Ok(f64::EPSILON) => format!("{:?}", f32::EPSILON),
                Ok(value) => number(value),
                Err(_) => value.clone(),
            };
            text += &format!(":{option}={value}");
        }
    }
    text
}

/// It can be built.
fn built(text: String) -> String {
    let (name, options) = text.split_once(':').unwrap_or((&text, ""));
    if let Ok(Method::Search(search)) = Method::find(name) {
        let options: Vec<_> =
            options.split(',').filter_map(|option| option.split_once('=')).collect();
        search.build(&options).unwrap_or_else(|error| panic!("{text}: {error}"));
        return text;
    }
    let parsed: Selection = text.parse().unwrap_or_else(|error| panic!("{error}"));
    parsed.build().unwrap_or_else(|error| panic!("{text}: {error}"));
    text
}

/// As short as it can be written.
fn number(number: f64) -> String {
    let whole = number.fract() == 0.0 && number.abs() < 1e6;
    // Quotients have digits that nobody meant.
    let number: f64 = format!("{number:.11e}").parse().unwrap_or(number);
    if whole { format!("{number}") } else { format!("{number:?}") }
}

/// A name that Hugging Face's `TrainingArguments(optim=...)` has.
struct HuggingFace {
    names: &'static [&'static str],
    here: Here,
}

enum Here {
    /// The optimizer of a library in the table, with these options, its states kept so, and what else is to be said.
    Is(&'static str, &'static str, &'static str, Option<&'static str>, &'static str),
    Not(&'static str),
}

use Here::{Is, Not};

const TORCH: &str = "torch.optim";
const GALORE: &str = "on the matrices that `optim_target_modules` names: a `Group`";

/// transformers 5, `trainer_optimizer.py`.
const HUGGING_FACE: &[HuggingFace] = &[
    HuggingFace {
        names: &[
            "adamw_torch",
            "adamw_torch_fused",
            "adamw_torch_xla",
            "adamw_torch_npu_fused",
            "adamw_apex_fused",
            "paged_adamw_32bit",
        ],
        here: Is(TORCH, "adamw", "adamw:weight_decay=0", None, ""),
    },
    HuggingFace {
        names: &["adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit", "adamw_torch_8bit"],
        here: Is(
            TORCH,
            "adamw",
            "adamw:weight_decay=0",
            Some("dynamic8"),
            "there is no paging to the host",
        ),
    },
    HuggingFace { names: &["adamw_torch_4bit"], here: Not("no state in four bits") },
    HuggingFace {
        names: &["adamw_anyprecision"],
        here: Is(
            TORCH,
            "adamw",
            "adamw:weight_decay=0",
            None,
            "`keep` for its `momentum_dtype` and `variance_dtype`, `Weights::Kahan` for `use_kahan_summation`",
        ),
    },
    HuggingFace {
        names: &["adafactor"],
        here: Is(
            "timm",
            "adafactor",
            "adafactor:relative_step=false:scale_parameter=false",
            None,
            "`Trainer` switches the two options off",
        ),
    },
    HuggingFace { names: &["sgd"], here: Is(TORCH, "sgd", "sgd", None, "") },
    HuggingFace { names: &["adagrad"], here: Is(TORCH, "adagrad", "adagrad", None, "") },
    HuggingFace {
        names: &["rmsprop", "rmsprop_bnb", "rmsprop_bnb_32bit"],
        here: Is(TORCH, "rmsprop", "rmsprop:rho=0.99", None, ""),
    },
    HuggingFace {
        names: &["rmsprop_bnb_8bit"],
        here: Is(TORCH, "rmsprop", "rmsprop:rho=0.99", Some("dynamic8"), ""),
    },
    HuggingFace {
        names: &["lion_32bit", "paged_lion_32bit"],
        here: Is("optax", "lion", "lion:beta2=0.999", None, "`Trainer` gives it the betas of Adam"),
    },
    HuggingFace {
        names: &["lion_8bit", "paged_lion_8bit"],
        here: Is("optax", "lion", "lion:beta2=0.999", Some("dynamic8"), "the same"),
    },
    HuggingFace {
        names: &["ademamix", "paged_ademamix_32bit"],
        here: Is("optax", "ademamix", "ademamix", None, ""),
    },
    HuggingFace {
        names: &["ademamix_8bit", "paged_ademamix_8bit"],
        here: Is("optax", "ademamix", "ademamix", Some("dynamic8"), ""),
    },
    HuggingFace {
        names: &["galore_adamw", "galore_adamw_layerwise"],
        here: Is(
            "galore_torch",
            "galore_adamw",
            "galore:auxiliary.eps=0:auxiliary.eps_hat=1e-6",
            None,
            GALORE,
        ),
    },
    HuggingFace {
        names: &["galore_adamw_8bit", "galore_adamw_8bit_layerwise"],
        here: Not("GaLore's moments stay in f32"),
    },
    HuggingFace {
        names: &["galore_adafactor", "galore_adafactor_layerwise"],
        here: Not("GaLore is around AdamW only"),
    },
    HuggingFace {
        names: &["apollo_adamw", "apollo_adamw_layerwise"],
        here: Is(
            "apollo_torch",
            "apollo",
            "apollo:rank=128:eps=1e-8:auxiliary.eps=0:auxiliary.eps_hat=1e-6",
            None,
            GALORE,
        ),
    },
    HuggingFace {
        names: &["schedule_free_adamw"],
        here: Is("schedulefree", "adamw_schedulefree", "schedule_free_adamw", None, ""),
    },
    HuggingFace {
        names: &["schedule_free_radam"],
        here: Is("schedulefree", "radam_schedulefree", "schedule_free_radam", None, ""),
    },
    HuggingFace {
        names: &["schedule_free_sgd"],
        here: Is("schedulefree", "sgd_schedulefree", "schedule_free_sgd", None, ""),
    },
    HuggingFace {
        names: &["stable_adamw"],
        here: Is("optimi", "stableadamw", "adamw:stable=true:weight_decay=0", None, ""),
    },
    HuggingFace {
        names: &["lomo", "adalomo"],
        here: Not("they step while the backward pass runs, which burn does not offer"),
    },
    HuggingFace { names: &["grokadamw"], here: Not("`grokfast_adamw` is another method") },
];

/// A table of Hugging Face's names.
///
/// # Panics
/// If it names what there is not.
pub fn hugging_face() -> String {
    let mut text = String::from("| `optim=` | here | states | |\n|---|---|---|---|\n");
    for HuggingFace { names, here } in HUGGING_FACE {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let names = names.join(", ");
        match here {
            Not(reason) => text += &format!("| {names} | not here | | {reason} |\n"),
            Is(library, optimizer, ours, store, note) => {
                let (_, rows) =
                    LIBRARIES.iter().find(|(name, _)| name == library).expect("a library");
                let selection: Selection = ours.parse().unwrap_or_else(|error| panic!("{error}"));
                let is = |row: &Row| {
                    row.optimizer == *optimizer
                        && matches!(row.ours, Ours::Is { name, .. } if name == selection.name)
                };
                assert!(rows.iter().any(is), "{ours} is not in the table of {library} {optimizer}");
                selection.build().unwrap_or_else(|error| panic!("{ours}: {error}"));
                let store = store.map_or(String::new(), |store| {
                    let _: Store = store.parse().expect("a format of states");
                    format!("`{store}`")
                });
                text += &format!("| {names} | `{ours}` | {store} | {note} |\n");
            }
        }
    }
    text
}
