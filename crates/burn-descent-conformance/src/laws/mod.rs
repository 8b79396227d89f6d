//! What must hold for every optimizer on every device.

mod agreement;
mod checkpoint;
mod descent;
mod gradients;
mod layouts;
mod lives;
mod memory;
mod model;
mod records;
mod refusals;
mod shapes;
mod stores;
mod walk;

pub use layouts::{Way, ways};

use crate::Subject;
use burn::tensor::{DType, Shape};
use burn_descent::Place;

/// A law by its name in tests.
pub struct Law {
    /// Its name.
    pub name: &'static str,
    /// What can break it.
    pub about: About,
    /// Does it say anything about this subject?
    pub applies: fn(&Subject) -> bool,
    /// Panics where it is broken.
    pub check: fn(&Subject),
}

/// What can break a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What a rule's own file says: its formula, options, states and memory. Each rule can break it
    /// on its own, and does so on every device.
    Rule,
    /// What is done with any rule: engines, records, walks. It breaks for all rules of one form, and
    /// can do so on one device alone.
    Engine,
}

/// Every law.
pub const LAWS: &[Law] = &[
    law("engines_agree", agreement::engines_agree).of_rule(),
    law("devices_agree", agreement::devices_agree).of_rule().on(|s| {
        s.candidate.sees_whole()
            && s.dtype == DType::F32
            && !s.multiplies_in_tf32()
            && !s.others.is_empty()
    }),
    law("padding", agreement::padding),
    law("threads", agreement::threads).on(|subject| subject.on_cpu),
    law("shapes", shapes::shapes),
    law("layout", shapes::layout).on(|s| sees_rows(s) && !s.multiplies_in_tf32()),
    law("layouts", layouts::layouts),
    law("dtype", memory::dtype),
    law("in_place", memory::in_place)
        .on(|subject| subject.on_cpu && !subject.candidate.sees_whole()),
    law("shared", memory::shared),
    law("bytes", memory::bytes).of_rule(),
    law("positive", stores::positive).of_rule().on(full_precision),
    law("stores", stores::stores).on(|s| s.dtype != DType::F64 && alone(s)),
    law("resume", records::resume).of_rule().on(|s| full_precision(s) && alone(s)),
    law("other_device", records::other_device).on(|subject| !subject.others.is_empty()),
    law("foreign_record", records::foreign_record).of_rule().on(|s| full_precision(s) && alone(s)),
    law("no_gradient", gradients::no_gradient).on(full_precision),
    law("zero_gradient", gradients::zero).of_rule(),
    law("extreme_gradients", gradients::extreme).of_rule(),
    law("broken_gradients", gradients::broken).of_rule(),
    law("descends", descent::descends).of_rule().on(full_precision),
    law("groups", descent::groups).on(|s| full_precision(s) && alone(s) && !s.candidate.page.noisy),
    law("walk", walk::plain).on(|s| full_precision(s) && alone(s)),
    law("walk_accumulate", walk::accumulate)
        .on(|s| full_precision(s) && !keeps_matrices(s) && !s.multiplies_in_tf32()),
    law("walk_not_finite", walk::not_finite).on(full_precision),
    law("walk_clip", walk::clip).on(full_precision),
    law("clone_is_another", lives::clone_is_another)
        .on(|s| full_precision(s) && !keeps_matrices(s)),
    law("tied", lives::tied).on(full_precision),
    law("walk_resume", checkpoint::resume).on(full_precision),
    law("bad_options", refusals::options).of_rule(),
    law("bad_learning_rate", refusals::learning_rate),
    law("bad_shapes", refusals::shapes),
    law("not_alone", refusals::not_alone).of_rule().on(|subject| !alone(subject)),
    law("model_sum", model::model_sum)
        .of_rule()
        .on(|subject| !alone(subject) && has_no_seams(subject)),
];

const fn law(name: &'static str, check: fn(&Subject)) -> Law {
    Law { name, about: About::Engine, applies: |_| true, check }
}

impl Law {
    /// The same law, that each rule can break on its own.
    const fn of_rule(self) -> Self {
        Self { about: About::Rule, ..self }
    }

    /// The same law, of these subjects only.
    const fn on(self, applies: fn(&Subject) -> bool) -> Self {
        Self { applies, ..self }
    }
}

/// Does the rule tell rows from columns?
fn sees_rows(subject: &Subject) -> bool {
    let looks =
        subject.candidate.optimizer.look(&Shape::new([2, 2]), subject.dtype, Place::default());
    looks.view.is_some() && !subject.candidate.page.noisy
}

/// Does it keep a basis or a factor? Of few gradients its null space is any, so that rounding decides where it goes.
fn keeps_matrices(subject: &Subject) -> bool {
    !subject.candidate.page.kept.is_empty()
}

/// Does a step need nothing but a parameter and its gradient?
fn alone(subject: &Subject) -> bool {
    subject.candidate.optimizer.steps_alone()
}

/// Does it look at nothing that is smaller than the model and larger than an element?
fn has_no_seams(subject: &Subject) -> bool {
    let seam = |line: &String| {
        ["row", "column", "matrix", "tensor"].iter().any(|of| line.contains(&format!("[{of}]")))
    };
    !subject.candidate.sees_whole() && !subject.candidate.page.formula.iter().any(seam)
}

/// In half precision autodiff rounds away what is to be seen.
fn full_precision(subject: &Subject) -> bool {
    matches!(subject.dtype, DType::F32 | DType::F64)
}
