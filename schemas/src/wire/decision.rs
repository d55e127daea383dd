//! The records of the decisions.

use std::borrow::Cow;

use hindcast_domain::{Position, TimestampUs};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    journal::SignalWire,
    values::{maybe_text, uuid_bytes},
};
use crate::{Action, DecisionMade, SettingRef, SignalReceived};

#[derive(Deserialize)]
#[serde(remote = "DecisionMade", rename = "DecisionMade")]
pub(crate) struct DecisionWire<'a> {
    #[serde(deserialize_with = "uuid_bytes::deserialize")]
    decision_id: Uuid,
    decided_at: TimestampUs,
    #[serde(borrow, deserialize_with = "SignalWire::deserialize")]
    signal: SignalReceived<'a>,
    #[serde(borrow)]
    generation: Cow<'a, str>,
    row_found: bool,
    #[serde(default)]
    applied: Option<Position>,
    control_offset: u64,
    #[serde(borrow, deserialize_with = "SettingRefWire::deserialize")]
    model: SettingRef<'a>,
    #[serde(borrow, deserialize_with = "SettingRefWire::deserialize")]
    policy: SettingRef<'a>,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    experiment: Option<Cow<'a, str>>,
    #[serde(default, borrow, deserialize_with = "maybe_text::deserialize")]
    arm: Option<Cow<'a, str>>,
    confidence: f64,
    interval_low: f64,
    interval_high: f64,
    novelty: f64,
    experiences: u32,
    action: Action,
    propensity: f64,
}

#[derive(Deserialize)]
#[serde(remote = "SettingRef", rename = "SettingRef")]
struct SettingRefWire<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    version: u32,
    #[serde(borrow)]
    digest: Cow<'a, str>,
}
