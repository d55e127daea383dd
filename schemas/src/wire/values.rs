//! How single values stand in Avro. Each module is for `#[serde(deserialize_with = …)]`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

/// Text that is borrowed from the record.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Optional text, borrowed: serde's own `Option<Cow<str>>` would copy it.
pub(super) mod maybe_text {
    use super::{Cow, Deserialize, Deserializer, Text};

    pub(crate) fn deserialize<'de: 'a, 'a, D>(deserializer: D) -> Result<Option<Cow<'a, str>>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(Option::<Text<'a>>::deserialize(deserializer)?.map(|text| text.0))
    }
}

/// A UUID as its 16 bytes.
pub(super) mod uuid_bytes {
    use uuid::Uuid;

    use super::{Deserializer, Error, Visitor, fmt};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        deserializer.deserialize_bytes(UuidVisitor)
    }

    struct UuidVisitor;

    impl Visitor<'_> for UuidVisitor {
        type Value = Uuid;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the 16 bytes of a UUID")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Uuid, E> {
            Uuid::from_slice(bytes).map_err(E::custom)
        }
    }
}

/// An optional UUID as its 16 bytes.
pub(super) mod maybe_uuid_bytes {
    use serde::{Deserialize, Deserializer};
    use uuid::Uuid;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Bytes(#[serde(deserialize_with = "super::uuid_bytes::deserialize")] Uuid);

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
        Ok(Option::<Bytes>::deserialize(deserializer)?.map(|bytes| bytes.0))
    }
}

/// Why a trade ended; a symbol of a later version is the enum's default, `OTHER`.
pub(super) mod maybe_exit_reason {
    use serde::{Deserialize, Deserializer};

    use super::{Error, Visitor, fmt};
    use crate::ExitReason;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ExitReason>, D::Error> {
        Ok(Option::<Symbol>::deserialize(deserializer)?.map(|symbol| symbol.0))
    }

    struct Symbol(ExitReason);

    impl<'de> Deserialize<'de> for Symbol {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(SymbolVisitor)
        }
    }

    struct SymbolVisitor;

    impl Visitor<'_> for SymbolVisitor {
        type Value = Symbol;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an exit reason")
        }

        fn visit_str<E: Error>(self, symbol: &str) -> Result<Symbol, E> {
            Ok(Symbol(match symbol {
                "TARGET" => ExitReason::Target,
                "STOP" => ExitReason::Stop,
                "TIME" => ExitReason::Time,
                "SIGNAL" => ExitReason::Signal,
                "SESSION" => ExitReason::Session,
                "MANUAL" => ExitReason::Manual,
                _ => ExitReason::Other,
            }))
        }
    }
}

/// Further features: a map on the wire, a sorted list in memory.
pub(super) mod features {
    use super::{Cow, Deserializer, Error, MapAccess, Text, Visitor, fmt};
    use crate::MAX_EXTRA_FEATURES;

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<Vec<(Cow<'de, str>, f64)>, D::Error>
    where
        D: Deserializer<'de>,
    {
        deserializer.deserialize_map(FeaturesVisitor)
    }

    struct FeaturesVisitor;

    impl<'de> Visitor<'de> for FeaturesVisitor {
        type Value = Vec<(Cow<'de, str>, f64)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of named features")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut features = Vec::new();
            while let Some((name, value)) = map.next_entry::<Text<'de>, f64>()? {
                // Counted while reading, so that a block that claims millions costs nothing.
                if features.len() == MAX_EXTRA_FEATURES {
                    return Err(A::Error::custom(format_args!("more than {MAX_EXTRA_FEATURES} further features")));
                }
                features.push((name.0, value));
            }
            // Other writers know no order. A name given twice stays a neighbour of itself and is refused later.
            features.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            Ok(features)
        }
    }
}

/// An optional place in a bulk import.
pub(super) mod maybe_import {
    use serde::{Deserialize, Deserializer};

    use super::super::journal::ImportPlaceWire;
    use crate::ImportPlace;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Import<'a>(#[serde(borrow, deserialize_with = "ImportPlaceWire::deserialize")] ImportPlace<'a>);

    pub(crate) fn deserialize<'de: 'a, 'a, D>(deserializer: D) -> Result<Option<ImportPlace<'a>>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(Option::<Import<'a>>::deserialize(deserializer)?.map(|import| import.0))
    }
}
