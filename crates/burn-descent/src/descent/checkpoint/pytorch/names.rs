//! What PyTorch calls the parameters of a burn model.

use super::{Parameters, WEIGHTS};
use burn::module::{ModuleVisitor, Param, ParamId};
use burn::store::{ModuleAdapter, ModuleContext, PyTorchToBurnAdapter};
use burn::tensor::Tensor;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Where in a model a visit is.
#[derive(Default)]
pub(super) struct Place {
    /// The names of the fields, from the outermost.
    fields: Vec<String>,
    /// The types of the modules that have them.
    modules: Vec<String>,
}

impl Place {
    pub(super) fn enter(&mut self, field: &str, module: &str) {
        self.fields.push(field.to_owned());
        self.modules.push(module.to_owned());
    }

    pub(super) fn exit(&mut self) {
        self.fields.pop();
        self.modules.pop();
    }

    pub(super) fn path(&self) -> String {
        self.fields.join(".")
    }

    pub(super) fn context(&self) -> ModuleContext<'_> {
        ModuleContext::new(&self.modules)
    }

    /// The first name by which the file has the weights of the parameter here: with or without the variants of enums, by its
    /// own name or by PyTorch's.
    pub(super) fn name_in(&self, file: &Parameters) -> Option<String> {
        let no_variant = |(field, module): (&String, &String)| {
            (!module.starts_with("Enum:")).then(|| field.clone())
        };
        let short = self.fields.iter().zip(&self.modules).filter_map(no_variant).collect();
        let module = self.context().module_type().unwrap_or_default();
        let mut names = Vec::new();
        for mut fields in [self.fields.clone(), short] {
            names.push(fields.join("."));
            let Some(own) = fields.last_mut() else { continue };
            if let Some(theirs) = PyTorchToBurnAdapter.get_alternative_param_name(own, module) {
                *own = theirs;
                names.push(fields.join("."));
            }
        }
        let is_there = |name: &String| file.get(name).is_some_and(|it| it.contains_key(WEIGHTS));
        names.into_iter().find(is_there)
    }
}

/// Brings together what the file has of a parameter that the model holds in several places: PyTorch saves its weights by
/// each name, and its states by the first.
pub(super) struct Ties {
    place: Place,
    file: Parameters,
    /// By what name the file has the first place of each parameter.
    first: HashMap<ParamId, String>,
}

impl Ties {
    pub(super) fn new(file: Parameters) -> Self {
        Self { place: Place::default(), file, first: HashMap::new() }
    }

    pub(super) fn file(self) -> Parameters {
        self.file
    }
}

impl ModuleVisitor for Ties {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.place.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(name) = self.place.name_in(&self.file) else { return };
        match self.first.entry(param.id) {
            Entry::Vacant(first) => drop(first.insert(name)),
            Entry::Occupied(first) if *first.get() == name => {}
            Entry::Occupied(first) => {
                let tied = self.file.remove(&name).unwrap_or_default();
                let parts = self.file.entry(first.get().clone()).or_default();
                for (part, tensor) in tied {
                    parts.entry(part).or_insert(tensor);
                }
            }
        }
    }
}
