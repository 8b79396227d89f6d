//! Types, generics and signatures as they are written in Rust, with names instead of whole paths.

use serde_json::Value;

/// The kind of a value and what it holds: `{"generic": "T"}`, or `"infer"`.
pub(crate) fn only(value: &Value) -> (&str, &Value) {
    let pair = value.as_object().and_then(|object| object.iter().next());
    pair.map_or((value.as_str().unwrap_or_default(), &Value::Null), |(kind, inner)| (kind, inner))
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn all(values: &Value, text: impl Fn(&Value) -> String) -> Vec<String> {
    values.as_array().into_iter().flatten().map(text).collect()
}

/// The parts after a word, if there are any.
pub(crate) fn joined(before: &str, parts: Vec<String>) -> String {
    let between = if before.ends_with(": ") { " + " } else { ", " };
    if parts.is_empty() { String::new() } else { before.to_owned() + &parts.join(between) }
}

fn within(open: &str, parts: Vec<String>, close: &str) -> String {
    if parts.is_empty() { String::new() } else { format!("{open}{}{close}", parts.join(", ")) }
}

/// A type.
pub(crate) fn of_type(value: &Value) -> String {
    let (kind, inner) = only(value);
    let mutable = inner["is_mutable"] == true;
    match kind {
        "resolved_path" => path_of(inner),
        "generic" | "primitive" => word(inner).to_owned(),
        "infer" => "_".into(),
        "tuple" => format!("({})", all(inner, of_type).join(", ")),
        "slice" => format!("[{}]", of_type(inner)),
        "array" => format!("[{}; {}]", of_type(&inner["type"]), word(&inner["len"])),
        "impl_trait" => joined("impl: ", bounds(inner)).replacen("impl: ", "impl ", 1),
        "dyn_trait" => {
            let mut traits = all(&inner["traits"], for_trait);
            traits.extend(inner["lifetime"].as_str().map(str::to_owned));
            format!("dyn {}", traits.join(" + "))
        }
        "borrowed_ref" => {
            let lifetime =
                inner["lifetime"].as_str().map_or(String::new(), |name| format!("{name} "));
            let mutable = if mutable { "mut " } else { "" };
            let of = of_type(&inner["type"]);
            let of =
                if of.contains(" + ") && of.starts_with("dyn") { format!("({of})") } else { of };
            format!("&{lifetime}{mutable}{of}")
        }
        "raw_pointer" => {
            format!("*{} {}", if mutable { "mut" } else { "const" }, of_type(&inner["type"]))
        }
        "function_pointer" => {
            let of = within("for<", all(&inner["generic_params"], parameter), "> ");
            let inputs = all(&inner["sig"]["inputs"], |input| of_type(&input[1]));
            let output = output(&inner["sig"]["output"]);
            format!("{of}{}fn({}){output}", header(&inner["header"]), inputs.join(", "))
        }
        "qualified_path" => {
            let (of, by) = (of_type(&inner["self_type"]), path_of(&inner["trait"]));
            let of = if by.is_empty() { of } else { format!("<{of} as {by}>") };
            format!("{of}::{}{}", word(&inner["name"]), arguments(&inner["args"]))
        }
        kind => panic!("a type of the kind `{kind}`, which is not known here"),
    }
}

/// A name with its arguments: `Vec<u8>`.
pub(crate) fn path_of(value: &Value) -> String {
    let name = word(&value["path"]).rsplit("::").next().unwrap_or_default();
    name.to_owned() + &arguments(&value["args"])
}

fn arguments(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    let (kind, inner) = only(value);
    if kind == "parenthesized" {
        let inputs = all(&inner["inputs"], of_type).join(", ");
        return format!("({inputs}){}", output(&inner["output"]));
    }
    let mut list = all(&inner["args"], |argument| match only(argument) {
        ("type", inner) => of_type(inner),
        ("const", inner) => word(&inner["expr"]).to_owned(),
        (_, inner) => word(inner).to_owned(),
    });
    list.extend(all(&inner["constraints"], |constraint| {
        let name = word(&constraint["name"]).to_owned() + &arguments(&constraint["args"]);
        match only(&constraint["binding"]) {
            ("equality", inner) => format!("{name} = {}", of_type(&inner["type"])),
            (_, inner) => name + &joined(": ", bounds(inner)),
        }
    }));
    within("<", list, ">")
}

fn output(value: &Value) -> String {
    if value.is_null() { String::new() } else { format!(" -> {}", of_type(value)) }
}

fn for_trait(value: &Value) -> String {
    within("for<", all(&value["generic_params"], parameter), "> ") + &path_of(&value["trait"])
}

/// What a type must be: traits and lifetimes.
pub(crate) fn bounds(value: &Value) -> Vec<String> {
    all(value, |bound| match only(bound) {
        ("trait_bound", inner) => {
            let maybe = if inner["modifier"] == "maybe" { "?" } else { "" };
            maybe.to_owned() + &for_trait(inner)
        }
        ("use", inner) => {
            format!("use<{}>", all(inner, |of| word(only(of).1).to_owned()).join(", "))
        }
        (_, inner) => word(inner).to_owned(),
    })
}

fn parameter(value: &Value) -> String {
    let name = word(&value["name"]);
    match only(&value["kind"]) {
        ("type", inner) => {
            let default = &inner["default"];
            let default =
                if default.is_null() { String::new() } else { format!(" = {}", of_type(default)) };
            format!("{name}{}{default}", joined(": ", bounds(&inner["bounds"])))
        }
        ("const", inner) => format!("const {name}: {}", of_type(&inner["type"])),
        (_, inner) => {
            name.to_owned() + &joined(": ", all(&inner["outlives"], |of| word(of).to_owned()))
        }
    }
}

/// Is it a parameter that stands for an `impl` among the arguments?
fn is_written(parameter: &&Value) -> bool {
    parameter["kind"]["type"]["is_synthetic"] != true
}

/// `<'a, T: Clone>`, or nothing.
pub(crate) fn generics(value: &Value) -> String {
    let parameters = value["params"].as_array().into_iter().flatten().filter(is_written);
    within("<", parameters.map(parameter).collect(), ">")
}

/// What stands after `where`.
pub(crate) fn wheres(value: &Value) -> Vec<String> {
    all(&value["where_predicates"], |predicate| match only(predicate) {
        ("bound_predicate", inner) => {
            let of = within("for<", all(&inner["generic_params"], parameter), "> ");
            of + &of_type(&inner["type"]) + &joined(": ", bounds(&inner["bounds"]))
        }
        ("lifetime_predicate", inner) => {
            let outlives = all(&inner["outlives"], |of| word(of).to_owned());
            word(&inner["lifetime"]).to_owned() + &joined(": ", outlives)
        }
        (kind, _) => panic!("a condition of the kind `{kind}`, which is not known here"),
    })
}

/// All that generics ask for, as it would stand after `where`.
pub(crate) fn limits(value: &Value) -> Vec<String> {
    let parameters = value["params"].as_array().into_iter().flatten().map(parameter);
    let limits = parameters.filter(|text| text.contains(": "));
    limits.chain(wheres(value)).collect()
}

fn header(value: &Value) -> String {
    let words = [("is_const", "const "), ("is_async", "async "), ("is_unsafe", "unsafe ")];
    words.iter().filter(|(key, _)| value[key] == true).map(|(_, word)| *word).collect()
}

/// A function, with what its surroundings ask for.
pub(crate) fn signature(name: &str, function: &Value, limits: &[String]) -> String {
    let input = |input: &Value| {
        let (name, of) = (word(&input[0]), of_type(&input[1]));
        match (name, of.strip_suffix("Self")) {
            ("self", Some(by)) if by.is_empty() || by.starts_with('&') => format!("{by}self"),
            _ => format!("{name}: {of}"),
        }
    };
    let (general, sig) = (&function["generics"], &function["sig"]);
    let wheres = limits.iter().cloned().chain(wheres(general)).collect();
    format!(
        "{}fn {name}{}({}){}{}",
        header(&function["header"]),
        generics(general),
        all(&sig["inputs"], input).join(", "),
        output(&sig["output"]),
        joined(" where ", wheres),
    )
}

#[test]
fn a_signature_reads_as_it_was_written() {
    let function = serde_json::json!({
        "sig": {
            "inputs": [
                ["self", {"borrowed_ref": {"lifetime": null, "is_mutable": true, "type": {"generic": "Self"}}}],
                ["x", {"impl_trait": [{"trait_bound": {"trait": {"path": "core::ops::FnMut", "args": {
                    "parenthesized": {"inputs": [{"slice": {"primitive": "u8"}}], "output": {"generic": "R"}}
                }}, "generic_params": [], "modifier": "none"}}]}],
            ],
            "output": {"tuple": [{"array": {"type": {"generic": "R"}, "len": "D"}}, {"primitive": "u8"}]},
        },
        "generics": {
            "params": [
                {"name": "R", "kind": {"type": {"bounds": [], "default": null, "is_synthetic": false}}},
                {"name": "D", "kind": {"const": {"type": {"primitive": "usize"}, "default": null}}},
                {"name": "impl FnMut([u8]) -> R", "kind": {"type": {"bounds": [], "is_synthetic": true}}},
            ],
            "where_predicates": [{"bound_predicate": {"type": {"generic": "R"}, "generic_params": [], "bounds": [
                {"trait_bound": {"trait": {"path": "Into", "args": {"angle_bracketed": {
                    "args": [{"type": {"primitive": "f64"}}], "constraints": []
                }}}, "generic_params": [], "modifier": "none"}}, {"outlives": "'static"},
            ]}}],
        },
        "header": {"is_const": false, "is_unsafe": false, "is_async": false},
    });
    assert_eq!(
        signature("Of::go", &function, &["M: Clone".into()]),
        "fn Of::go<R, const D: usize>(&mut self, x: impl FnMut([u8]) -> R) -> ([R; D], u8) \
         where M: Clone, R: Into<f64> + 'static"
    );
}
