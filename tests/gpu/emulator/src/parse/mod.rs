//! From the text of a module to its kernels. What is not known is refused, by name.

mod arithmetic;
mod body;
mod convert;
mod declaration;
mod group;
mod memory;
mod name;
mod scope;
mod statement;
mod text;

use crate::program::Kernel;

pub(crate) use declaration::Variable;

/// Why a module is not loaded.
pub(crate) type Refusal = String;

/// All kernels of a module, and its variables that are initialised.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) kernels: Vec<Kernel>,
    /// The kernels know them by their place here.
    pub(crate) variables: Vec<Variable>,
}

/// Reads a module.
pub(crate) fn module(ptx: &str) -> Result<Module, Refusal> {
    let text = text::without_comments(ptx);
    let mut module = Module::default();
    let mut shared = Vec::new();
    for item in text::items(&text)? {
        match item {
            text::Item::Variable(line) => {
                let declared = declaration::declaration(line)?;
                match declared.space {
                    declaration::Room::Shared => shared.push(declared),
                    _ => module.variables.push(declared.variable()?),
                }
            }
            text::Item::Function { head, body } => {
                let kernel = body::kernel(head, body, &shared, &module.variables)?;
                module.kernels.push(kernel);
            }
        }
    }
    if module.kernels.is_empty() {
        return Err("no kernel".into());
    }
    Ok(module)
}
