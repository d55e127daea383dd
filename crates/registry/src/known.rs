//! All schemas of this build, for the registry and for control.

use hindcast_control::UsedSchema;
use hindcast_schemas::{Codec, Registry, RegistryError, known::KNOWN_SCHEMAS};

/// Registers every version of every schema of this build, oldest first, so that each is judged by all before it. Changes
/// nothing that is there; returns the ids.
///
/// # Errors
/// When the registry can't be asked, or refuses one; what came before it is registered.
pub fn register_known(registry: &dyn Registry) -> Result<Vec<UsedSchema>, RegistryError> {
    let register = |known: &hindcast_schemas::known::KnownSchema| {
        let subject = known.subject.name();
        let id = registry.id_of(subject, known.json)?;
        Ok(UsedSchema { id, subject: subject.into(), version: known.version, schema: known.json.into() })
    };
    KNOWN_SCHEMAS.iter().map(register).collect()
}

/// What a codec writes with: to be recorded in control before the first record is written (see
/// [`hindcast_control::bootstrap()`]).
#[must_use]
pub fn used_schemas(codec: &Codec) -> Vec<UsedSchema> {
    let used = |written: &hindcast_schemas::codec::WrittenSchema| UsedSchema {
        id: written.id(),
        subject: written.subject().name().into(),
        version: written.version(),
        schema: written.json().into(),
    };
    codec.written().map(used).collect()
}
