//! A state in a file.

use crate::program::Program;
use crate::state::{Failed, FusedState, Lanes};
use crate::store::{Coding, Kept};
use crate::{Fused, Place, Weights};
use burn::optim::{RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use burn_pack::Scalar;

/// The keys of numbers in a record.
const MEMORY: &str = "memory";
const LAST: &str = "last";
const BY_COLUMNS: &str = "by_columns";
const AUXILIARY: &str = "auxiliary";
const HEADS: &str = "heads";
const FAILED: &str = "failed_refreshes";
const STORE: &str = "store";
const WEIGHTS: &str = "weights";
const COUNT: &str = "count";
const STREAM: &str = "stream";

/// The name of what rounding has lost of the weights.
const LOST: &str = "lost";

impl Fused {
    /// Writes the state of a parameter down with its tensors by the names that the rule gives them, where burn's
    /// record numbers them.
    pub fn flatten_state<const D: usize>(
        &self,
        state: &FusedState,
        parameter: &Tensor<D>,
        prefix: &str,
        out: &mut StateSink,
    ) {
        let program = self.program_of(state, &parameter.shape());
        let from = out.tensors.len();
        state.state_flatten(prefix, out);
        for ((key, _), name) in
            out.tensors[from..].iter_mut().zip(names(&program, parameter, state.place, true))
        {
            *key = [prefix, ".", &name].concat();
        }
    }

    /// Reads what [`flatten_state`](Self::flatten_state), or burn's record, has written down of the state of a
    /// parameter.
    pub fn unflatten_state<const D: usize>(
        &self,
        parameter: &Tensor<D>,
        prefix: &str,
        source: &mut StateSource,
    ) -> Option<FusedState> {
        let place = place_of(|key| source.take_scalar(prefix, key));
        let program = self.program.for_shape(&parameter.shape(), place);
        for (lane, name) in names(&program, parameter, place, true).into_iter().enumerate() {
            if let Some(data) = source.take_tensor(prefix, &name) {
                source.insert_tensor(format!("{prefix}.{lane}"), data);
            }
        }
        let state = FusedState::state_unflatten(prefix, source, &parameter.device())?;
        Some(FusedState { place, ..state })
    }
}

/// What a file says of the place of a parameter.
fn place_of(mut scalar: impl FnMut(&str) -> Option<Scalar>) -> Place {
    let by_columns = scalar(BY_COLUMNS).is_some();
    let is_auxiliary = scalar(AUXILIARY).is_some();
    let heads: Option<u64> = scalar(HEADS).and_then(|scalar| scalar.try_into().ok());
    let stream: Option<u64> = scalar(STREAM).and_then(|scalar| scalar.try_into().ok());
    let (stream, heads) = (stream.unwrap_or(0) as u32, heads.unwrap_or(0) as u32);
    Place { stream, by_columns, is_auxiliary, heads }
}

/// The names of states and of matrices that are kept in a file: one that comes again, as in a chain of two transforms,
/// gets a number.
fn names<const D: usize>(
    program: &Program,
    parameter: &Tensor<D>,
    place: Place,
    lost: bool,
) -> Vec<String> {
    let mut names: Vec<String> = program.code.states.iter().map(ToString::to_string).collect();
    let keeps = program.keeps(&parameter.shape(), place);
    names.extend(keeps.into_iter().map(|keep| keep.name));
    names.extend(lost.then(|| LOST.to_owned()));
    let again = |lane: usize| names[..=lane].iter().filter(|name| **name == names[lane]).count();
    let name = |(lane, name): (usize, &String)| match again(lane) {
        1 => name.clone(),
        number => format!("{name}_{number}"),
    };
    names.iter().enumerate().map(name).collect()
}

/// By hand: burn's derive names paths that only exist inside burn-optim.
impl RecordState for FusedState {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        for (lane, data) in self.data().into_iter().enumerate() {
            out.push_tensor(prefix, &lane.to_string(), data);
        }
        for (key, numbers) in [(MEMORY, &self.memory), (LAST, &self.last)] {
            for (number, value) in numbers.iter().enumerate() {
                out.push_scalar(prefix, &format!("{key}.{number}"), (*value).into());
            }
        }
        let Place { by_columns, is_auxiliary, heads, .. } = self.place;
        for (key, number) in [
            (BY_COLUMNS, u64::from(by_columns)),
            (AUXILIARY, u64::from(is_auxiliary)),
            (HEADS, heads.into()),
        ] {
            if number > 0 {
                out.push_scalar(prefix, key, number.into());
            }
        }
        if self.failed.count() > 0 {
            out.push_scalar(prefix, FAILED, self.failed.count().into());
        }
        if !self.kept.is_plain() {
            for (lane, coding) in self.kept.states.iter().enumerate() {
                out.push_scalar(prefix, &format!("{STORE}.{lane}"), coding.number().into());
            }
            out.push_scalar(prefix, WEIGHTS, self.kept.weights.number().into());
            out.push_scalar(prefix, COUNT, (self.count as u64).into());
            out.push_scalar(prefix, STREAM, u64::from(self.place.stream).into());
        }
        out.push_scalar(prefix, "time", self.time.into());
        if let Some(rule) = self.rule {
            out.push_scalar(prefix, "rule", rule.into());
        }
    }

    /// Never `None`: a state that cannot be read is refused by the next step, because burn would
    /// start anew without a word.
    fn state_unflatten(prefix: &str, src: &mut StateSource, _device: &Device) -> Option<Self> {
        let mut scalar = |key: &str| src.take_scalar(prefix, key);
        let time: Option<u64> = scalar("time").and_then(|scalar| scalar.try_into().ok());
        let rule = scalar("rule").and_then(|scalar| scalar.try_into().ok());
        let rule = time.and(rule);
        let place = place_of(&mut scalar);
        let failed = scalar(FAILED).and_then(|scalar| scalar.try_into().ok());
        let failed = Failed::new(failed.unwrap_or(0));
        let mut whole = |key: &str| -> Option<u64> { scalar(key)?.try_into().ok() };
        let codings = (0..).map_while(|lane| whole(&format!("{STORE}.{lane}")));
        let states: Option<Vec<Coding>> = codings.map(Coding::of_number).collect();
        let weights = whole(WEIGHTS).map_or(Some(Default::default()), Weights::of_number);
        // What no version has written is of no rule.
        let rule = rule.filter(|_| states.is_some() && weights.is_some());
        let kept =
            Kept { states: states.unwrap_or_default(), weights: weights.unwrap_or_default() };
        let count = whole(COUNT).unwrap_or(0) as usize;
        let mut numbers = |key: &str| -> Vec<f64> {
            let number = |number| scalar(&format!("{key}.{number}"))?.try_into().ok();
            (0..).map_while(number).collect()
        };
        let (memory, last) = (numbers(MEMORY), numbers(LAST));
        let lanes =
            (0..).map_while(|lane: usize| src.take_tensor(prefix, &lane.to_string())).collect();
        let (lanes, time) = (Lanes::Loaded(lanes), time.unwrap_or(0));
        Some(Self { lanes, time, memory, last, failed, place, count, kept, rule })
    }
}
