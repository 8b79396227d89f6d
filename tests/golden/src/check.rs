//! Does a file fit together? Checked once, so that a replay can index without a care.

use crate::{Case, Error, OptimizerFile, Step};
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
        Ok(())
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
        let sizes: Vec<usize> = tensors.iter().map(Vec::len).collect();
        let elements =
            |shape: &Vec<usize>| shape.iter().try_fold(1, |n: usize, k| n.checked_mul(*k));
        if !sizes.iter().map(|size| Some(*size)).eq(self.shapes.iter().map(elements)) {
            return Err(format!("`{name}` has tensors of sizes {sizes:?}, not {:?}", self.shapes));
        }
        Ok(())
    }
}
