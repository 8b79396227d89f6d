//! The optimizers, one file each.

mod adabelief;
mod adabound;
mod adadelta;
mod adagrad;
pub(crate) mod adam;
mod adamax;
mod adamw;
mod adan;
mod ademamix;
mod adopt;
mod aggmo;
mod asgd;
mod grokfast_adamw;
mod laprop;
mod lion;
mod madgrad;
mod mars;
mod nadam;
mod nesterov;
mod pid;
mod qhadam;
mod qhm;
mod radam;
mod rmsprop;
mod rprop;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_radam;
mod schedule_free_sgd;
mod sgd;
mod signsgd;
mod tiger;
mod yogi;

pub use adabelief::AdaBelief;
pub use adabound::AdaBound;
pub use adadelta::AdaDelta;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamax::AdaMax;
pub use adamw::AdamW;
pub use adan::Adan;
pub use ademamix::AdEmaMix;
pub use adopt::Adopt;
pub use aggmo::AggMo;
pub use asgd::Asgd;
pub use grokfast_adamw::GrokFastAdamW;
pub use laprop::LaProp;
pub use lion::Lion;
pub use madgrad::Madgrad;
pub use mars::Mars;
pub use nadam::NAdam;
pub use nesterov::Nesterov;
pub use pid::Pid;
pub use qhadam::QhAdam;
pub use qhm::Qhm;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use schedule_free_radam::ScheduleFreeRAdam;
pub use schedule_free_sgd::ScheduleFreeSgd;
pub use sgd::Sgd;
pub use signsgd::SignSgd;
pub use tiger::Tiger;
pub use yogi::Yogi;

/// `new` for options whose defaults are right for most.
macro_rules! impl_new {
    ($($rule:ident),*) => {$(
        impl $rule {
            /// The optimizer with its default options.
            pub fn new() -> Self {
                Self::default()
            }
        }
    )*};
}
impl_new! {
    AdEmaMix, AdaBelief, AdaBound, AdaDelta, AdaGrad, AdaMax, Adam, AdamW, Adan, Adopt, AggMo, Asgd,
    GrokFastAdamW, LaProp, Lion, Madgrad, NAdam, Nesterov, Pid, QhAdam, Qhm, RAdam, RmsProp, Rprop,
    Mars, ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSgd, Sgd, SignSgd, Tiger, Yogi
}
