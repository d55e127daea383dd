//! A log in memory, written as the services write theirs.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use hindcast_control::{Change, ChangeRecord, Entity, settings::ControlState};
use hindcast_domain::{MoneyE9, Position, Side, TimestampUs, decision_id, partition_of};
use hindcast_fold::{
    activity::Activity,
    admission::Admission,
    book::Book,
    generation::GenerationSet,
    pipeline::{Input, States, fold_record},
};
use hindcast_journal::{Log, NewRecord, ReadLimit, RecordType, Topic, memory::MemoryLog};
use hindcast_schemas::{Codec, DecisionMade, Event, LocalRegistry, SettingRef, SignalReceived, TradeClosed};
use hindcast_scoring::{PublishedModel, PublishedPolicy};
use uuid::Uuid;

pub(crate) const PARTITIONS: u16 = 2;
const ALL: ReadLimit = ReadLimit { records: usize::MAX, bytes: usize::MAX };

/// Runs a future that never waits for long.
pub(crate) fn done<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) codec: Codec,
    last_change: BTreeMap<Entity, u64>,
}

impl World {
    /// A log with the default settings published.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            log: MemoryLog::new(PARTITIONS),
            codec: Codec::new(LocalRegistry).unwrap(),
            last_change: BTreeMap::new(),
        };
        world.change(Change::GenerationsActivated { generations: GenerationSet::default() });
        world.change(Change::ModelPublished { model: PublishedModel::default_kernel() });
        world.change(Change::PolicyPublished { policy: PublishedPolicy::default_threshold() });
        world.activate(1, 1);
        world
    }

    /// Appends a change of settings and returns its control offset.
    pub(crate) fn change(&mut self, change: Change) -> u64 {
        let entity = change.entity();
        let based_on = self.last_change.get(&entity).copied();
        let record = ChangeRecord { based_on, at: TimestampUs(1), by: "test".to_owned(), why: String::new(), change };
        let value = serde_json::to_vec(&record).unwrap();
        let offset = self.append(Topic::Control, 0, entity.0.as_bytes(), RecordType::Setting, value).offset;
        self.last_change.insert(entity, offset);
        offset
    }

    pub(crate) fn activate(&mut self, model_version: u32, policy_version: u32) -> u64 {
        let (model, policy) = (("kernel".to_owned(), model_version), ("threshold".to_owned(), policy_version));
        self.change(Change::ScoringActivated { model, policy })
    }

    pub(crate) fn event(&self, event: &Event<'_>) -> Position {
        let mut value = Vec::new();
        self.codec.encode_event(event, &mut value).unwrap();
        let record_type = match event {
            Event::Signal(_) => RecordType::Signal,
            Event::Trade(_) => RecordType::Trade,
            Event::Void(_) => RecordType::Void,
        };
        let user = event.user_id();
        self.append(Topic::Journal, partition(user), user.as_bytes(), record_type, value)
    }

    /// A record of a user's that no fold can use.
    pub(crate) fn rubbish(&self, user: &str) -> Position {
        self.append(Topic::Journal, partition(user), user.as_bytes(), RecordType::Trade, b"rubbish".to_vec())
    }

    pub(crate) fn decision(&self, decision: &DecisionMade<'_>) -> Position {
        let mut value = Vec::new();
        self.codec.encode_decision(decision, &mut value).unwrap();
        let user = &decision.signal.user_id;
        self.append(Topic::Decisions, partition(user), user.as_bytes(), RecordType::Decision, value)
    }

    pub(crate) fn append(
        &self,
        topic: Topic,
        partition: u16,
        key: &[u8],
        record_type: RecordType,
        value: Vec<u8>,
    ) -> Position {
        let record =
            NewRecord { topic, partition, key: key.into(), record_type, timestamp_us: 1, traceparent: None, value };
        done(self.log.append(vec![record])).unwrap()[0]
    }

    /// A signal and its trade, several times over.
    pub(crate) fn history(&self, user: &str, symbol: &str, rows: std::ops::Range<u32>) {
        for row in rows {
            let signal = signal(user, symbol, row);
            self.event(&Event::Trade(trade(&signal, !row.is_multiple_of(3))));
            self.event(&Event::Signal(signal));
        }
    }

    /// The journal of a partition up to an offset, exclusive, folded by a loop that has nothing in common with the
    /// tools but the fold.
    pub(crate) fn folded(&self, generations: &GenerationSet, partition: u16, end: u64) -> Folded {
        let params = generations.fold_params().unwrap();
        let mut records = Vec::new();
        self.log.read(Topic::Journal, partition, 0, ALL, &mut records).unwrap();
        let mut states = Folded::default();
        for record in records.iter().filter(|r| r.offset < end && r.record_type != RecordType::Genesis) {
            let user = std::str::from_utf8(&record.key).unwrap();
            if let Ok(event) = self.codec.decode_event(&record.value) {
                fold_record(&mut states, &params, user, &Input::Event(event), record.position);
            }
            states.last = Some(record.position);
        }
        states
    }

    /// What the confidence service records of a signal when the row covers the journal up to `end`.
    pub(crate) fn decided(&self, signal: SignalReceived<'static>, end: u64) -> DecisionMade<'static> {
        let (control_offset, control) = self.control();
        let scoring = control.settings.scoring.unwrap();
        let generations = control.settings.generations.unwrap();
        let folded = self.folded(&generations.set, partition(&signal.user_id), end);
        let row = folded.books.get(&(signal.user_id.to_string(), signal.symbol.to_string()));
        let empty = Book::default();
        let prepared = scoring.model.prepare(row.unwrap_or(&empty), signal.strategy.as_deref());
        let score = scoring.model.score(&prepared, &signal.model_features());
        let decision_id = decision_id(&signal.user_id, signal.event_id);
        let choice = scoring.policy.decide(score.confidence, decision_id);
        DecisionMade {
            decision_id,
            decided_at: TimestampUs(5),
            generation: generations.book_fingerprint.clone().into(),
            row_found: row.is_some(),
            applied: row.map_or(folded.last, Book::applied),
            control_offset,
            model: setting(&scoring.published_model.name, scoring.published_model.version, &scoring.model_digest),
            policy: setting(&scoring.published_policy.name, scoring.published_policy.version, &scoring.policy_digest),
            experiment: None,
            arm: None,
            confidence: score.confidence,
            interval_low: score.interval_low,
            interval_high: score.interval_high,
            novelty: score.novelty,
            experiences: score.experiences,
            action: choice.action,
            propensity: choice.propensity,
            signal,
        }
    }

    pub(crate) fn end(&self, user: &str) -> u64 {
        *self.log.durable_end(Topic::Journal, partition(user)).borrow()
    }

    fn control(&self) -> (u64, ControlState) {
        let mut records = Vec::new();
        self.log.read(Topic::Control, 0, 0, ALL, &mut records).unwrap();
        let mut state = ControlState::default();
        for record in &records {
            state.apply(record);
        }
        (records.last().unwrap().offset, state)
    }
}

