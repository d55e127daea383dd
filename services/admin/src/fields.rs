//! Fields of a small JSON object, read one by one so that all faults are told at once.

use hindcast_bodies::FieldError;
use hindcast_service_kit::problem::Problem;
use serde_json::{Map, Value};

/// The fields not read yet, and what is wrong with those that were.
pub(crate) struct Fields {
    fields: Map<String, Value>,
    pub(crate) faults: Vec<FieldError>,
}

impl Fields {
    /// Of a body; an empty one has none.
    pub(crate) fn of(body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self { fields: Map::new(), faults: Vec::new() });
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self { fields, faults: Vec::new() }),
            Ok(_) => Err(Problem::validation(vec![FieldError::new("", "must be an object")])),
            Err(error) => Err(Problem::malformed(error.to_string())),
        }
    }

    /// Takes a field out; `None` if it is not there or null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.take(name)?;
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(name, format!("must be a whole number from {least} to {most}"));
        }
        number
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self, name: &str) -> Option<f64> {
        let value = self.take(name)?;
        let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            self.fault(name, "must be a number from 0 to 1");
        }
        share
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.fault(name, "must be true or false");
                false
            }
        }
    }

    /// A text of at most so many characters; empty if it is not there.
    pub(crate) fn text(&mut self, name: &str, most: usize) -> String {
        match self.take(name) {
            None => String::new(),
            Some(Value::String(text)) if text.chars().count() <= most => text,
            Some(_) => {
                self.fault(name, format!("must be a string of at most {most} characters"));
                String::new()
            }
        }
    }

    pub(crate) fn fault(&mut self, name: &str, detail: impl Into<String>) {
        self.faults.push(FieldError::new(format!("/{name}"), detail));
    }

    /// All faults, those of fields that `what` does not have among them.
    pub(crate) fn finish(&mut self, what: &str) -> Result<(), Problem> {
        for unknown in self.fields.keys() {
            let pointer = format!("/{}", unknown.replace('~', "~0").replace('/', "~1"));
            self.faults.push(FieldError::new(pointer, format!("is no field of {what}")));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::validation(std::mem::take(&mut self.faults))) }
    }
}
