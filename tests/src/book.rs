//! The Rust blocks of the book and of the README are compiled and run as tests of documentation:
//! `cargo test --workspace --doc book`.
//! That every chapter is here is held by `tests/tests/book.rs`.

macro_rules! chapters {
    ($($name:ident: $file:literal,)*) => {$(
        #[cfg(doctest)]
        #[doc = include_str!(concat!("../../docs/book/src/", $file))]
        struct $name;
    )*};
}

chapters! {
    Readme: "../../../README.md",
    GettingStarted: "getting-started.md",
    WhichOptimizer: "which-optimizer.md",
    Parameters: "parameters.md",
    Moving: "moving.md",
    MovingPyTorch: "moving/pytorch.md",
    MovingOptax: "moving/optax.md",
    MovingKeras: "moving/keras.md",
    MovingHuggingFace: "moving/hugging-face.md",
    MovingBurnOptim: "moving/burn-optim.md",
    MovingPytorchOptimizer: "moving/pytorch-optimizer.md",
    MovingTimm: "moving/timm.md",
    MovingOthers: "moving/others.md",
    Schedules: "schedules.md",
    Groups: "groups.md",
    Averaging: "averaging.md",
    Steps: "steps.md",
    Memory: "memory.md",
    Checkpoints: "checkpoints.md",
    Learner: "learner.md",
    Devices: "devices.md",
    Gpus: "gpus.md",
    FullBatch: "full-batch.md",
    OwnRule: "own-rule.md",
    OwnMatrixMethod: "own-matrix-method.md",
    Numerics: "numerics.md",
    Faq: "faq.md",
}
