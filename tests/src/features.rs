//! What engines, records and walks can tell of a rule: two rules that have the same features take the
//! same ways through them.

use burn_descent::registry::Row;
use burn_descent::rules::Explanation;
use burn_descent_conformance::variants;
use std::collections::BTreeSet;

/// The features of a rule, with its options at their defaults and with those that [`variants`] changes.
pub fn features(row: &Row) -> BTreeSet<String> {
    let pages: Vec<Explanation> = pages(row).collect();
    if pages[0].formula.iter().any(|line| line.contains("whole(")) {
        // Tensor operations step it on every device, whatever its text is.
        let kept = if pages[0].kept.is_empty() { "nothing" } else { "matrices" };
        return [format!("whole matrices, {kept} kept")].into();
    }
    let mut features: BTreeSet<String> = pages.iter().flat_map(form).collect();
    let operations = pages.iter().flat_map(|page| &page.operations);
    features.extend(operations.map(|(kind, _)| format!("operation {kind}")));
    let options = pages.iter().flat_map(|page| &page.options);
    features.extend(options.map(|(_, value)| kind(value).to_owned()));
    for (_, optimizer) in variants(&row.build(&[]).expect("the defaults are allowed")) {
        let needs = [
            (optimizer.sees_model(), "sums over the model"),
            (optimizer.needs_loss(), "the value of the loss"),
        ];
        features.extend(needs.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()));
    }
    // What lies in rows and columns goes ways of its own.
    for of in ["row", "column", "matrix"] {
        let summed =
            |page: &Explanation| page.formula.iter().any(|line| line.contains(&format!("[{of}]")));
        let kept = |page: &Explanation| page.coarse.iter().any(|(_, domain)| domain.name() == of);
        if pages.iter().any(summed) {
            features.insert(format!("a sum to the {of}"));
        }
        if pages.iter().any(kept) {
            features.insert(format!("a state of the {of}"));
        }
    }
    let switched =
        |what: fn(&Explanation) -> usize| pages.iter().map(what).collect::<BTreeSet<_>>().len() > 1;
    if switched(|page| page.states.len()) {
        features.insert("an option switches a state on".into());
    }
    if switched(size) {
        features.insert("an option switches operations on".into());
    }
    features
}

/// The rows by which all are represented: each has a feature that no row above it has. The greatest
/// of all is one of them too.
pub fn representatives(rows: &[Row]) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let mut names: BTreeSet<&'static str> = BTreeSet::new();
    for row in rows {
        let before = seen.len();
        seen.extend(features(row));
        if seen.len() > before {
            names.insert(row.name);
        }
    }
    names.extend(
        rows.iter().max_by_key(|row| pages(row).map(|page| size(&page)).max()).map(|row| row.name),
    );
    names
}

/// The rule as its options can make it.
fn pages(row: &Row) -> impl Iterator<Item = Explanation> {
    let optimizer = row.build(&[]).expect("the defaults are allowed");
    variants(&optimizer).into_iter().map(|(_, variant)| {
        let options = variant.options().iter().map(|(name, value)| (name.as_str(), value.as_str()));
        row.explain(&options.collect::<Vec<_>>()).expect("a variant is allowed")
    })
}

/// What there is to be kept, summed and evaluated.
fn form(page: &Explanation) -> Vec<String> {
    let parts = [
        (!page.summed.is_empty(), "a sum"),
        (!page.coarse.is_empty(), "numbers of rows or columns"),
        (!page.memory.is_empty(), "memory"),
        (!page.evaluated.is_empty(), "weights to evaluate with"),
        (page.noisy, "noise"),
    ];
    let parts = parts.into_iter().filter_map(|(there, part)| there.then_some(part.to_owned()));
    parts.chain([format!("{} states", page.states.len())]).collect()
}

/// How many operations a step takes.
fn size(page: &Explanation) -> usize {
    page.operations.iter().map(|(_, count)| count).sum()
}

/// What a value of an option is.
fn kind(value: &str) -> &'static str {
    match value {
        "true" | "false" => "an option that is true or false",
        number if number.parse::<f64>().is_ok() => "an option that is a number",
        _ => "an option that is a word",
    }
}
