//! An item of `POST /v1/events`: a signal or a trade that says which it is.

use std::{borrow::Cow, sync::LazyLock};

use hindcast_domain::Instruments;
use memchr::memmem::Finder;
use serde::de::MapAccess;

use crate::{
    Invalid, SignalBody, TradeBody,
    object::{Checked, Object, Reader, Slot, Unknown, read_body},
    signal, trade,
    value::Value,
};

/// An item of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemBody<'a> {
    /// With `"type": "signal"`.
    Signal(SignalBody<'a>),
    /// With `"type": "trade"`.
    Trade(TradeBody<'a>),
}

/// Reads one item of a batch: the body of a signal or a trade with `type`, and `import` if it belongs to one.
///
/// # Errors
/// All faults at once; without a usable `type` that one alone, for it says what the other fields must be.
pub fn parse_item<'a>(body: &'a [u8], instruments: &Instruments) -> Result<ItemBody<'a>, Invalid> {
    match plain_kind(body).map_or_else(|| kind_of(body), Ok)? {
        ItemKind::Signal => signal::parse(body, instruments, true).map(ItemBody::Signal),
        ItemKind::Trade => trade::parse(body, instruments, true).map(ItemBody::Trade),
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Signal,
    Trade,
}

impl ItemKind {
    #[allow(clippy::needless_pass_by_value)] // the shape of all rules
    pub(crate) fn rule(value: Value<'_>) -> Checked<Self> {
        match &value {
            Value::Text(text) if text == "signal" => Ok(Self::Signal),
            Value::Text(text) if text == "trade" => Ok(Self::Trade),
            _ => Err("must be \"signal\" or \"trade\"".into()),
        }
    }
}

const TYPE: &[u8] = b"\"type\"";
/// Made once: that takes longer than to look through an item.
static FIND_TYPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(TYPE));

/// The type of an item in which it stands plainly: its name is the first `"type"` there is, and nothing before it is
/// nested or escaped, so that in valid JSON it can only be a field of the item itself. Whether the rest is right is not
/// looked at.
fn plain_kind(body: &[u8]) -> Option<ItemKind> {
    let fields = body.trim_ascii_start().strip_prefix(b"{")?;
    let (before, rest) = fields.split_at_checked(FIND_TYPE.find(fields)?)?;
    if memchr::memchr2(b'{', b'\\', before).is_some() {
        return None;
    }
    let value = rest.strip_prefix(TYPE)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    if value.starts_with(b"\"signal\"") {
        Some(ItemKind::Signal)
    } else if value.starts_with(b"\"trade\"") {
        Some(ItemKind::Trade)
    } else {
        None
    }
}

/// The type of an item, wherever it stands.
fn kind_of(body: &[u8]) -> Result<ItemKind, Invalid> {
    let mut draft = KindDraft::default();
    let mut faults = read_body(body, &mut draft, Unknown::Ignore)?;
    faults.require("type", &draft.kind);
    draft.kind.given().ok_or_else(|| faults.into_invalid())
}

#[derive(Default)]
struct KindDraft {
    kind: Slot<ItemKind>,
}

impl<'a> Object<'a> for KindDraft {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "type" => reader.take("type", &mut self.kind, ItemKind::rule),
            other => reader.unknown(other),
        }
    }
}

impl<'a> ItemBody<'a> {
    /// The user that the client named.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Signal(signal) => signal.user_id(),
            Self::Trade(trade) => trade.user_id(),
        }
    }

    /// Whether sending the item again gives the same event: it has an id or a place in an import.
    #[must_use]
    pub fn has_own_id(&self) -> bool {
        match self {
            Self::Signal(signal) => signal.has_own_id(),
            Self::Trade(trade) => trade.has_own_id(),
        }
    }

    /// The event, owned by the credential's user.
    #[must_use]
    pub fn into_event<'e>(self, user: &'e str, stamp: &crate::Stamp) -> hindcast_schemas::Event<'e>
    where
        'a: 'e,
    {
        match self {
            Self::Signal(signal) => hindcast_schemas::Event::Signal(signal.into_event(user, stamp)),
            Self::Trade(trade) => hindcast_schemas::Event::Trade(trade.into_event(user, stamp)),
        }
    }
}
