//! How long a step takes.

use burn_descent::registry::Selection;
use burn_descent_tests::allocation::Counting;
use burn_descent_tests::print::say;
use burn_descent_tests::speed::{
    Choice, Gradients, LISTS, List, Measured, OTHERS, WAYS, Wish, measure,
};
use burn_descent_tests::{devices, tables};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use std::collections::BTreeMap;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Time one step of our optimizers, in f32.
///
/// Tensor by tensor, through burn's ModuleOptimizer, and through Descent, alone and with clipping, an
/// average of the weights or a scheduled option; beside it a hand-written loop over plain slices with the same
/// threads (the floor), burn-optim's optimizer of the same name, and burn's ModuleOptimizer with an
/// optimizer that does nothing. All take a step in turns, in this process; the median counts.
/// Gradients are made before the clock starts and freed while it runs, as in training, or, if they
/// are to be resident, afterwards.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    /// Parameter lists
    #[arg(long, value_delimiter = ',', default_value = "10m,resnet50,mlp,small",
        value_parser = PossibleValuesParser::new(LISTS.map(|list| list.name)))]
    list: Vec<String>,
    /// Optimizers, with options that are not at their defaults: adamw,sgd:momentum=0.9
    #[arg(long, value_delimiter = ',', default_value = "adamw", value_parser = choose)]
    optimizer: Vec<Choice>,
    /// Ways to take a step, and what to compare them with
    #[arg(long, value_delimiter = ',', default_value = "passes,nothing,module,descent,clip_norm,floor,burn",
        value_parser = PossibleValuesParser::new(WAYS.into_iter().chain(OTHERS)))]
    through: Vec<String>,
    /// Backends [default: all that are compiled in]
    #[arg(long, value_delimiter = ',')]
    backend: Vec<String>,
    /// Threads: the main one, which trains, and those that help it [default: as many as there are
    /// cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Steps that count, after three that do not
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Free gradients when the clock has stopped: how much of a step is freeing them?
    #[arg(long)]
    resident: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Print the shapes of the tensors of all lists as JSON, for programs of other libraries
    #[arg(long)]
    print_lists: bool,
}

#[derive(Serialize)]
struct Report {
    machine: String,
    rows: Vec<Measured>,
}

fn main() -> std::process::ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.print_lists {
        let lists: BTreeMap<_, _> = LISTS.iter().map(|list| (list.name, list.dims())).collect();
        say(serde_json::to_string(&lists).map_err(|error| error.to_string())?);
        return Ok(());
    }
    let entries = devices::all();
    if let Some(unknown) =
        arguments.backend.iter().find(|name| !entries.iter().any(|entry| entry.name == **name))
    {
        let names: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
        return Err(format!("there is no backend `{unknown}`; there are {}", names.join(", ")));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.map_or(cores, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|error| format!("--threads {threads}: {error}"))?;
    let named = |names: &[String], name: &str| names.iter().any(|wanted| wanted == name);
    let lists: Vec<&List> = LISTS.iter().filter(|list| named(&arguments.list, list.name)).collect();

    let mut report = Report { machine: machine(cores), rows: Vec::new() };
    for entry in &entries {
        let wanted = arguments.backend.is_empty() || named(&arguments.backend, entry.name);
        let device = match &entry.device {
            Ok(device) if wanted => device,
            Err(reason) if named(&arguments.backend, entry.name) => {
                return Err(format!("backend `{}`: {reason}", entry.name));
            }
            _ => continue,
        };
        let choices = &arguments.optimizer;
        for (list, choice) in lists.iter().flat_map(|list| choices.iter().map(move |c| (list, c))) {
            let steps = arguments.steps as usize;
            let through = &arguments.through[..];
            let gradients = if arguments.resident { Gradients::Resident } else { Gradients::Fresh };
            let wish = Wish { list, choice, through, threads, steps, gradients };
            report.rows.extend(measure(&wish, entry, device));
        }
    }
    if report.rows.is_empty() {
        return Err(format!(
            "there is nothing to time: --through needs a way of ours ({}) or, for an optimizer that \
             burn-optim has, burn",
            WAYS.join(", ")
        ));
    }
    if arguments.json {
        let json = serde_json::to_string(&report).map_err(|error| error.to_string())?;
        say(json);
    } else {
        say(format_args!("{}\n\n{}", report.machine, tables::speed(&report.rows)));
    }
    Ok(())
}

/// The optimizer that a text names.
fn choose(text: &str) -> Result<Choice, burn_descent::registry::RegistryError> {
    Choice::new(text.parse::<Selection>()?)
}

/// Processor and cores.
fn machine(cores: usize) -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    format!("{model}, {cores} cores")
}
