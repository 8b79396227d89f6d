//! Holds what is public to the lists in `docs/api`, from what rustdoc writes as JSON.
//!
//! `.ci/api` runs it, and `.ci/api --bless` writes the lists anew.

mod items;
mod text;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

/// The libraries that others build on.
const CRATES: [&str; 3] = ["burn-descent", "burn-descent-engine", "burn-descent-rules"];

/// The format of rustdoc's JSON that is read here: that of Rust 1.95.
const FORMAT: u64 = 57;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(json), Some(lists)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: api FOLDER_OF_JSON FOLDER_OF_LISTS [--bless]");
        return ExitCode::from(2);
    };
    let bless = arguments.next().as_deref() == Some("--bless");
    let mut changed = false;
    for name in CRATES {
        let list = Path::new(&lists).join(name).with_extension("txt");
        match held(&Path::new(&json).join(json_name(name)), &list, bless) {
            Ok(difference) if difference.is_empty() => {}
            Ok(difference) => {
                changed = true;
                println!("{}", list.display());
                difference.iter().for_each(|line| println!("{line}"));
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
        }
    }
    if changed && !bless {
        println!(
            "\nWhat is public has changed. If that is meant, write it down with `.ci/api --bless`, and \
             say it in CHANGELOG.md."
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn json_name(name: &str) -> PathBuf {
    Path::new(&name.replace('-', "_")).with_extension("json")
}

/// The lines that are not as the list has them, which is written anew if it is to be.
fn held(json: &Path, list: &Path, bless: bool) -> Result<Vec<String>, String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let documentation: serde_json::Value =
        serde_json::from_str(&read(json)?).map_err(|error| error.to_string())?;
    let format = documentation["format_version"].as_u64();
    if format != Some(FORMAT) {
        return Err(format!(
            "rustdoc wrote format {format:?} of its JSON, and {FORMAT} is read here, which is that of Rust \
             1.95: use that, or see whether src/text.rs reads the other"
        ));
    }
    let now = items::list(&documentation);
    let before = if list.exists() { read(list)? } else { String::new() };
    if bless {
        fs::write(list, &now).map_err(|error| format!("{}: {error}", list.display()))?;
    }
    Ok(difference(&before, &now))
}

/// `- ` and what is gone, `+ ` and what is new, in the order of the lists.
fn difference(before: &str, now: &str) -> Vec<String> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (lines(before), lines(now));
    let gone = before.lines().filter(|line| !new.contains(*line)).map(|line| format!("- {line}"));
    let added = now.lines().filter(|line| !old.contains(*line)).map(|line| format!("+ {line}"));
    gone.chain(added).collect()
}

#[test]
fn a_difference_has_what_is_gone_and_what_is_new() {
    let found = difference("fn a()\nfn b()\nfn c()\n", "fn a()\nfn b(x: u8)\nfn c()\nfn d()\n");
    assert_eq!(found, ["- fn b()", "+ fn b(x: u8)", "+ fn d()"]);
    assert!(difference("fn a()\n", "fn a()\n").is_empty());
}
