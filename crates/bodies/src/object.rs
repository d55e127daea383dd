//! Reads an object once, field by field, and collects every fault on the way.
//!
//! There is one path for good and bad bodies: a second, more talkative parser would have to agree with the first on
//! every input. Nothing is allocated for a field that is good and written without escapes.

use std::{borrow::Cow, fmt};

use hindcast_domain::Instruments;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{
    FieldError, Invalid,
    value::{KeySeed, MAX_DEPTH, Value, ValueSeed},
};

/// How many faults of a body are told. Enough for every field there is; a body of nothing but unknown names ends here.
pub const MAX_FAULTS: usize = 100;

/// What a rule says of a value.
pub(crate) type Checked<T> = Result<T, Cow<'static, str>>;

/// What is known of a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Slot<T> {
    #[default]
    Absent,
    /// Given as null, which means the same as leaving it out where that is allowed.
    Null,
    /// Given, and at fault; the fault is told.
    Refused,
    Given(T),
}

impl<T> Slot<T> {
    pub(crate) fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Null | Self::Refused => None,
        }
    }

    pub(crate) fn as_given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Null | Self::Refused => None,
        }
    }

    /// Whether the client left it out, which is no fault by itself.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<FieldError>,
    /// Pointer of the object that is being read.
    within: String,
}

impl Faults {
    /// Adds a fault of a field of the object that is being read.
    pub(crate) fn add(&mut self, name: &str, detail: impl Into<String>) {
        if self.list.len() < MAX_FAULTS {
            let name = if name.contains(['~', '/']) {
                Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
            } else {
                Cow::Borrowed(name)
            };
            self.list.push(FieldError::new(format!("{}/{name}", self.within), detail));
        }
    }

    /// Adds a fault for a field without which the body means nothing, if it is not there.
    pub(crate) fn require<T>(&mut self, name: &str, slot: &Slot<T>) {
        match slot {
            Slot::Absent => self.add(name, "is required"),
            Slot::Null => self.add(name, "must not be null"),
            Slot::Refused | Slot::Given(_) => {}
        }
    }

    /// The same for a symbol, which must be a known one too.
    pub(crate) fn require_symbol(&mut self, slot: &Slot<Cow<'_, str>>, instruments: &Instruments) {
        self.require("symbol", slot);
        if slot.as_given().is_some_and(|symbol| instruments.get(symbol).is_none()) {
            self.add("symbol", format!("must be one of the known symbols: {}", instruments.names()));
        }
    }

    /// Adds faults of an object that is the value of a field of the one that is being read.
    pub(crate) fn within(&mut self, name: &str, add: impl FnOnce(&mut Self)) {
        let outer = self.within.len();
        self.within.push('/');
        self.within.push_str(name);
        add(self);
        self.within.truncate(outer);
    }

    /// The faults as an error. Whoever calls it knows that there is one.
    pub(crate) fn into_invalid(self) -> Invalid {
        Invalid::Fields(self.list)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// What to do with a name that no field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Refuse,
    Ignore,
}

/// Something that is read from an object.
pub(crate) trait Object<'de> {
    /// Takes the value of one name through one of the reader's methods, exactly once.
    fn field<A: MapAccess<'de>>(&mut self, name: Cow<'de, str>, reader: Reader<'_, 'de, A>) -> Result<(), A::Error>;
}

/// Reads the value of one name.
pub(crate) struct Reader<'r, 'de, A> {
    map: &'r mut A,
    faults: &'r mut Faults,
    unknown: Unknown,
    within: ValueSeed,
    lifetime: std::marker::PhantomData<&'de ()>,
}

