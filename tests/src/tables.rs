//! The tables of the documentation, made from the registry and from burn-optim itself.

use crate::checked;
use crate::speed::Measured;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdaGradConfig, AdamConfig, AdamWConfig, RmsPropConfig};
use burn_descent::registry::{self, ROWS};
use burn_descent::rules::Explanation;
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde_json::{Value, to_value};

/// One line an optimizer. What was checked is what the suite has recorded.
pub fn optimizers() -> String {
    let checked = checked::read();
    let engines: Vec<&str> = checked.keys().map(String::as_str).collect();
    let mut table = format!(
        "| optimizer | name | paper | state | moved | lr | checked on {} |\n\
         |---|---|---|---:|---:|---:|---|\n",
        engines.join(", ")
    );
    for row in ROWS {
        let page = row.explain(&[]).expect("the defaults are allowed");
        let agree = |engine: &&str| {
            let of_row = checked.get(*engine).and_then(|rows| rows.get(row.name));
            of_row.map_or(0, |precisions| precisions.values().copied().max().unwrap_or(0))
        };
        let agree: Vec<usize> = engines.iter().map(agree).collect();
        table += &format!(
            "| {} | `{}` | [{}]({}) | {} | {} | {} | {} |\n",
            row.title,
            row.name,
            row.paper.cite,
            row.paper.url(),
            state(&page),
            page.bytes_read() + page.bytes_written(),
            row.lr,
            traces(&agree),
        );
    }
    table += "\n*state*: bytes that are remembered of a weight, and with `+` matrices of its rows and columns (docs/matrices.md); \
              *moved*: bytes that a step reads and writes of it, both in f32. *checked on*: as many recorded runs of other implementations agree, \
              on these engines and by plain tensor operations, to 1e-9 in f64 and 2e-5 in f32.\n";
    table
}

/// `8`, or `8 +` where there are matrices beside it.
fn state(page: &Explanation) -> String {
    let is_beside = page.kept.iter().any(|(_, size)| size != "outputs x inputs");
    format!("{}{}", page.bytes_of_state(), if is_beside { " +" } else { "" })
}

/// `12`, if it is that on all engines.
fn traces(agree: &[usize]) -> String {
    match agree {
        [first, others @ ..] if others.iter().all(|other| other == first) => first.to_string(),
        _ => agree.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// How far the f32 of each optimizer goes from f64, as docs/numbers.csv has it.
pub fn numbers() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/numbers.csv");
    let text = std::fs::read_to_string(path).expect("docs/numbers.csv");
    let mut table = "| optimizer | first step, ulp | 100 steps | 1,000 | 10,000 |\n\
                     |---|---:|---:|---:|---:|\n"
        .to_owned();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        table += &format!("| `{}` | {} |\n", cells[0], cells[1..].join(" | "));
    }
    table
}

/// An option whose default is another one in burn-optim.
struct Default {
    optimizer: &'static str,
    option: &'static str,
    pytorch: &'static str,
    /// burn-optim's configuration and the name of the option in it.
    burn: (fn() -> Value, &'static str),
}

fn json(config: impl serde::Serialize) -> Value {
    to_value(config).expect("a configuration is made of numbers")
}

const DEFAULTS: &[Default] = &[
    default("sgd", "dampening", "0", || json(MomentumConfig::new()), "dampening"),
    default("adagrad", "eps", "1e-10", || json(AdaGradConfig::new()), "epsilon"),
    default("rmsprop", "rho", "0.99 (`alpha`)", || json(RmsPropConfig::new()), "alpha"),
    default("rmsprop", "eps", "1e-8", || json(RmsPropConfig::new()), "epsilon"),
    default("rmsprop", "momentum", "0", || json(RmsPropConfig::new()), "momentum"),
    default("adam", "eps", "1e-8", || json(AdamConfig::new()), "epsilon"),
    default("adamw", "eps", "1e-8", || json(AdamWConfig::new()), "epsilon"),
    default("adamw", "weight_decay", "0.01", || json(AdamWConfig::new()), "weight_decay"),
];

const fn default(
    optimizer: &'static str,
    option: &'static str,
    pytorch: &'static str,
    config: fn() -> Value,
    name: &'static str,
) -> Default {
    Default { optimizer, option, pytorch, burn: (config, name) }
}

/// One line for each option whose default differs from burn-optim's.
pub fn defaults() -> String {
    let mut table = String::from(
        "| optimizer | option | here | PyTorch | burn-optim | to carry a recipe over |\n\
         |---|---|---:|---:|---:|---|\n",
    );
    for Default { optimizer, option, pytorch, burn: (config, name) } in DEFAULTS {
        let row = registry::find(optimizer).expect("a row of the registry");
        let here = row.options().into_iter().find(|(name, _)| name == option);
        let here = here.expect("an option of the row").1;
        // burn-optim keeps f32: the shortest number that is the same f32 is the one meant.
        let burn = config()[name].as_f64().expect("a number") as f32;
        let title = row.title;
        table += &format!(
            "| {title} | `{option}` | {here} | {pytorch} | {burn:?} | `.{option}({burn:?})` |\n"
        );
    }
    table
}

/// One line for each way an optimizer takes its step on a list.
pub fn speed(rows: &[Measured]) -> Table {
    let header = [
        "list",
        "optimizer",
        "backend",
        "threads",
        "through",
        "time",
        "floor",
        "of floor",
        "burn-optim",
        "faster",
        "GB/s",
        "allocated",
        "first step",
    ];
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header);
    for row in rows {
        let maybe = |value: Option<String>| value.unwrap_or_default();
        table.add_row([
            row.list.to_owned(),
            row.optimizer.clone(),
            row.backend.to_owned(),
            row.threads.to_string(),
            row.through.to_owned(),
            milliseconds(row.ms),
            maybe(row.floor_ms.map(milliseconds)),
            maybe(row.floor_ms.map(|floor| format!("{:.2}", row.ms / floor))),
            maybe(row.burn_ms.map(milliseconds)),
            maybe(row.burn_ms.map(|burn| format!("{:.1}", burn / row.ms))),
            format!("{:.1}", row.gb_per_s),
            row.bytes_allocated.to_string(),
            milliseconds(row.first_ms),
        ]);
    }
    for column in table.column_iter_mut().skip(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn milliseconds(ms: f64) -> String {
    if ms < 1.0 { format!("{:.0} µs", ms * 1e3) } else { format!("{ms:.1} ms") }
}
