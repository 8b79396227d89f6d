//! The names of the options of a chain.

/// The transforms met so far: a name that comes again gets a number.
#[derive(Debug, Default)]
pub struct Names(Vec<&'static str>);

impl Names {
    /// `name.` or `name_2.`, to stand in front of options.
    pub(super) fn prefix(&mut self, name: &'static str) -> String {
        self.0.push(name);
        match self.0.iter().filter(|known| **known == name).count() {
            1 => format!("{name}."),
            number => format!("{name}_{number}."),
        }
    }
}
