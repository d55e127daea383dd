//! The settings behind any decision can be derived again: folding a prefix gives one result, however it is cut.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test that can't go on fails

use hindcast_control::{
    Change, ChangeRecord,
    settings::{ControlState, Effect},
};
use hindcast_domain::{Position, TimestampUs, UserId};
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Record, RecordType};
use hindcast_scoring::published::{PublishedModel, PublishedPolicy};
use proptest::prelude::*;

fn change() -> impl Strategy<Value = Change> {
    let id = (0_u8..4).prop_map(|n| format!("k{n}"));
    prop_oneof![
        (id.clone(), 0_u8..6).prop_map(|(id, digest)| Change::ApiKeyCreated {
            id,
            user_id: UserId::new("trader-1").unwrap(),
            scopes: vec!["trade".to_owned()],
            sha256: format!("{digest:02x}").repeat(32),
            expires_at: None,
            requests_per_minute: None,
        }),
        id.prop_map(|id| Change::ApiKeyRevoked { id }),
        (1_u32..3).prop_map(|version| Change::ModelPublished {
            model: PublishedModel { version, ..PublishedModel::default_kernel() }
        }),
        (1_u32..3).prop_map(|version| Change::PolicyPublished {
            policy: PublishedPolicy { version, ..PublishedPolicy::default_threshold() }
        }),
        (1_u32..4, 1_u32..4).prop_map(|(model, policy)| Change::ScoringActivated {
            model: ("kernel".to_owned(), model),
            policy: ("threshold".to_owned(), policy),
        }),
        Just(Change::GenerationsActivated { generations: GenerationSet::default() }),
    ]
}

fn record(offset: u64, change: Change, based_on: Option<u64>) -> Record {
    let key = change.entity().0.into_bytes();
    let at = TimestampUs(i64::try_from(offset).unwrap());
    let value = serde_json::to_vec(&ChangeRecord { based_on, at, by: "x".into(), why: String::new(), change }).unwrap();
    Record {
        offset,
        position: Position { epoch: 0, partition: 0, offset },
        record_type: RecordType::Setting,
        timestamp_us: 0,
        key: key.into(),
        traceparent: None,
        value: value.into(),
    }
}

fn seen(state: &ControlState) -> String {
    format!("{:?} {:?}", state.settings, state.keys.list())
}

proptest! {
    #[test]
    fn a_prefix_has_one_result(
        changes in prop::collection::vec((change(), 0_u8..5, 0_u64..40), 1..40),
        cut in 0_usize..40,
    ) {
        let mut state = ControlState::default();
        let (mut records, mut after) = (Vec::new(), Vec::new());
        for (offset, (change, luck, guess)) in (1..).zip(changes) {
            let entity = change.entity();
            let last = state.last_change(&entity);
            // Most authors know the last change, some only guess.
            let based_on = if luck > 0 { last } else { Some(guess) };
            let record = record(offset, change, based_on);
            let before = seen(&state);
            let effect = state.apply(&record);
            prop_assert_eq!(state.effect_at(offset), effect.clone());
            if based_on != last {
                prop_assert_eq!(&effect, &Effect::Stale);
            }
            if effect == Effect::Applied {
                prop_assert_eq!(state.last_change(&entity), Some(offset));
            } else {
                let nothing_but_the_offset = before.replace(&format!("offset: {:?}", Some(offset - 1)), "");
                let now = seen(&state).replace(&format!("offset: {:?}", Some(offset)), "");
                prop_assert!(offset == 1 || now == nothing_but_the_offset);
                prop_assert_eq!(state.last_change(&entity), last);
            }
            records.push(record);
            after.push(seen(&state));
        }
        // Another process that starts later and reads up to some record knows the same.
        let cut = cut.min(records.len() - 1);
        let mut other = ControlState::default();
        for record in &records[..=cut] {
            other.apply(record);
        }
        prop_assert_eq!(seen(&other), after[cut].clone());
        for record in &records[cut + 1..] {
            other.apply(record);
        }
        prop_assert_eq!(Some(seen(&other)), after.pop());
    }
}
