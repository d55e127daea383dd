//! Books made by hand.

use hindcast_domain::{Features, MoneyE9, Position, Side, TimestampUs};
use hindcast_fold::book::{Book, ClosedTrade, Regime};
use uuid::Uuid;

pub(crate) fn features(side: Side, rsi: f64, distance: f64, hour: f64) -> Features {
    Features {
        side,
        rsi: Some(rsi),
        vwap_distance_abs_percent: Some(distance),
        atr: Some(1.0 + rsi / 100.0),
        volume_ratio: Some(1.0 + distance),
        hour,
        spread: None,
    }
}

/// A book of trades taken without a strategy: what the signal looked like and whether the trade won.
pub(crate) fn book_of(trades: &[(Features, bool)]) -> Book {
    let mut book = Book::default();
    for (index, (features, won)) in trades.iter().enumerate() {
        let pnl_e9 = if *won { 50_000_000_000 } else { -25_000_000_000 };
        book.taken.trades += 1;
        book.taken.wins += u64::from(*won);
        book.taken.pnl_e9 += i128::from(pnl_e9);
        book.ring.push_back(ClosedTrade {
            position: Position { epoch: 0, partition: 0, offset: index as u64 + 1 },
            event_id: Uuid::from_u128(index as u128),
            occurred_at: TimestampUs(0),
            strategy: None,
            own_strategy: None,
            entry_price_e9: MoneyE9(6_500_000_000_000),
            pnl_e9: MoneyE9(pnl_e9),
            simulated: false,
            features: (*features).into(),
            regime: Regime::NONE,
            signal: None,
            missed_decision: None,
            missed_signal: None,
        });
    }
    book
}

/// A book in which trades below RSI 50 win and the others lose, whatever else they are.
pub(crate) fn low_rsi_wins(trades: u32) -> Book {
    let trades: Vec<_> = (0..trades)
        .map(|i| {
            let rsi = f64::from(i * 37 % 100);
            let side = if i % 3 == 0 { Side::Short } else { Side::Long };
            (features(side, rsi, f64::from(i * 13 % 20) / 40.0, f64::from(i * 7 % 24)), rsi < 50.0)
        })
        .collect();
    book_of(&trades)
}
