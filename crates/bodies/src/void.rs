//! The body of a request to take a trade back.

use std::borrow::Cow;

use hindcast_domain::Position;
use serde::de::MapAccess;

use crate::{
    Invalid,
    object::{Object, Reader, Slot, Unknown, read_body},
    rules,
};

/// Why a trade is taken back, and where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VoidBody<'a> {
    /// Why, in the client's words.
    pub reason: Option<Cow<'a, str>>,
    /// The position that was answered when the trade was reported. Needed for trades so old that their ids are no
    /// longer remembered.
    pub position: Option<Position>,
}

/// Reads the body of `POST /v1/trades/{event_id}/void`, which may be empty.
///
/// # Errors
/// All faults at once.
pub fn parse_void(body: &[u8]) -> Result<VoidBody<'_>, Invalid> {
    if body.is_empty() {
        return Ok(VoidBody::default());
    }
    let mut draft = VoidDraft::default();
    let mut faults = read_body(body, &mut draft, Unknown::Refuse)?;
    let position = draft.position.given().and_then(|position| {
        faults.within("position", |faults| {
            faults.require("epoch", &position.epoch);
            faults.require("partition", &position.partition);
            faults.require("offset", &position.offset);
        });
        Some(Position {
            epoch: position.epoch.given()?,
            partition: position.partition.given()?,
            offset: position.offset.given()?,
        })
    });
    if faults.is_empty() { Ok(VoidBody { reason: draft.reason.given(), position }) } else { Err(faults.into_invalid()) }
}

#[derive(Default)]
struct VoidDraft<'a> {
    reason: Slot<Cow<'a, str>>,
    position: Slot<PositionDraft>,
}

#[derive(Default)]
struct PositionDraft {
    epoch: Slot<u8>,
    partition: Slot<u16>,
    offset: Slot<u64>,
}

impl<'a> Object<'a> for VoidDraft<'a> {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "reason" => reader.take("reason", &mut self.reason, rules::reason),
            "position" => reader.object("position", &mut self.position, PositionDraft::default()),
            unknown => reader.unknown(unknown),
        }
    }
}

impl<'a> Object<'a> for PositionDraft {
    fn field<A: MapAccess<'a>>(&mut self, name: Cow<'a, str>, reader: Reader<'_, 'a, A>) -> Result<(), A::Error> {
        match name.as_ref() {
            "epoch" => reader.take("epoch", &mut self.epoch, rules::epoch),
            "partition" => reader.take("partition", &mut self.partition, rules::partition),
            "offset" => reader.take("offset", &mut self.offset, rules::offset),
            unknown => reader.unknown(unknown),
        }
    }
}
