//! One kernel.
