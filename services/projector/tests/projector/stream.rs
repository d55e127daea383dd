//! A random journal with everything in it that a journal may hold.

use std::{borrow::Cow, sync::Arc};

use hindcast_domain::{MoneyE9, Position, Side, TimestampUs, partition_of, void_event_id};
use hindcast_journal::{Log, NewRecord, RecordType, Topic};
use hindcast_schemas::{Codec, Event, ImportPlace, LocalRegistry, SignalReceived, TradeClosed, TradeVoided};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// Appends records of many users to a log.
pub(crate) struct Stream {
    log: Arc<dyn Log>,
    codec: Codec,
    random: StdRng,
    users: u32,
    appended: Vec<(NewRecord, Position)>,
    trades: Vec<(TradeClosed<'static>, Position)>,
    /// Positions of records that no fold can use, where that is certain.
    pub(crate) unusable: Vec<Position>,
}

impl Stream {
    pub(crate) fn new(log: Arc<dyn Log>, seed: u64, users: u32) -> Self {
        let codec = Codec::new(LocalRegistry).unwrap();
        let random = StdRng::seed_from_u64(seed);
        Self { log, codec, random, users, appended: Vec::new(), trades: Vec::new(), unusable: Vec::new() }
    }

    /// Appends some more records.
    pub(crate) async fn append(&mut self, records: usize) {
        self.append_if(records, |_| true).await;
    }

    /// Appends up to so many more records, none of them to a partition.
    pub(crate) async fn append_except(&mut self, partition: u16, records: usize) {
        self.append_if(records, |record| record.partition != partition).await;
    }

    async fn append_if(&mut self, records: usize, is_wanted: impl Fn(&NewRecord) -> bool) {
        for _ in 0..records {
            let record = self.next();
            if !is_wanted(&record) {
                continue;
            }
            let position = self.log.append(vec![record.clone()]).await.unwrap()[0];
            if matches!(&record.value[..], b"rubbish") || record.key.len() < 5 {
                self.unusable.push(position);
            }
            if let Ok(Event::Trade(trade)) = self.codec.decode_event(&record.value.clone())
                && *record.key == *trade.user_id.as_bytes()
            {
                self.trades.push((owned(&trade), position));
            }
            self.appended.push((record, position));
        }
    }

    fn next(&mut self) -> NewRecord {
        let user = format!("user-{:03}", self.random.random_range(0..self.users));
        match self.random.random_range(0..100) {
            0..45 => {
                let signal = self.signal(&user);
                self.event(&user, &Event::Signal(signal))
            }
            45..80 => {
                let trade = self.trade(&user);
                self.event(&user, &Event::Trade(trade))
            }
            80..88 if !self.appended.is_empty() => {
                // The very same record again.
                let index = self.random.random_range(0..self.appended.len());
                self.appended[index].0.clone()
            }
            88..93 if !self.trades.is_empty() => {
                let index = self.random.random_range(0..self.trades.len());
                let (trade, position) = self.trades[index].clone();
                let user = trade.user_id.to_string();
                self.event(&user, &Event::Void(void(&trade, position)))
            }
            93..95 if !self.trades.is_empty() => {
                // Another content under an id that was used.
                let index = self.random.random_range(0..self.trades.len());
                let mut trade = self.trades[index].0.clone();
                trade.pnl_e9 = MoneyE9(self.random.random_range(-9_000_000_000_i64..9_000_000_000));
                let user = trade.user_id.to_string();
                self.event(&user, &Event::Trade(trade))
            }
            95 => {
                let signal = self.signal("somebody-else");
                let record = self.event(&user, &Event::Signal(signal));
                NewRecord { key: user.as_bytes().into(), partition: self.partition(&user), ..record }
            }
            96 => self.record(&user, RecordType::Signal, b"rubbish".to_vec()),
            97 => self.record(&user, RecordType::Unknown, b"rubbish".to_vec()),
            _ => {
                let trade = self.trade("abc");
                self.event("abc", &Event::Trade(trade))
            }
        }
    }

    fn event(&self, user: &str, event: &Event<'_>) -> NewRecord {
        let mut value = Vec::new();
        self.codec.encode_event(event, &mut value).unwrap();
        let record_type = match event {
            Event::Signal(_) => RecordType::Signal,
            Event::Trade(_) => RecordType::Trade,
            Event::Void(_) => RecordType::Void,
        };
        self.record(user, record_type, value)
    }