fn setting(name: &str, version: u32, digest: &str) -> SettingRef<'static> {
    SettingRef { name: name.to_owned().into(), version, digest: digest.to_owned().into() }
}

pub(crate) fn partition(user: &str) -> u16 {
    partition_of(user.as_bytes(), PARTITIONS)
}

/// States by plain keys.
#[derive(Default)]
pub(crate) struct Folded {
    pub(crate) admissions: BTreeMap<String, Admission>,
    pub(crate) books: BTreeMap<(String, String), Book>,
    pub(crate) activities: BTreeMap<(String, i32), Activity>,
    pub(crate) last: Option<Position>,
}

impl States for Folded {
    fn admission(&mut self, user: &str) -> &mut Admission {
        self.admissions.entry(user.to_owned()).or_default()
    }

    fn book(&mut self, user: &str, symbol: &str) -> &mut Book {
        self.books.entry((user.to_owned(), symbol.to_owned())).or_default()
    }

    fn activity(&mut self, user: &str, day: i32) -> &mut Activity {
        self.activities.entry((user.to_owned(), day)).or_default()
    }
}

pub(crate) fn signal(user: &str, symbol: &str, row: u32) -> SignalReceived<'static> {
    let at = TimestampUs(i64::from(row) * 3_600_000_000);
    SignalReceived {
        event_id: Uuid::from_u64_pair(1, u64::from(row)),
        user_id: user.to_owned().into(),
        symbol: symbol.to_owned().into(),
        strategy: (row.is_multiple_of(2)).then(|| "fade".into()),
        occurred_at: at,
        received_at: at,
        import: None,
        side: if row % 5 < 3 { Side::Long } else { Side::Short },
        price_e9: Some(MoneyE9(6_500_000_000_000)),
        rsi: Some(f64::from(row * 37 % 100)),
        vwap_e9: None,
        vwap_distance_percent: None,
        vwap_distance_abs_percent: Some(f64::from(row % 7) / 10.0),
        volume: None,
        atr: Some(1.5),
        volume_ratio: (!row.is_multiple_of(4)).then_some(1.0 + f64::from(row % 9) / 10.0),
        features: Vec::new(),
        spread: None,
        session: None,
    }
}

pub(crate) fn trade(signal: &SignalReceived<'static>, won: bool) -> TradeClosed<'static> {
    TradeClosed {
        event_id: Uuid::from_u64_pair(2, signal.event_id.as_u64_pair().1),
        user_id: signal.user_id.clone(),
        symbol: signal.symbol.clone(),
        strategy: signal.strategy.clone(),
        occurred_at: signal.occurred_at,
        received_at: signal.received_at,
        import: None,
        signal_id: None,
        decision_id: None,
        side: signal.side,
        quantity: None,
        entry_price_e9: MoneyE9(6_500_000_000_000),
        exit_price_e9: MoneyE9(6_501_000_000_000),
        pnl_e9: MoneyE9(if won { 50_000_000_000 } else { -50_000_000_000 }),
        entry_time: None,
        exit_time: None,
        entry_vwap_e9: None,
        entry_rsi: signal.rsi,
        exit_vwap_e9: None,
        exit_rsi: None,
        exit_reason: None,
        max_adverse_e9: None,
        max_favourable_e9: None,
        simulated: false,
        fees_e9: None,
    }
}

/// A log as the tools take it.
pub(crate) fn shared(world: &World) -> Arc<dyn Log> {
    Arc::new(world.log.clone())
}
