//! Logits of attention, kept from growing by scaling queries and keys.

use super::fit::{Found, parameters};
use super::group::Orientation;
use super::select::Select;
use super::values::Values;
use super::visit::{ByParameter, Each, each_parameter, inner};
use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use burn_descent_rules::{InvalidOption, check_options, options};

options! {
    /// QK-clip: after a step, the queries and keys of a head whose logits have grown too large are scaled down.
    ///
    /// ```text
    /// γ = min(1, τ / S)              S: the largest logit of the head in this step's forward
    /// W_query ← γ^α W_query,    W_key ← γ^(1 − α) W_key,    W_rotary_query ← γ W_rotary_query
    /// ```
    ///
    /// A logit is a product of a query and a key, so that `S` would have been `τ` with the new weights. The step itself,
    /// its states and other heads are as they were. With [`Muon`](crate::Muon) in Moonlight's form it is MuonClip.
    ///
    /// A logit is what goes into the softmax, its scale `1 / √d` included; the model has to say what the largest
    /// one of each head was. Take them from the device once a step, for all layers together: that waits for it.
    ///
    /// - Defaults: Kimi K2's, `threshold` 100 and `alpha` 0.5.
    /// - Reference: Kimi Team 2025, <https://arxiv.org/abs/2507.20534>.
    ///
    /// ```
    /// use burn::module::ParamGroup;
    /// use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
    /// use burn::tensor::Device;
    /// use burn_descent::{Attention, QkClip};
    ///
    /// let device = Device::default().autodiff();
    /// let model: MultiHeadAttention = MultiHeadAttentionConfig::new(8, 2).init(&device);
    /// // After `descent.step(..)`: the first head went up to 400, so that its queries and keys are halved.
    /// let attention = Attention::new([400.0, 20.0])
    ///     .query(ParamGroup::from_predicate("query"))
    ///     .key(ParamGroup::from_predicate("key"));
    /// let clipped = QkClip::new().clip(&model, &[attention])?;
    /// let first = |model: &MultiHeadAttention| -> f32 {
    ///     model.query.weight.val().narrow(1, 0, 4).abs().sum().into_scalar()
    /// };
    /// assert!((first(&clipped) / first(&model) - 0.5).abs() < 1e-6);
    /// # Ok::<(), burn_descent::QkClipError>(())
    /// ```
    pub struct QkClip {
        /// The largest logit `τ` that is left as it is.
        threshold: Positive = 100.0,
        /// The share `α` of the queries.
        alpha: Fraction = 0.5,
    }
}

/// One layer of attention, for [`QkClip`]: the largest logit of each head, and the weights that made them.
///
/// Heads are parts of equal size of a weight's outputs: of the last dimension of burn's `Linear`, of the first one of
/// a tensor that no module of burn's holds. A bias is scaled with its weight where it is selected, too.
#[derive(Clone, Debug)]
pub struct Attention {
    logits: Vec<f64>,
    weights: Vec<(Part, Select)>,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Query,
    Key,
    RotaryQuery,
}

impl Attention {
    /// A layer with this largest logit of each head.
    pub fn new(logits: impl Into<Vec<f64>>) -> Self {
        Self { logits: logits.into(), weights: Vec::new() }
    }

    /// Its queries, or in multi-head latent attention those without a position.
    #[must_use]
    pub fn query(self, weights: impl Into<Select>) -> Self {
        self.with(Part::Query, weights)
    }

    /// Its keys, or in multi-head latent attention those without a position.
    #[must_use]
    pub fn key(self, weights: impl Into<Select>) -> Self {
        self.with(Part::Key, weights)
    }

    /// The rotary queries of multi-head latent attention, whose keys all heads share: they take the whole of the
    /// factor, and those keys none.
    #[must_use]
    pub fn rotary_query(self, weights: impl Into<Select>) -> Self {
        self.with(Part::RotaryQuery, weights)
    }

    fn with(mut self, part: Part, weights: impl Into<Select>) -> Self {
        self.weights.push((part, weights.into()));
        self
    }
}

/// Why a model's attention was not clipped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QkClipError {
    /// An option is out of its range.
    #[error(transparent)]
    Option(#[from] InvalidOption),
    /// A logit is not finite.
    #[error(
        "layer {layer} of attention: the largest logit of head {head} is {logit}; leave out the clip of this step"
    )]
    NotFinite {
        /// Number of the layer among those given, from 0.
        layer: usize,
        /// Number of the head, from 0.
        head: usize,
        /// Its logit.
        logit: f64,
    },
    /// A selection finds nothing.
    #[error(
        "layer {layer} of attention: the model has no such {part}; its parameters are {parameters}"
    )]
    NoWeights {
        /// Number of the layer among those given, from 0.
        layer: usize,
        /// Which weights were looked for.
        part: &'static str,
        /// The paths of the model's parameters.
        parameters: String,
    },
    /// The outputs of a weight are not as many for each head.
    #[error(
        "layer {layer} of attention: `{path}` has {outputs} outputs, which {heads} heads cannot share equally; give one logit for each head"
    )]
    Heads {
        /// Number of the layer among those given, from 0.
        layer: usize,
        /// Path of the weight.
        path: String,
        /// How many outputs it has.
        outputs: usize,
        /// How many logits were given.
        heads: usize,
    },
}

