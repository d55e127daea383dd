//! The schemas of records that were written by other versions, fetched by id when a record first carries one.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use serde_avro_fast::{Schema, schema::SchemaMut};

use super::SchemaId;
use crate::{DecodeError, Registry, Subject};

/// What an id turned out to stand for. It stands for that for ever, so it is kept.
enum Meaning {
    /// Records of a subject.
    Readable { subject: Subject, schema: Schema },
    /// Nothing that this build can read, and why.
    Unreadable { detail: String },
}

/// Ids that were asked for and exist, in rising order. An id that doesn't exist is not kept: bad data must not fill
/// the memory.
type Meanings = Vec<(SchemaId, Arc<Meaning>)>;

/// Schemas by id, from a registry.
pub(super) struct Fetched {
    registry: Box<dyn Registry>,
    meanings: ArcSwap<Meanings>,
}

impl Fetched {
    pub(super) fn new(registry: impl Registry + 'static) -> Self {
        Self { registry: Box::new(registry), meanings: ArcSwap::default() }
    }

    /// Lets `read` have the schema of an id.
    pub(super) fn with_schema<T>(
        &self,
        id: SchemaId,
        read: impl FnOnce(Subject, &Schema) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let meanings = self.meanings.load();
        let fetched;
        let meaning = match find(&meanings, id) {
            Some(meaning) => meaning,
            None => {
                fetched = self.fetch(id)?;
                &fetched
            }
        };
        match &**meaning {
            Meaning::Readable { subject, schema } => read(*subject, schema),
            Meaning::Unreadable { detail } => Err(DecodeError::malformed(format!("schema {id} {detail}"))),
        }
    }

    fn fetch(&self, id: SchemaId) -> Result<Arc<Meaning>, DecodeError> {
        let json = self
            .registry
            .schema_of(id)
            .map_err(|error| DecodeError::SchemaUnavailable { id, detail: error.detail })?
            .ok_or_else(|| DecodeError::malformed(format!("its schema's id {id} was never given")))?;
        let meaning = Arc::new(Meaning::of(&json));
        self.meanings.rcu(|meanings| with(meanings, id, &meaning));
        Ok(meaning)
    }
}

fn find(meanings: &Meanings, id: SchemaId) -> Option<&Arc<Meaning>> {
    let index = meanings.binary_search_by_key(&id, |(id, _)| *id).ok()?;
    meanings.get(index).map(|(_, meaning)| meaning)
}

fn with(meanings: &Meanings, id: SchemaId, meaning: &Arc<Meaning>) -> Meanings {
    let mut more = meanings.clone();
    // Another thread may have fetched it meanwhile; it was told the same.
    if let Err(index) = more.binary_search_by_key(&id, |(id, _)| *id) {
        more.insert(index, (id, Arc::clone(meaning)));
    }
    more
}

impl Meaning {
    fn of(json: &str) -> Self {
        let schema: SchemaMut = match json.parse() {
            Ok(schema) => schema,
            Err(error) => return Self::Unreadable { detail: format!("is no Avro schema: {error}") },
        };
        let name = schema.root().type_.name().map(|name| name.name().to_owned());
        let Some(subject) = name.as_deref().and_then(Subject::of_record) else {
            return Self::Unreadable {
                detail: format!("is of {}, not of an event", name.as_deref().unwrap_or("no record")),
            };
        };
        match schema.freeze() {
            Ok(schema) => Self::Readable { subject, schema },
            Err(error) => Self::Unreadable { detail: format!("is not usable: {error}") },
        }
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.meanings.load().iter().map(|(id, _)| id)).finish()
    }
}
