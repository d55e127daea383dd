//! Further named features of a signal.

use std::borrow::Cow;

use hindcast_schemas::MAX_EXTRA_FEATURES;
use serde::de::MapAccess;

use crate::{
    object::{Faults, Object, Reader},
    rules,
};

/// The further features as they are read.
#[derive(Debug, Default)]
pub(crate) struct FeaturesDraft<'a> {
    list: Vec<(Cow<'a, str>, f64)>,
    /// All that were given, the faulty ones and those beyond the limit included.
    given: usize,
}

impl<'a> Object<'a> for FeaturesDraft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        self.given += 1;
        let value = reader.entry(&name, |value| {
            if !rules::is_feature_name(&name) {
                return Err("must have a name of 1 to 64 letters, digits, '_', '-' or '.'".into());
            }
            if name == "hour" { rules::hour(value) } else { rules::feature(value) }
        })?;
        if let Some(value) = value.filter(|_| self.list.len() < MAX_EXTRA_FEATURES) {
            self.list.push((name, value));
        }
        Ok(())
    }
}

impl<'a> FeaturesDraft<'a> {
    /// The features, sorted by name.
    pub(crate) fn finish(mut self, faults: &mut Faults) -> Vec<(Cow<'a, str>, f64)> {
        if self.given > MAX_EXTRA_FEATURES {
            faults.add("features", format!("must have at most {MAX_EXTRA_FEATURES} names, has {}", self.given));
        }
        self.list.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for pair in self.list.windows(2) {
            if let [(first, _), (second, _)] = pair
                && first == second
            {
                faults.add("features", format!("has {first} more than once"));
            }
        }
        self.list
    }
}
