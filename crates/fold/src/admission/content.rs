//! The hash of what a client said.

use hindcast_domain::{MoneyE9, Side, TimestampUs};
use hindcast_schemas::{Event, ExitReason, SignalReceived, TradeClosed};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Hash of what the client said, to tell a repeated event from another one under the same id.
///
/// What ingress adds does not count: not the id, not `received_at`, not `occurred_at` where the client sent none (then
/// it equals `received_at`), not the place in an import, not what a void repeats of its trade. The hash stands in rows
/// of the admission: it never changes within a fold version.
#[must_use]
pub fn content_hash(event: &Event<'_>) -> u64 {
    let mut content = Content { block: [[0; 8]; BLOCK_WORDS], filled: 0, hash: 0 };
    let client_time = Some(event.occurred_at()).filter(|occurred_at| *occurred_at != event.received_at());
    match event {
        Event::Signal(signal) => content.signal(signal, client_time),
        Event::Trade(trade) => content.trade(trade, client_time),
        Event::Void(void) => {
            content.numbers([3, 0, 0, 0], [time(client_time)]);
            content.text(Some(&void.symbol));
            content.id(Some(void.trade_event_id));
            content.text(void.reason.as_deref());
        }
    }
    content.finish()
}

/// Long enough for nearly every event to be hashed in one go.
const BLOCK_WORDS: usize = 32;

type Word = [u8; 8];

/// Collects words in a block; a full block is hashed with the hash of those before as its seed.
struct Content {
    block: [Word; BLOCK_WORDS],
    filled: usize,
    hash: u64,
}

impl Content {
    #[inline]
    fn word(&mut self, word: Word) {
        if self.filled == BLOCK_WORDS {
            self.hash = xxh3_64_with_seed(self.block.as_flattened(), self.hash);
            self.filled = 0;
        }
        if let Some(place) = self.block.get_mut(self.filled) {
            *place = word;
            self.filled += 1;
        }
    }

    fn finish(self) -> u64 {
        let filled = self.block.get(..self.filled).unwrap_or_default();
        xxh3_64_with_seed(filled.as_flattened(), self.hash)
    }

    fn signal(&mut self, signal: &SignalReceived<'_>, client_time: Option<TimestampUs>) {
        self.numbers(
            [1, side(signal.side), 0, 0],
            [
                time(client_time),
                money(signal.price_e9),
                float(signal.rsi),
                money(signal.vwap_e9),
                float(signal.vwap_distance_percent),
                float(signal.vwap_distance_abs_percent),
                float(signal.volume),
                float(signal.atr),
                float(signal.volume_ratio),
            ],
        );
        self.text(Some(&signal.symbol));
        self.text(signal.strategy.as_deref());
        for (name, value) in &signal.features {
            self.text(Some(name));
            self.word(value.to_le_bytes());
        }
        // What came with version 2: a signal without it hashes as before.
        if signal.spread.is_some() || signal.session.is_some() {
            self.numbers([4, 0, 0, 0], [float(signal.spread)]);
            self.text(signal.session.as_deref());
        }
    }

    fn trade(&mut self, trade: &TradeClosed<'_>, client_time: Option<TimestampUs>) {
        self.numbers(
            [2, side(trade.side), trade.exit_reason.map_or(0, exit_reason), trade.simulated.into()],
            [
                time(client_time),
                float(trade.quantity),
                money(Some(trade.entry_price_e9)),
                money(Some(trade.exit_price_e9)),
                money(Some(trade.pnl_e9)),
                time(trade.entry_time),
                time(trade.exit_time),
                money(trade.entry_vwap_e9),
                float(trade.entry_rsi),
                money(trade.exit_vwap_e9),
                float(trade.exit_rsi),
                money(trade.max_adverse_e9),
                money(trade.max_favourable_e9),
            ],
        );
        self.text(Some(&trade.symbol));
        self.text(trade.strategy.as_deref());
        self.id(trade.signal_id);
        self.id(trade.decision_id);
        if trade.fees_e9.is_some() {
            self.numbers([5, 0, 0, 0], [money(trade.fees_e9)]);
        }
    }

    /// Small values and which of the numbers are there in one word, then those that are.
    #[inline]
    fn numbers<const N: usize>(&mut self, small: [u8; 4], numbers: [Option<Word>; N]) {
        let there = numbers.iter().fold(1_u32, |there, number| there << 1 | u32::from(number.is_some()));
        let [a, b, c, d] = small;
        let [e, f, g, h] = there.to_le_bytes();
        self.word([a, b, c, d, e, f, g, h]);
        for number in numbers.into_iter().flatten() {
            self.word(number);
        }
    }

    fn text(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.word([u8::MAX; 8]) };
        self.word(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        let (words, rest) = text.as_bytes().as_chunks::<8>();
        for word in words {
            self.word(*word);
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            for (place, byte) in last.iter_mut().zip(rest) {
                *place = *byte;
            }
            self.word(last);
        }
    }

    fn id(&mut self, id: Option<Uuid>) {
        match id {
            None => self.word([0; 8]),
            Some(id) => {
                self.word([1, 0, 0, 0, 0, 0, 0, 0]);
                let (high, low) = id.as_u64_pair();
                self.word(high.to_be_bytes());
                self.word(low.to_be_bytes());
            }
        }
    }
}

#[inline]
fn float(value: Option<f64>) -> Option<Word> {
    value.map(f64::to_le_bytes)
}

#[inline]
fn money(value: Option<MoneyE9>) -> Option<Word> {
    value.map(|value| value.0.to_le_bytes())
}

#[inline]
fn time(value: Option<TimestampUs>) -> Option<Word> {
    value.map(|value| value.0.to_le_bytes())
}

fn side(side: Side) -> u8 {
    match side {
        Side::Long => 1,
        Side::Short => 2,
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