    fn record(&self, user: &str, record_type: RecordType, value: Vec<u8>) -> NewRecord {
        NewRecord {
            topic: Topic::Journal,
            partition: self.partition(user),
            key: user.as_bytes().into(),
            record_type,
            timestamp_us: 1_760_000_000_000_000,
            traceparent: None,
            value,
        }
    }

    fn partition(&self, user: &str) -> u16 {
        partition_of(user.as_bytes(), self.log.identity().partitions)
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u128(self.random.random())
    }

    fn symbol(&mut self) -> Cow<'static, str> {
        ["ES", "NQ", "CL"][self.random.random_range(0..3)].into()
    }

    /// Mostly the next hours, sometimes months ago.
    fn time(&mut self) -> TimestampUs {
        let hours = match self.random.random_range(0..10) {
            0 => self.random.random_range(-3_000..0),
            _ => self.appended.len() as i64 / 20 + self.random.random_range(0..3),
        };
        TimestampUs(1_760_000_000_000_000 + hours * 3_600_000_000)
    }

    fn import(&mut self) -> Option<ImportPlace<'static>> {
        (self.random.random_range(0..6) == 0).then(|| ImportPlace {
            source: format!("file-{}", self.random.random_range(0..2)).into(),
            sequence: self.random.random_range(0..200),
        })
    }

    fn strategy(&mut self) -> Option<Cow<'static, str>> {
        [None, Some("fade".into()), Some("trend".into())][self.random.random_range(0..3)].clone()
    }

    fn side(&mut self) -> Side {
        if self.random.random_bool(0.5) { Side::Long } else { Side::Short }
    }

    fn signal(&mut self, user: &str) -> SignalReceived<'static> {
        let at = self.time();
        SignalReceived {
            event_id: self.uuid(),
            user_id: user.to_owned().into(),
            symbol: self.symbol(),
            strategy: self.strategy(),
            occurred_at: at,
            received_at: at,
            import: self.import(),
            side: self.side(),
            price_e9: Some(MoneyE9(self.random.random_range(1..8) * 1_000_000_000)),
            rsi: Some(self.random.random_range(0.0..100.0)),
            vwap_e9: None,
            vwap_distance_percent: None,
            vwap_distance_abs_percent: Some(self.random.random_range(0.0..2.0)),
            volume: None,
            atr: Some(1.5),
            volume_ratio: None,
            features: Vec::new(),
            spread: None,
            session: None,
        }
    }

    fn trade(&mut self, user: &str) -> TradeClosed<'static> {
        let at = self.time();
        TradeClosed {
            event_id: self.uuid(),
            user_id: user.to_owned().into(),
            symbol: self.symbol(),
            strategy: self.strategy(),
            occurred_at: at,
            received_at: at,
            import: self.import(),
            signal_id: None,
            decision_id: None,
            side: self.side(),
            quantity: None,
            entry_price_e9: MoneyE9(self.random.random_range(1..8) * 1_000_000_000),
            exit_price_e9: MoneyE9(5_000_000_000),
            pnl_e9: MoneyE9(self.random.random_range(-9_000_000_000_i64..9_000_000_000)),
            entry_time: None,
            exit_time: None,
            entry_vwap_e9: None,
            entry_rsi: Some(self.random.random_range(0.0..100.0)),
            exit_vwap_e9: None,
            exit_rsi: None,
            exit_reason: None,
            max_adverse_e9: None,
            max_favourable_e9: None,
            simulated: self.random.random_bool(0.2),
            fees_e9: None,
        }
    }
}

fn owned(trade: &TradeClosed<'_>) -> TradeClosed<'static> {
    TradeClosed {
        user_id: trade.user_id.to_string().into(),
        symbol: trade.symbol.to_string().into(),
        strategy: trade.strategy.as_ref().map(|name| name.to_string().into()),
        import: trade
            .import
            .as_ref()
            .map(|place| ImportPlace { source: place.source.to_string().into(), sequence: place.sequence }),
        ..*trade
    }
}

fn void(trade: &TradeClosed<'static>, position: Position) -> TradeVoided<'static> {
    TradeVoided {
        event_id: void_event_id(&trade.user_id, trade.event_id),
        user_id: trade.user_id.clone(),
        symbol: trade.symbol.clone(),
        strategy: trade.strategy.clone(),
        occurred_at: trade.occurred_at,
        received_at: trade.received_at,
        trade_event_id: trade.event_id,
        trade_position: position,
        trade_occurred_at: trade.occurred_at,
        trade_pnl_e9: trade.pnl_e9,
        trade_simulated: trade.simulated,
        reason: None,
    }
}