impl<'de, A: MapAccess<'de>> Reader<'_, 'de, A> {
    /// Reads a value that is no object, by a rule.
    pub(crate) fn take<T>(
        self,
        name: &str,
        slot: &mut Slot<T>,
        rule: impl FnOnce(Value<'de>) -> Checked<T>,
    ) -> Result<(), A::Error> {
        let value = self.map.next_value_seed(self.within)?;
        let again = !matches!(slot, Slot::Absent);
        *slot = match (again, value) {
            (true, _) => {
                self.faults.add(name, GIVEN_TWICE);
                Slot::Refused
            }
            (false, Value::Null) => Slot::Null,
            (false, value) => match rule(value) {
                Ok(value) => Slot::Given(value),
                Err(fault) => {
                    self.faults.add(name, fault);
                    Slot::Refused
                }
            },
        };
        Ok(())
    }

    /// Reads a value that is an object.
    pub(crate) fn object<O: Object<'de>>(self, name: &str, slot: &mut Slot<O>, mut object: O) -> Result<(), A::Error> {
        if !matches!(slot, Slot::Absent) {
            self.map.next_value_seed(self.within)?;
            self.faults.add(name, GIVEN_TWICE);
            *slot = Slot::Refused;
            return Ok(());
        }
        let Self { map, faults, unknown, within, .. } = self;
        let mut read = Ok(Read::Other);
        faults.within(name, |faults| {
            read = map.next_value_seed(ObjectSeed { object: &mut object, faults, unknown, levels: within.levels });
        });
        *slot = match read? {
            Read::Object => Slot::Given(object),
            Read::Null => Slot::Null,
            Read::Other => {
                faults.add(name, "must be an object");
                Slot::Refused
            }
        };
        Ok(())
    }

    /// Reads a value whose name is data, not the name of a field.
    pub(crate) fn entry<T>(
        self,
        name: &str,
        rule: impl FnOnce(Value<'de>) -> Checked<T>,
    ) -> Result<Option<T>, A::Error> {
        let value = self.map.next_value_seed(self.within)?;
        Ok(match rule(value) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.faults.add(name, fault);
                None
            }
        })
    }

    /// Reads past the value of a name that no field has.
    pub(crate) fn unknown(self, name: &str) -> Result<(), A::Error> {
        self.map.next_value_seed(self.within)?;
        if self.unknown == Unknown::Refuse {
            self.faults.add(name, "is not a field of this body");
        }
        Ok(())
    }
}

const GIVEN_TWICE: &str = "is given more than once";

/// Reads a body that is an object, and returns the faults of its fields.
///
/// # Errors
/// When it is not JSON, or no object.
pub(crate) fn read_body<'de, O: Object<'de>>(
    body: &'de [u8],
    object: &mut O,
    unknown: Unknown,
) -> Result<Faults, Invalid> {
    let mut faults = Faults::default();
    // Once for the whole: the parser would look at every name and text again.
    let body = std::str::from_utf8(body).map_err(|error| not_utf8(&error))?;
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let seed = ObjectSeed { object, faults: &mut faults, unknown, levels: MAX_DEPTH };
    let read = seed.deserialize(&mut deserializer).and_then(|what| deserializer.end().map(|()| what));
    match read {
        Ok(Read::Object) => Ok(faults),
        Ok(Read::Null | Read::Other) => Err(Invalid::field("", "must be a JSON object")),
        Err(error) => Err(Invalid::Malformed { detail: error.to_string() }),
    }
}

fn not_utf8(error: &std::str::Utf8Error) -> Invalid {
    Invalid::Malformed { detail: format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1) }
}

struct ObjectSeed<'r, O> {
    object: &'r mut O,
    faults: &'r mut Faults,
    unknown: Unknown,
    levels: u8,
}

/// What stood where an object was expected.
enum Read {
    Object,
    Null,
    Other,
}

impl<'de, O: Object<'de>> DeserializeSeed<'de> for ObjectSeed<'_, O> {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, O: Object<'de>> Visitor<'de> for ObjectSeed<'_, O> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let within = ValueSeed { levels: self.levels }.deeper()?;
        while let Some(name) = map.next_key_seed(KeySeed)? {
            let reader = Reader {
                map: &mut map,
                faults: self.faults,
                unknown: self.unknown,
                within,
                lifetime: std::marker::PhantomData,
            };
            self.object.field(name, reader)?;
        }
        Ok(Read::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Read, A::Error> {
        ValueSeed { levels: self.levels }.visit_seq(list)?;
        Ok(Read::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Ok(Read::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Read, E> {
        Ok(Read::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Read, E> {
        Ok(Read::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Read, E> {
        Ok(Read::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Read, E> {
        Ok(Read::Other)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Read, E> {
        Ok(Read::Other)
    }
}
