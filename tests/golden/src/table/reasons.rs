//! Why an optimizer of another library is no rule here.

/// MARS around Shampoo.
pub(super) const MATRIX: &str =
    "around a method of whole matrices; here it is around AdamW and Lion";

/// SOAP and SPlus, of an oblong matrix.
pub(super) const NULL_SPACE: &str = "a factor whose rank is not full in the first step: the basis of its null space is any, and \
     the way depends on which one a LAPACK takes";

/// Lookahead, SAM.
pub(super) const WRAPPER: &str = "it is around another optimizer, and `Descent` has it (`Builder::lookahead`, \
     `Sam`): tests/tests/descent/golden.rs replays these runs";

/// Ranger.
pub(super) const RANGER: &str =
    "RAdam inside of Lookahead: take `radam` in a `Descent` with `Builder::lookahead`";

/// SM3.
pub(super) const COVERS: &str = "SM3 with a number for each index of each dimension; here of a tensor of more than two dimensions \
     there is one for each row and each column of a matrix";

/// Nonlinear conjugate gradients.
pub(super) const ZOOM: &str = "its line search is another one than those here";

/// Sophia, AdaHessian.
pub(super) const CURVATURE: &str = "its Hutchinson estimate needs a second pass backwards, which burn's autodiff has not; \
     `Sophia` takes that of Gauss, Newton and Bartlett, and tests/tests/descent/searches/sophia.rs holds optax's runs";

/// Schedule-Free around an optimizer that is given to it.
pub(super) const ANY_SCHEDULE_FREE: &str =
    "Schedule-Free around any optimizer; here it is around SGD, AdamW and RAdam";

/// Those that end in `_bf16`, with other weights.
pub(super) const BF16_INSIDE: &str = "the library multiplies matrices in bf16, so nothing agrees with it to more than two digits; a \
     file that ends in `_patched` is the same method in the type of the weights";
