//! Why an optimizer of another library is no rule here. A rule sees one element, its gradient and
//! its states, and numbers that depend on the step and the learning rate alone.

/// Muon, Shampoo, SOAP and the like.
pub(super) const MATRIX: &str =
    "a matrix method: a step needs the whole matrix of a parameter, a rule here sees one element";

/// LARS, LAMB, NovoGrad and the like.
pub(super) const TRUST_RATIO: &str =
    "a step is scaled by norms of whole tensors, rows or neurons; a rule here sees one element";

/// AdamP and SGDP.
pub(super) const PROJECTED: &str =
    "a step is projected by products of whole tensors or channels; a rule here sees one element";

/// AdaNorm, Amos and the like.
pub(super) const TOTALS: &str =
    "it needs means, norms or maxima over a tensor; a rule here sees one element";

/// Adai, AdamS and the like.
pub(super) const MODEL_TOTALS: &str =
    "it needs a mean or norm over all parameters; a rule here sees one element";

/// D-Adaptation, Prodigy, DoG and the like.
pub(super) const FINDS_LR: &str =
    "it estimates its own learning rate from sums over all parameters; here a schedule gives it";

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
    "second moments factored by rows and columns of a matrix; a rule here sees one element";

/// L-BFGS.
pub(super) const SEARCHES: &str = "it evaluates the loss several times in a step";

/// Sophia, AdaHessian.
pub(super) const CURVATURE: &str =
    "it needs the diagonal of the Hessian, which a second pass backwards estimates";

/// FTRL.
pub(super) const FOLLOW_THE_LEADER: &str = "a weight is a function of all gradients and not of where it began: the first step forgets how \
     a network was initialised";

/// Elements alone, but not here.
pub(super) const OUTSIDE: &str = "outside of the catalogue; element by element, so it can be a `Rule` of your own \
     (tests/tests/own_rule.rs shows one)";
