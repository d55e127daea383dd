//! A registry whose answers are kept in control.

use std::sync::Arc;

use hindcast_control::Control;
use hindcast_schemas::{Registry, RegistryError};

/// Answers from what control has recorded, and asks a registry for what it has not.
///
/// Whoever writes with a schema records its id in control first (see [`crate::used_schemas`]). So
/// - a schema that was ever written with keeps its id, and an id its schema, whatever became of the registry;
/// - a registry that was begun anew and gives an id a second time is found out before anything is written with it;
/// - an id is unknown only if neither has it, and control is read to its end.
pub struct Recorded<R> {
    control: Arc<Control>,
    registry: R,
}

impl<R: Registry> Recorded<R> {
    /// Asks control first, then a registry.
    pub fn new(control: Arc<Control>, registry: R) -> Self {
        Self { control, registry }
    }
}

impl<R: Registry> Registry for Recorded<R> {
    fn id_of(&self, subject: &str, schema_json: &str) -> Result<u32, RegistryError> {
        let settings = self.control.settings();
        let recorded = settings.schemas.iter().find(|(_, (of, _, schema))| of == subject && same(schema, schema_json));
        if let Some((id, _)) = recorded {
            return Ok(*id);
        }
        let id = self.registry.id_of(subject, schema_json)?;
        match self.control.settings().schemas.get(&id) {
            None => Ok(id),
            Some((of, _, schema)) if of == subject && same(schema, schema_json) => Ok(id),
            Some((of, version, _)) => Err(RegistryError {
                retryable: false,
                detail: format!(
                    "the registry gives id {id} to a schema of {subject}, but records with that id are of {of} version \
                     {version}: its database was lost; restore it, or import the schemas that control holds"
                ),
            }),
        }
    }

    fn schema_of(&self, id: u32) -> Result<Option<Arc<str>>, RegistryError> {
        if let Some(schema) = self.recorded(id) {
            return Ok(Some(schema));
        }
        // Asked before the registry: who gave the id meanwhile has recorded it.
        let was_current = self.control.is_current();
        if let Some(schema) = self.registry.schema_of(id)? {
            return Ok(Some(schema));
        }
        match self.recorded(id) {
            Some(schema) => Ok(Some(schema)),
            None if was_current => Ok(None),
            None => Err(RegistryError {
                retryable: true,
                detail: format!("the registry has no schema {id}, and control is not read to its end"),
            }),
        }
    }
}

impl<R> Recorded<R> {
    fn recorded(&self, id: u32) -> Option<Arc<str>> {
        self.control.settings().schemas.get(&id).map(|(_, _, schema)| Arc::from(schema.as_str()))
    }
}

/// By meaning, not by the letter: indentation may change.
fn same(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || parse(one).is_some_and(|one| Some(one) == parse(other))
}
