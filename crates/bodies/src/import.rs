//! The place of an item in a bulk import.

use std::borrow::Cow;

use hindcast_schemas::ImportPlace;
use serde::de::MapAccess;

use crate::{
    object::{Faults, Object, Reader, Slot},
    rules,
};

/// The place in an import as it is read.
#[derive(Debug, Default)]
pub(crate) struct ImportDraft<'a> {
    source: Slot<Cow<'a, str>>,
    sequence: Slot<u64>,
}

impl<'a> Object<'a> for ImportDraft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "source" => reader.take("source", &mut self.source, rules::source),
            "sequence" => reader.take("sequence", &mut self.sequence, rules::sequence),
            unknown => reader.unknown(unknown),
        }
    }
}

impl<'a> ImportDraft<'a> {
    /// The place; its faults are told as those of the item's field `import`.
    pub(crate) fn finish(self, faults: &mut Faults) -> Option<ImportPlace<'a>> {
        faults.within("import", |faults| {
            faults.require("source", &self.source);
            faults.require("sequence", &self.sequence);
        });
        Some(ImportPlace { source: self.source.given()?, sequence: self.sequence.given()? })
    }
}
