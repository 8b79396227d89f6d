//! The optimizers, one file each.

mod accsgd;
mod acprop;
mod adabelief;
mod adabound;
mod adadelta;
mod adafactor;
mod adagrad;
pub(crate) mod adam;
mod adam_atan2;
mod adamax;
mod adamc;
mod adamod;
mod adamw;
mod adan;
mod adapnm;
mod adasmooth;
mod ademamix;
mod adopt;
mod aggmo;
mod ano;
mod asgd;
mod bcos;
mod cocob;
mod diffgrad;
mod exadam;
mod grams;
mod grokfast_adamw;
mod kate;
mod lamb;
mod laprop;
mod lion;
mod madgrad;
mod mars;
mod moments;
mod msvag;
mod nadam;
mod nesterov;
mod optimistic_adam;
mod optimistic_gd;
mod padam;
mod pid;
mod pnm;
mod prodigy;
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
mod simplified_ademamix;
mod tiger;
mod vsgd;
mod yogi;

pub use accsgd::AccSgd;
pub use acprop::AcProp;
pub use adabelief::AdaBelief;
pub use adabound::AdaBound;
pub use adadelta::AdaDelta;
pub use adafactor::Adafactor;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adam_atan2::AdamAtan2;
pub use adamax::AdaMax;
pub use adamc::AdamC;
pub use adamod::AdaMod;
pub use adamw::AdamW;
pub use adan::Adan;
pub use adapnm::AdaPnm;
pub use adasmooth::AdaSmooth;
pub use ademamix::AdEmaMix;
pub use adopt::Adopt;
pub use aggmo::AggMo;
pub use ano::Ano;
pub use asgd::Asgd;
pub use bcos::Bcos;
pub use cocob::Cocob;
pub use diffgrad::DiffGrad;
pub use exadam::ExAdam;
pub use grams::Grams;
pub use grokfast_adamw::GrokFastAdamW;
pub use kate::Kate;
pub use lamb::Lamb;
pub use laprop::LaProp;
pub use lion::Lion;
pub use madgrad::Madgrad;
pub use mars::Mars;
pub use msvag::MSvag;
pub use nadam::NAdam;
pub use nesterov::Nesterov;
pub use optimistic_adam::OptimisticAdam;
pub use optimistic_gd::OptimisticGd;
pub use padam::Padam;
pub use pid::Pid;
pub use pnm::Pnm;
pub use prodigy::Prodigy;
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
pub use simplified_ademamix::SimplifiedAdEmaMix;
pub use tiger::Tiger;
pub use vsgd::Vsgd;
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
    Ano, Bcos, Cocob, ExAdam, Kate, Lamb, Adafactor, Prodigy, AdaSmooth, Vsgd, AcProp, AccSgd, AdEmaMix, AdaBelief, AdaBound, AdaDelta, AdaGrad, AdaMax, AdaMod, AdaPnm, Adam, AdamAtan2, AdamC, AdamW, Adan, Adopt, AggMo, Asgd, DiffGrad, Grams, GrokFastAdamW, LaProp, Lion, Madgrad, MSvag, NAdam, Nesterov, OptimisticAdam, OptimisticGd, Padam, Pid, Pnm, QhAdam, Qhm, RAdam, RmsProp, Rprop, Sgd, SignSgd, SimplifiedAdEmaMix, Tiger, Yogi, Mars, ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSgd
}
