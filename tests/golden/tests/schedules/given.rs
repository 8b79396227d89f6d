//! What was given to a schedule of another library.

use crate::Any;
use crate::libraries::{LIBRARIES, Ours};
use burn_descent_golden::{ScheduleCase, ScheduleFile};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What was given to a schedule of another library, and what of it was looked at.
pub(crate) struct Given<'a> {
    pub(crate) library: &'a str,
    pub(crate) hyper: &'a Map<String, Value>,
    pub(crate) base: f64,
    /// How many steps are compared.
    pub(crate) len: u64,
    seen: RefCell<BTreeSet<String>>,
}

impl<'a> Given<'a> {
    pub(crate) fn of(file: &'a ScheduleFile, case: &'a ScheduleCase) -> Self {
        let (base, len) = (case.base_lr.unwrap_or(f64::NAN), case.lr.len() as u64);
        let seen = RefCell::default();
        Self { library: &file.library, hyper: &case.hyper_given, base, len, seen }
    }

    /// The same with other hyper-parameters.
    pub(crate) fn within(&self, hyper: &'a Map<String, Value>, base: f64) -> Self {
        Self { hyper, base, seen: RefCell::default(), ..*self }
    }

    pub(crate) fn value(&self, key: &str) -> Option<Value> {
        self.seen.borrow_mut().insert(key.into());
        self.hyper.get(key).filter(|value| !value.is_null()).cloned()
    }

    pub(crate) fn maybe(&self, key: &str) -> Option<f64> {
        self.value(key).map(|value| value.as_f64().unwrap_or_else(|| panic!("{key} = {value}")))
    }

    pub(crate) fn or(&self, key: &str, default: f64) -> f64 {
        self.maybe(key).unwrap_or(default)
    }

    pub(crate) fn number(&self, key: &str) -> f64 {
        self.maybe(key).unwrap_or_else(|| panic!("{key} is not given"))
    }

    pub(crate) fn steps(&self, key: &str) -> u64 {
        self.number(key) as u64
    }

    pub(crate) fn steps_or(&self, key: &str, default: u64) -> u64 {
        self.or(key, default as f64) as u64
    }

    pub(crate) fn is(&self, key: &str, default: bool) -> bool {
        self.value(key).map_or(default, |value| value.as_bool().unwrap())
    }

    pub(crate) fn word(&self, key: &str, default: &str) -> String {
        self.value(key).map_or(default.into(), |value| value.as_str().unwrap().into())
    }

    pub(crate) fn list(&self, key: &str) -> Vec<u64> {
        serde_json::from_value(self.value(key).unwrap_or_default()).unwrap()
    }

    /// The schedules that this one is made of, each with its base.
    pub(crate) fn parts(&self, base: impl Fn(usize) -> f64) -> Vec<Any> {
        let classes: Vec<String> =
            serde_json::from_value(self.value("schedulers").unwrap()).unwrap();
        let hypers: Vec<Map<String, Value>> =
            serde_json::from_value(self.value("args").unwrap()).unwrap();
        assert_eq!(classes.len(), hypers.len());
        let parts = classes.iter().zip(&hypers).enumerate();
        let part = |(i, (class, hyper)): (usize, (&String, _))| {
            Given { hyper, base: base(i), seen: RefCell::default(), ..*self }.lr_of(class)
        };
        parts.map(part).collect()
    }

    /// Ours, if the class and everything given is in the table.
    pub(crate) fn ours(&self, class: &str) -> Result<Ours, String> {
        let classes = LIBRARIES.iter().filter(|(library, _)| *library == self.library);
        let make = classes.flat_map(|(_, rows)| *rows).find(|(name, _)| *name == class);
        let (_, make) =
            make.ok_or_else(|| format!("{} {class} is not in the table", self.library))?;
        let ours = make(self);
        let seen = self.seen.borrow();
        match self.hyper.keys().find(|key| !seen.contains(*key)) {
            None => Ok(ours),
            Some(key) => Err(format!("hyper-parameter `{key}` of {class} is not in the table")),
        }
    }

    pub(crate) fn lr_of(&self, class: &str) -> Any {
        match self.ours(class) {
            Ok(Ours::Lr(schedule)) => schedule,
            Ok(_) => panic!("{class} is more than a schedule of the learning rate"),
            Err(error) => panic!("{error}"),
        }
    }
}
