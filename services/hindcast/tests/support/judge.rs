//! Whether everything that was acknowledged is there, counted once, and derives again.

use std::collections::{BTreeMap, HashMap};

use hindcast_fold::generation::GenerationSet;
use hindcast_journal::{Log, ReadLimit, RecordType, Topic};
use hindcast_replay_tools::{refold, verify_decisions};
use hindcast_schemas::{Action, Codec, Event};
use hindcast_views::ViewStore;
use serde_json::{Value, json};
use uuid::Uuid;

use super::writers::Told;

/// What was judged.
#[derive(Debug)]
pub struct Judged {
    pub acknowledged: usize,
    pub records: usize,
    pub rows: u64,
    pub decisions: u64,
    pub reads: u64,
    pub repeated: u64,
    pub given_up: u64,
}

/// Judges what clients were told by the log, the rows and the answers about `(user, symbol)`. Blocks.
pub fn judge(
    log: &dyn Log,
    codec: &Codec,
    views: &dyn ViewStore,
    told: &[Told],
    answers: &[((String, String), Value)],
) -> Judged {
    let mut records = HashMap::new();
    // Distinct events of each user and symbol: what must be counted, once.
    let mut distinct: BTreeMap<(String, String), Counts> = BTreeMap::new();
    for partition in 0..log.identity().partitions {
        for record in read_all(log, Topic::Journal, partition) {
            if record.record_type == RecordType::Genesis {
                continue;
            }
            let event = codec.decode_event(&record.value).unwrap();
            let kind = match &event {
                Event::Signal(_) => "signal",
                Event::Trade(_) => "trade",
                Event::Void(_) => "void",
            };
            let identity = (event.user_id().to_owned(), kind, event.event_id());
            records.entry((identity.clone(), record.position.to_string())).or_insert(());
            distinct.entry((identity.0.clone(), event.symbol().to_owned())).or_default().add(&event);
        }
    }
    let mut acknowledged = 0;
    for (user, kind, id, position) in told.iter().flat_map(|told| &told.events) {
        acknowledged += 1;
        let stored = ((user.clone(), *kind, *id), position.clone());
        assert!(records.contains_key(&stored), "{kind} {id} of {user} was acknowledged at {position} and is not there");
    }
    for (of, answer) in answers {
        distinct.get(of).cloned().unwrap_or_default().assert_equals(answer, of);
    }

    let rows = assert_refolded(log, codec, views, &GenerationSet::default());

    let verified = verify_decisions(log, codec).unwrap();
    assert!(verified.is_same(), "decisions do not derive again: {:?}", verified.findings);
    assert_recorded(log, codec, told.iter().flat_map(|told| &told.decisions));
    assert!(acknowledged > 100, "the test has to write something: {acknowledged}");
    Judged {
        acknowledged,
        records: records.len(),
        rows,
        decisions: verified.decisions(),
        reads: told.iter().map(|told| told.reads).sum(),
        repeated: told.iter().map(|told| told.repeated).sum(),
        given_up: told.iter().map(|told| told.given_up).sum(),
    }
}

/// Every decision that a client was told is recorded, with the very numbers that it was told. One that was asked for again
/// is there more than once.
fn assert_recorded<'a>(log: &dyn Log, codec: &Codec, told: impl Iterator<Item = &'a (Uuid, Value)>) {
    let mut recorded = HashMap::<Uuid, Vec<Value>>::new();
    for partition in 0..log.identity().partitions {
        for record in read_all(log, Topic::Decisions, partition) {
            if record.record_type == RecordType::Genesis {
                continue;
            }
            let made = codec.decode_decision(&record.value).unwrap();
            recorded.entry(made.decision_id).or_default().push(json!({
                "event_id": made.signal.event_id,
                "confidence": made.confidence,
                "interval": [made.interval_low, made.interval_high],
                "novelty": made.novelty,
                "experiences": made.experiences,
                "action": if made.action == Action::Take { "TAKE" } else { "SKIP" },
                "model": {"name": made.model.name, "version": made.model.version},
            }));
        }
    }
    for (id, answer) in told {
        let of_id = recorded.get(id).map_or(&[][..], Vec::as_slice);
        let is_told = |record: &Value| record.as_object().unwrap().iter().all(|(field, value)| answer[field] == *value);
        assert!(of_id.iter().any(is_told), "{answer} was answered, recorded is {of_id:?}");
    }
}

/// A set's tables hold what the journal folds into from scratch; tells how many rows that are. Blocks.
pub fn assert_refolded(log: &dyn Log, codec: &Codec, views: &dyn ViewStore, set: &GenerationSet) -> u64 {
    let from_scratch = refold(log, codec, set).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let comparison = runtime.block_on(from_scratch.compare(views)).unwrap();
    assert!(comparison.is_same(), "views differ from a fold from scratch: {:?}", comparison.differences);
    comparison.same
}

#[derive(Default, Clone)]
struct Counts {
    signals: std::collections::HashSet<Uuid>,
    trades: BTreeMap<Uuid, (i64, bool)>,
    voided: std::collections::HashSet<Uuid>,
}

impl Counts {
    fn add(&mut self, event: &Event<'_>) {
        match event {
            Event::Signal(signal) => {
                self.signals.insert(signal.event_id);
            }
            Event::Trade(trade) => {
                self.trades.entry(trade.event_id).or_insert((trade.pnl_e9.0, trade.simulated));
            }
            Event::Void(void) => {
                self.voided.insert(void.trade_event_id);
            }
        }
    }

    fn assert_equals(&self, view: &Value, of: &(String, String)) {
        let standing = |simulated: bool| {
            let trades = self.trades.iter().filter(|(id, trade)| !self.voided.contains(id) && trade.1 == simulated);
            trades.map(|(_, trade)| trade.0).collect::<Vec<_>>()
        };
        let (taken, simulated) = (standing(false), standing(true));
        assert_eq!(view["signals"], self.signals.len(), "signals of {of:?}: {view}");
        assert_eq!(view["trades"], taken.len(), "trades of {of:?}: {view}");
        assert_eq!(view["wins"], taken.iter().filter(|pnl| **pnl > 0).count(), "wins of {of:?}: {view}");
        assert_eq!(view["simulated_trades"], simulated.len(), "simulated trades of {of:?}: {view}");
        let sum: i128 = taken.iter().map(|pnl| i128::from(*pnl)).sum();
        assert_eq!(view["total_pnl"].as_f64(), Some(sum as f64 / 1e9), "pnl of {of:?}: {view}");
    }
}

pub fn read_all(log: &dyn Log, topic: Topic, partition: u16) -> Vec<hindcast_journal::Record> {
    let end = *log.durable_end(topic, partition).borrow();
    let (mut all, mut next) = (Vec::new(), 0);
    while next < end {
        next = log.read(topic, partition, next, ReadLimit { records: 10_000, bytes: 64 << 20 }, &mut all).unwrap();
    }
    all
}