impl QkClip {
    /// The model with its attention clipped. Where nothing is above the threshold, it is the same one. What is frozen
    /// stays as it is.
    ///
    /// # Errors
    /// If an option is out of its range, a logit is not finite, or weights are not there or have other heads.
    pub fn clip<M: Module>(&self, model: &M, layers: &[Attention]) -> Result<M, QkClipError> {
        check_options(self, "qk_clip")?;
        let found = parameters(model);
        let mut factors = ByParameter::default();
        for (layer, attention) in layers.iter().enumerate() {
            let gammas = self.gammas(layer, &attention.logits)?;
            for (part, select) in &attention.weights {
                // One that the model holds more than once is one.
                let selected: ByParameter<&Found> = found
                    .iter()
                    .filter(|found| !found.buffer && select.matches(&found.place))
                    .map(|found| (found.place.id, found))
                    .collect();
                if selected.is_empty() {
                    let parameters: Vec<String> = found.iter().map(Found::described).collect();
                    let (part, parameters) = (part.name(), parameters.join(", "));
                    return Err(QkClipError::NoWeights { layer, part, parameters });
                }
                let of_heads: Vec<f64> =
                    gammas.iter().map(|gamma| gamma.powf(part.exponent(self.alpha))).collect();
                for found in selected.into_values() {
                    let of_outputs = of_outputs(layer, found, &of_heads)?;
                    factors.entry(found.place.id).or_insert_with(Vec::new).push(of_outputs);
                }
            }
        }
        factors.retain(|_, of| of.iter().any(|(_, factors)| factors.iter().any(|x| *x != 1.0)));
        let mut scaled = Scaled { factors, values: Values::default() };
        each_parameter(model, &mut scaled);
        Ok(scaled.values.put_into(model.clone()))
    }

    /// What the logits of each head have to be multiplied by.
    fn gammas(&self, layer: usize, logits: &[f64]) -> Result<Vec<f64>, QkClipError> {
        let gamma = |(head, logit): (usize, &f64)| match logit.is_finite() {
            true => Ok(if *logit > self.threshold { self.threshold / logit } else { 1.0 }),
            false => Err(QkClipError::NotFinite { layer, head, logit: *logit }),
        };
        logits.iter().enumerate().map(gamma).collect()
    }
}

impl Part {
    fn exponent(self, alpha: f64) -> f64 {
        match self {
            Self::Query => alpha,
            Self::Key => 1.0 - alpha,
            Self::RotaryQuery => 1.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Key => "key",
            Self::RotaryQuery => "rotary query",
        }
    }
}

/// The dimension of a parameter's outputs, and a factor for each of them.
fn of_outputs(
    layer: usize,
    found: &Found,
    of_heads: &[f64],
) -> Result<(usize, Vec<f64>), QkClipError> {
    let inputs_first = Orientation::of(&found.place.modules) == Orientation::InputsFirst;
    let dim = usize::from(inputs_first && found.place.rank > 1);
    let (outputs, heads) = (found.shape.as_slice().get(dim).copied().unwrap_or(1), of_heads.len());
    if heads == 0 || outputs % heads != 0 {
        let path = found.place.path.clone();
        return Err(QkClipError::Heads { layer, path, outputs, heads });
    }
    let size = outputs / heads;
    Ok((dim, of_heads.iter().flat_map(|factor| core::iter::repeat_n(*factor, size)).collect()))
}

/// Weights times their factors.
struct Scaled {
    factors: ByParameter<Vec<(usize, Vec<f64>)>>,
    values: Values,
}

impl Each for Scaled {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        if super::param::is_frozen(param) {
            return;
        }
        let Some(all) = self.factors.remove(&param.id) else { return };
        let weights = inner(param.val());
        let scaled = all.into_iter().fold(weights, |weights, (dim, factors)| {
            let mut dims = [1; D];
            dims[dim] = factors.len();
            let options = (&weights.device(), weights.dtype());
            weights.clone() * Tensor::<D>::from_data(TensorData::new(factors, dims), options)
        });
        self.values.insert(param.id, scaled);
    }
}
