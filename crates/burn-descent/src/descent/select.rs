//! Which parameters belong to a group.

use burn::module::{ParamGroup, ParamId};

/// Which parameters of a model: by name or id, as burn's [`ParamGroup`] has it, by rank, or by the
/// kind of module that holds them.
///
/// ```
/// use burn::module::ParamGroup;
/// use burn_descent::{Build, Descent, Group, Select, Sgd};
///
/// # let sgd = || Sgd::new().build().expect("defaults are allowed");
/// // The scales of normalisation, and all biases but those of the head.
/// let plain = Select::within("LayerNorm")
///     .or(Select::rank(1).except(ParamGroup::from_predicate("head")));
/// let walk = Descent::builder(sgd()).lr(0.1).group(Group::new("plain", plain, sgd()));
/// # drop(walk);
/// ```
#[derive(Clone, Debug)]
pub struct Select(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Named(ParamGroup),
    Rank(usize),
    Within(String),
    And(Box<[Select; 2]>),
    Or(Box<[Select; 2]>),
    Except(Box<[Select; 2]>),
}

impl Select {
    /// All of them.
    pub fn all() -> Self {
        ParamGroup::all().into()
    }

    /// Those of so many dimensions: 1 is a vector, 2 a matrix.
    pub fn rank(rank: usize) -> Self {
        Self(Kind::Rank(rank))
    }

    /// Those within a module of this type, such as `LayerNorm`, at whatever depth. It is the name of
    /// the type as it was declared, without generics.
    pub fn within(module: impl Into<String>) -> Self {
        Self(Kind::Within(module.into()))
    }

    /// Those that both select.
    pub fn and(self, other: impl Into<Self>) -> Self {
        Self(Kind::And(Box::new([self, other.into()])))
    }

    /// Those that one or both select.
    pub fn or(self, other: impl Into<Self>) -> Self {
        Self(Kind::Or(Box::new([self, other.into()])))
    }

    /// Those that the other does not select.
    pub fn except(self, other: impl Into<Self>) -> Self {
        Self(Kind::Except(Box::new([self, other.into()])))
    }

    pub(super) fn matches(&self, place: &Place) -> bool {
        match &self.0 {
            Kind::Named(group) => group.matches(&place.id, Some(&place.path)),
            Kind::Rank(rank) => place.rank == *rank,
            Kind::Within(module) => place.modules.iter().any(|within| within == module),
            Kind::And(both) => both.iter().all(|select| select.matches(place)),
            Kind::Or(both) => both.iter().any(|select| select.matches(place)),
            Kind::Except(both) => both[0].matches(place) && !both[1].matches(place),
        }
    }
}

impl From<ParamGroup> for Select {
    fn from(group: ParamGroup) -> Self {
        Self(Kind::Named(group))
    }
}

/// Where a parameter is, for a selection.
pub(super) struct Place {
    pub(super) id: ParamId,
    pub(super) path: String,
    pub(super) rank: usize,
    /// The types of the modules around it, the outermost first.
    pub(super) modules: Vec<String>,
}
