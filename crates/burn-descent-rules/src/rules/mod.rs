//! The optimizers, one file each.

mod adagrad;
mod adam;
mod adamw;
mod nesterov;
mod rmsprop;
mod sgd;

pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use nesterov::Nesterov;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

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
impl_new!(AdaGrad, Adam, AdamW, Nesterov, RmsProp, Sgd);
