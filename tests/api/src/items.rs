//! The public items of a crate, one line each, sorted by their paths.

use crate::text::{bounds, generics, joined, limits, of_type, only, path_of, signature, wheres};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// One line for each public item with its declaration, without the name of the crate and `pub`. A
/// function with a body in a trait ends with `{ .. }`, and so does a struct with private fields.
///
/// Items that are declared in a private module are listed where they are exported; what another
/// module or crate exports too is a line `use`.
pub(crate) fn list(documentation: &Value) -> String {
    let mut list =
        List { index: &documentation["index"], own: HashSet::new(), lines: BTreeSet::new() };
    let root = &documentation["root"];
    list.declare(root);
    list.module(root, "");
    list.lines.into_iter().map(|(_, _, line)| line + "\n").collect()
}

struct List<'a> {
    index: &'a Value,
    /// What has its place: it is declared in a public module, or listed where it is exported.
    own: HashSet<String>,
    /// The lines with what they are sorted by: their paths, and what is implemented after what it is for.
    lines: BTreeSet<(String, bool, String)>,
}

impl<'a> List<'a> {
    fn find(&self, id: &Value) -> Option<&'a Value> {
        self.index.get(id.to_string())
    }

    /// Some of the items with these ids; those that are private or of other crates are not there.
    fn each(&self, ids: &'a Value) -> Vec<(&'a Value, &'a Value)> {
        let ids = ids.as_array().into_iter().flatten();
        ids.filter_map(|id| Some((id, self.find(id)?))).collect()
    }

    fn add(&mut self, path: &str, line: String) {
        self.lines.insert((path.to_owned(), line.starts_with("impl"), line));
    }

    /// Notes what is declared in a public module, and in those in it.
    fn declare(&mut self, module: &Value) {
        let Some(item) = self.find(module) else { return };
        for (id, item) in self.each(&item["inner"]["module"]["items"]) {
            if only(&item["inner"]).0 == "use" {
                continue;
            }
            self.own.insert(id.to_string());
            self.declare(id);
        }
    }

    /// Lists the items of a module, those of its modules last: an item is at home where it is nearest to
    /// the root.
    fn module(&mut self, id: &Value, at: &str) {
        let Some(module) = self.find(id) else { return };
        let mut items = self.each(&module["inner"]["module"]["items"]);
        items.sort_by_key(|(_, item)| only(&item["inner"]).0 == "module");
        for (_, item) in items {
            let (kind, inner) = only(&item["inner"]);
            match kind {
                "use" => self.export(inner, at),
                _ => self.item(item, &join(at, text(&item["name"]))),
            }
        }
    }

    /// Lists what a `pub use` shows: the item itself, if it is declared in private and has no place yet.
    fn export(&mut self, export: &Value, at: &str) {
        let target = &export["id"];
        let here = self.find(target).filter(|_| !self.own.contains(&target.to_string()));
        let (source, name) = (text(&export["source"]), text(&export["name"]));
        match (here, export["is_glob"] == true) {
            (Some(_), true) => self.module(target, at),
            (None, true) => {
                self.add(&join(at, "*"), format!("use {}", join(at, &format!("{source}::*"))))
            }
            (Some(item), false) => {
                self.own.insert(target.to_string());
                self.item(item, &join(at, name));
            }
            (None, false) => {
                self.add(&join(at, name), format!("use {} = {source}", join(at, name)))
            }
        }
    }

    fn item(&mut self, item: &'a Value, path: &str) {
        let (kind, inner) = only(&item["inner"]);
        let open = if has(item, "non_exhaustive") { "#[non_exhaustive] " } else { "" };
        let of = generics(&inner["generics"]);
        let wheres = joined(" where ", wheres(&inner["generics"]));
        match kind {
            "module" => {
                self.add(path, format!("mod {path}"));
                let id = item["id"].clone();
                self.module(&id, path);
            }
            "struct" => {
                let rest = self.fields(&inner["kind"], path);
                self.add(path, format!("{open}struct {path}{of}{wheres}{rest}"));
            }
            "enum" => {
                self.add(path, format!("{open}enum {path}{of}{wheres}"));
                for (_, variant) in self.each(&inner["variants"]) {
                    let path = join(path, text(&variant["name"]));
                    let (kind, open) =
                        (&variant["inner"]["variant"]["kind"], has(variant, "non_exhaustive"));
                    let open = if open { "#[non_exhaustive] " } else { "" };
                    self.add(&path, format!("{open}variant {path}{}", self.inline(kind)));
                }
            }
            "trait" => {
                let above = joined(": ", bounds(&inner["bounds"]));
                self.add(path, format!("trait {path}{of}{above}{wheres}"));
                self.members(&inner["items"], path, &[]);
                self.implemented(inner, path);
            }
            "function" => self.add(path, signature(path, inner, &[])),
            "constant" | "static" => {
                self.add(path, format!("{} {path}: {}", &kind[..5], of_type(&inner["type"])));
            }
            "type_alias" => {
                self.add(path, format!("type {path}{of} = {}", of_type(&inner["type"])))
            }
            "macro" => self.add(path, format!("macro {path}!")),
            "proc_macro" => self.add(path, format!("macro {path}")),
            kind => panic!("{path} is a {kind}, which is not known here"),
        }
        self.implementations(item, inner, path);
    }

    /// A line for each public field that has a name; the rest of the struct's own line.
    fn fields(&mut self, kind: &Value, path: &str) -> String {
        let Some(plain) = kind.get("plain") else { return self.inline(kind) };
        for (_, field) in self.each(&plain["fields"]) {
            let path = join(path, text(&field["name"]));
            self.add(&path, format!("field {path}: {}", of_type(&field["inner"]["struct_field"])));
        }
        if plain["has_stripped_fields"] == true { " { .. }".into() } else { String::new() }
    }

    /// The fields of a tuple or a variant.
    fn inline(&self, kind: &Value) -> String {
        if let Some(fields) = kind["tuple"].as_array() {
            let field = |id| {
                self.find(id).map_or("_".into(), |field| of_type(&field["inner"]["struct_field"]))
            };
            return format!("({})", fields.iter().map(field).collect::<Vec<_>>().join(", "));
        }
        let Some(fields) = kind.get("struct") else { return String::new() };
        let field = |(_, field): (&Value, &Value)| {
            format!("{}: {}", text(&field["name"]), of_type(&field["inner"]["struct_field"]))
        };
        let fields = self.each(&fields["fields"]).into_iter().map(field);
        format!(" {{ {} }}", fields.collect::<Vec<_>>().join(", "))
    }

    /// Functions, constants and types of a trait, or of a type where `limits` hold.
    fn members(&mut self, ids: &'a Value, of: &str, limits: &[String]) {
        for (_, item) in self.each(ids) {
            let (kind, inner) = only(&item["inner"]);
            let path = join(of, text(&item["name"]));
            let line = match kind {
                "function" => signature(&path, inner, limits),
                "assoc_const" => format!("const {path}: {}", of_type(&inner["type"])),
                "assoc_type" => {
                    let (of, above) =
                        (generics(&inner["generics"]), joined(": ", bounds(&inner["bounds"])));
                    format!("type {path}{of}{above}")
                }
                kind => panic!("{path} is a {kind}, which is not known here"),
            };
            let given = item["visibility"] == "default"
                && (inner["has_body"] == true || !inner["value"].is_null());
            self.add(&path, if given { line + " { .. }" } else { line });
        }
    }

    /// What is implemented for a type: its own functions, and the traits, those without generics in
    /// one line.
    fn implementations(&mut self, item: &Value, inner: &'a Value, path: &str) {
        let mut plain = BTreeMap::<String, BTreeSet<String>>::new();
        for (_, found) in self.each(&inner["impls"]) {
            let implementation = &found["inner"]["impl"];
            let (general, of) = (&implementation["generics"], &implementation["for"]);
            // Those that only name it, as `From<It>` for another type, are found at that one.
            if is_given(implementation) || *id_of(of) != item["id"] {
                continue;
            }
            if implementation["trait"].is_null() {
                self.members(&implementation["items"], path, &limits(general));
            } else if generics(general).is_empty() {
                let of = of_type(of);
                let is_plain = !of.contains(['<', '&']);
                let of = if is_plain { path.to_owned() } else { of };
                plain.entry(of).or_default().insert(path_of(&implementation["trait"]));
            } else {
                self.add(path, whole(implementation));
            }
        }
        for (of, traits) in plain {
            let traits = traits.into_iter().collect::<Vec<_>>().join(", ");
            self.add(path, format!("impl {traits} for {of}"));
        }
    }

    /// What else has a trait: types of other crates, and all that have another trait.
    fn implemented(&mut self, inner: &'a Value, path: &str) {
        for (_, item) in self.each(&inner["implementations"]) {
            let implementation = &item["inner"]["impl"];
            if self.find(id_of(&implementation["for"])).is_none()
                && implementation["is_synthetic"] == false
            {
                self.add(path, whole(implementation));
            }
        }
    }
}

/// Is it one that no line of the crate asks for? Automatic ones, those of other crates for all types,
/// and what comes with a derived `PartialEq`.
fn is_given(implementation: &Value) -> bool {
    implementation["is_synthetic"] == true
        || !implementation["blanket_impl"].is_null()
        || implementation["trait"]["path"] == "StructuralPartialEq"
}

/// The type that something is implemented for, be it for a reference to it.
fn id_of(of: &Value) -> &Value {
    match of.get("borrowed_ref") {
        Some(reference) => id_of(&reference["type"]),
        None => &of["resolved_path"]["id"],
    }
}

fn whole(implementation: &Value) -> String {
    let general = &implementation["generics"];
    format!(
        "impl{} {} for {}{}",
        generics(general),
        path_of(&implementation["trait"]),
        of_type(&implementation["for"]),
        joined(" where ", wheres(general)),
    )
}

fn has(item: &Value, attribute: &str) -> bool {
    item["attrs"].as_array().into_iter().flatten().any(|found| found == attribute)
}

fn text(name: &Value) -> &str {
    name.as_str().unwrap_or_default()
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}::{name}") }
}
