//! The hash of what a client said.

use hindcast_domain::{MoneyE9, TimestampUs};
use hindcast_schemas::{Event, ExitReason, SignalReceived, TradeClosed};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Hash of what the client said, to tell a repeated event from another one under the same id.
///
/// What ingress adds does not count: not the id, not `received_at`, not `occurred_at` where the client sent none (then
/// it equals `received_at`), not the place in an import, not what a void repeats of its trade. The hash stands in rows
/// of the admission: it never changes within a fold version.
#[must_use]
pub fn content_hash(event: &Event<'_>) -> u64 {
    let mut content = Content { block: [0; BLOCK_BYTES], filled: 0, hash: 0 };
    content.put(&[event.kind().code()]);
    content.text(Some(event.symbol()));
    content.time((event.occurred_at() != event.received_at()).then(|| event.occurred_at()));
    match event {
        Event::Signal(signal) => content.signal(signal),
        Event::Trade(trade) => content.trade(trade),
        Event::Void(void) => {
            content.put(void.trade_event_id.as_bytes());
            content.text(void.reason.as_deref());
        }
    }
    content.finish()
}

/// Long enough for nearly every event to be hashed in one go.
const BLOCK_BYTES: usize = 512;

/// Collects bytes in a block; a full block is hashed with the hash of those before as its seed.
struct Content {
    block: [u8; BLOCK_BYTES],
    filled: usize,
    hash: u64,
}

impl Content {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        match self.block.get_mut(self.filled..self.filled + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.put_over_the_end(bytes),
        }
    }

    fn put_over_the_end(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let free = self.block.get_mut(self.filled..).unwrap_or_default();
            let taken = free.len().min(bytes.len());
            let (now, later) = bytes.split_at(taken);
            if let Some(place) = free.get_mut(..taken) {
                place.copy_from_slice(now);
            }
            self.filled += taken;
            bytes = later;
            if self.filled == BLOCK_BYTES {
                self.hash = xxh3_64_with_seed(&self.block, self.hash);
                self.filled = 0;
            }
        }
    }

    fn finish(self) -> u64 {
        xxh3_64_with_seed(self.block.get(..self.filled).unwrap_or_default(), self.hash)
    }

    #[inline]
    fn optional(&mut self, value: Option<[u8; 8]>) {
        match value {
            None => self.put(&[0]),
            Some(value) => {
                let mut tagged = [1; 9];
                let (_, bytes) = tagged.split_at_mut(1);
                bytes.copy_from_slice(&value);
                self.put(&tagged);
            }
        }
    }

    fn text(&mut self, value: Option<&str>) {
        match value {
            None => self.put(&[0]),
            Some(text) => {
                self.optional(Some(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes()));
                self.put(text.as_bytes());
            }
        }
    }

    fn float(&mut self, value: Option<f64>) {
        self.optional(value.map(|value| value.to_bits().to_le_bytes()));
    }

    fn money(&mut self, value: Option<MoneyE9>) {
        self.optional(value.map(|value| value.0.to_le_bytes()));
    }

    fn time(&mut self, value: Option<TimestampUs>) {
        self.optional(value.map(|value| value.0.to_le_bytes()));
    }

    fn id(&mut self, value: Option<uuid::Uuid>) {
        match value {
            None => self.put(&[0]),
            Some(id) => {
                self.put(&[1]);
                self.put(id.as_bytes());
            }
        }
    }

    fn signal(&mut self, signal: &SignalReceived<'_>) {
        self.text(signal.strategy.as_deref());
        self.put(&[side(signal.side)]);
        self.money(signal.price_e9);
        self.float(signal.rsi);
        self.money(signal.vwap_e9);
        self.float(signal.vwap_distance_percent);
        self.float(signal.vwap_distance_abs_percent);
        self.float(signal.volume);
        self.float(signal.atr);
        self.float(signal.volume_ratio);
        for (name, value) in &signal.features {
            self.text(Some(name));
            self.float(Some(*value));
        }
    }

    fn trade(&mut self, trade: &TradeClosed<'_>) {
        self.text(trade.strategy.as_deref());
        self.id(trade.signal_id);
        self.id(trade.decision_id);
        self.put(&[side(trade.side)]);
        self.float(trade.quantity);
        self.money(Some(trade.entry_price_e9));
        self.money(Some(trade.exit_price_e9));
        self.money(Some(trade.pnl_e9));
        self.time(trade.entry_time);
        self.time(trade.exit_time);
        self.money(trade.entry_vwap_e9);
        self.float(trade.entry_rsi);
        self.money(trade.exit_vwap_e9);
        self.float(trade.exit_rsi);
        self.put(&[trade.exit_reason.map_or(0, exit_reason)]);
        self.money(trade.max_adverse_e9);
        self.money(trade.max_favourable_e9);
        self.put(&[u8::from(trade.simulated)]);
    }
}

fn side(side: hindcast_domain::Side) -> u8 {
    match side {
        hindcast_domain::Side::Long => 1,
        hindcast_domain::Side::Short => 2,
    }
}

fn exit_reason(reason: ExitReason) -> u8 {
    match reason {
        ExitReason::Target => 1,
        ExitReason::Stop => 2,
        ExitReason::Time => 3,
        ExitReason::Signal => 4,
        ExitReason::Session => 5,
        ExitReason::Manual => 6,
        ExitReason::Other => 7,
    }
}
