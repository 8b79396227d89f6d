//! Does a file fit together? Checked once, so that a replay can index without a care.

use crate::{Case, Draw, Dtype, Error, OptimizerFile, Projector, Step, Tensor};
use std::path::Path;

impl OptimizerFile {
    /// Do the tensors of every case have the sizes and the number that the case says?
    pub(crate) fn check(&self, path: &Path) -> Result<(), Error> {
        self.cases.iter().try_for_each(|case| {
            let inconsistent = |what| {
                let case = case.id.clone();
                Error::Inconsistent { file: path.into(), case, what }
            };
            case.check().map_err(inconsistent)
        })
    }
}

impl Case {
    fn check(&self) -> Result<(), String> {
        self.check_tensors("init", &self.init)?;
        if let Some(grads) = &self.grads {
            self.check_every_step("grads", grads.len())?;
            grads.iter().try_for_each(|step| self.check_tensors("grads", step))?;
        }
        if let Some(lrs) = &self.lr_sequence {
            self.check_every_step("lr_sequence", lrs.len())?;
        }
        let record_f32 = self.record_f32.as_ref().unwrap_or(&self.record);
        for (name, record, steps) in [
            ("params", &self.record, Some(&self.params)),
            ("eval_params", &self.record, self.eval_params.as_ref()),
            ("params_f32", record_f32, self.params_f32.as_ref()),
            ("eval_params_f32", record_f32, self.eval_params_f32.as_ref()),
        ] {
            steps.map_or(Ok(()), |steps| self.check_record(name, record, steps))?;
        }
        self.check_extras()
    }

    /// What only some files have.
    fn check_extras(&self) -> Result<(), String> {
        if self.names.as_ref().is_some_and(|names| names.len() != self.shapes.len()) {
            return Err(format!("`names` does not name {} tensors", self.shapes.len()));
        }
        if let Some(losses) = &self.losses
            && losses.len() != self.record.len()
        {
            self.check_every_step("losses", losses.len())?;
        }
        if let Some(logits) = &self.attention_max_logits {
            self.check_every_step("attention_max_logits", logits.len())?;
        }
        if let Some((name, _)) = self.aux.iter().find(|(_, at)| at.len() != self.record.len()) {
            return Err(format!("`{name}` of `aux` has not {} records", self.record.len()));
        }
        match &self.init_bf16 {
            Some(init) => self.check_tensors("init_bf16", init)?,
            None if self.dtype == Dtype::Bf16 => {
                return Err("the weights are bf16 and there is no `init_bf16`".into());
            }
            None => {}
        }
        for (name, state) in &self.state_bf16 {
            self.check_record(&format!("state_bf16.{name}"), &state.record, &state.values)?;
        }
        for evaluation in self.evals.iter().flatten().flatten() {
            self.check_tensors("evals.x", &evaluation.x)?;
            self.check_tensors("evals.grad", &evaluation.grad)?;
        }
        self.draws.iter().try_for_each(|draw| self.check_draw(draw))?;
        self.projectors.iter().try_for_each(|projector| self.check_projector(projector))
    }

    fn check_draw(&self, Draw { step, shape, values, .. }: &Draw) -> Result<(), String> {
        if *step >= self.steps {
            return Err(format!("`draws` has step {step} of {}", self.steps));
        }
        check_sizes("draws", [values], [shape])
    }

    fn check_projector(&self, projector: &Projector) -> Result<(), String> {
        let Projector { step, tensor, shapes, values } = projector;
        if *step >= self.steps || *tensor >= self.shapes.len() {
            return Err(format!(
                "`projectors` has step {step} of {} and tensor {tensor} of {}",
                self.steps,
                self.shapes.len(),
            ));
        }
        check_sizes("projectors", values, shapes)
    }

    fn check_every_step(&self, name: &str, len: usize) -> Result<(), String> {
        if len < self.steps {
            return Err(format!("`{name}` has {len} entries for {} steps", self.steps));
        }
        Ok(())
    }

    fn check_record(&self, name: &str, record: &[usize], steps: &[Step]) -> Result<(), String> {
        if steps.is_empty() || record.len() != steps.len() {
            return Err(format!("`{name}` has {} of {} records", steps.len(), record.len()));
        }
        let ascending = record.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = record.iter().all(|step| (1..=self.steps).contains(step));
        if !(ascending && inside) {
            return Err(format!("the records of `{name}` are not steps 1 to {}", self.steps));
        }
        steps.iter().try_for_each(|step| self.check_tensors(name, step))
    }

    fn check_tensors(&self, name: &str, tensors: &Step) -> Result<(), String> {
        check_sizes(name, tensors, &self.shapes)
    }
}

/// Do tensors have these shapes?
fn check_sizes<'a>(
    name: &str,
    tensors: impl IntoIterator<Item = &'a Tensor>,
    shapes: impl IntoIterator<Item = &'a Vec<usize>>,
) -> Result<(), String> {
    let sizes: Vec<usize> = tensors.into_iter().map(Vec::len).collect();
    let shapes: Vec<_> = shapes.into_iter().collect();
    let elements = |shape: &&Vec<usize>| shape.iter().try_fold(1, |n: usize, k| n.checked_mul(*k));
    if !sizes.iter().map(|size| Some(*size)).eq(shapes.iter().map(elements)) {
        return Err(format!("`{name}` has tensors of sizes {sizes:?}, not {shapes:?}"));
    }
    Ok(())
}
