//! Why an optimizer of another library is no rule here.

/// Muon, Shampoo, SOAP and the like.
pub(super) const MATRIX: &str =
    "a matrix method: a step needs the whole matrix of a parameter, a rule here sees one element";

/// LARS, LAMB, NovoGrad and the like.
pub(super) const TRUST_RATIO: &str =
    "a rule of two norms of a tensor, or of its rows, that is not here yet";

/// AdamP and SGDP.
pub(super) const PROJECTED: &str =
    "a rule of several products of whole tensors, or of channels, that is not here yet";

/// AdaNorm, Amos and the like.
pub(super) const TOTALS: &str =
    "a rule of several sums or maxima over a tensor that is not here yet";

/// Adai, AdamS and the like.
pub(super) const MODEL_TOTALS: &str =
    "a rule of a mean or norm over all parameters of the model that is not here yet";

/// D-Adaptation, Prodigy, DoG and the like.
pub(super) const FINDS_LR: &str = "a rule that estimates its own learning rate from sums over all parameters, and is not here yet";

/// MoMo, Polyak's step.
pub(super) const NEEDS_LOSS: &str =
    "its learning rate depends on the value of the loss, which an optimizer of burn is not told";

/// Lookahead, SAM.
pub(super) const WRAPPER: &str = "a wrapper around another optimizer, which `Descent` has: Lookahead and SAM are held to these \
     trajectories in tests/tests/descent/golden.rs";

/// Ranger.
pub(super) const RANGER: &str =
    "RAdam inside of Lookahead: here `RAdam` in a `Descent` with `lookahead`, which is no rule";

/// Adafactor, CAME, SM3.
pub(super) const FACTORED: &str =
    "a rule of rows and columns that is not here yet, or not in this form";

/// L-BFGS.
pub(super) const SEARCHES: &str = "it evaluates the loss several times in a step";

/// Sophia, AdaHessian.
pub(super) const CURVATURE: &str =
    "it needs the diagonal of the Hessian, which a second pass backwards estimates";

/// AdamG.
pub(super) const POWER: &str = "a rule with a power of its second moment that is not here yet";

/// Schedule-Free around an optimizer that is given to it.
pub(super) const ANY_SCHEDULE_FREE: &str = "Schedule-Free around any optimizer; here it is around SGD, AdamW and RAdam, and the files of \
     these three are compared";

/// Those that end in `_bf16`, with other weights.
pub(super) const BF16_INSIDE: &str = "the library multiplies matrices in bf16, so nothing agrees with it to more than two digits; a \
     file that ends in `_patched` is the same method in the type of the weights";
