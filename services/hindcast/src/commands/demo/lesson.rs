//! What a demo learned: what the service's own views say of each user, and how well confidence foretold the outcome.

use std::time::Duration;

use comfy_table::Table;
use futures::future::try_join_all;
use hindcast_domain::MoneyE9;
use hindcast_replay_tools::walk_forward::Bin;
use serde::{Deserialize, Serialize};

use super::trader::Trader;
use crate::{
    client::Call,
    exit::Failure,
    report::{
        forecast::{Brier, Forecast, bins},
        reliability,
        table::{dollars, percent, table, thousands},
    },
};

/// Signals of each user and symbol that count as its beginning.
const BEGINNING: usize = 50;

/// What a demo learned.
#[derive(Debug, Serialize)]
pub(super) struct Lesson {
    bars: u64,
    seconds: f64,
    users: Vec<UserLesson>,
    /// Of all signals whose trade has closed.
    foretold: Option<Brier>,
    /// The same of the first signals of each user and symbol, when there was next to nothing to learn from.
    beginnings: Option<Brier>,
    /// The same of the earlier half of the signals.
    earlier_half: Option<Brier>,
    /// And of the later half.
    later_half: Option<Brier>,
    reliability: Vec<Bin>,
}

/// One user and symbol, as the service's view tells it.
#[derive(Debug, Serialize)]
struct UserLesson {
    user: String,
    symbol: String,
    strategy: &'static str,
    #[serde(flatten)]
    view: View,
    foretold: Option<Brier>,
}

#[derive(Debug, Serialize, Deserialize)]
struct View {
    trades: u64,
    wins: u64,
    win_rate: Option<f64>,
    total_pnl: f64,
    simulated_trades: u64,
    simulated_wins: u64,
    signals: u64,
}

impl Lesson {
    /// Reads the views, each covering the user's last trade, and judges the forecasts.
    pub(super) async fn of(traders: &[Trader], bars: u64, took: Duration) -> Result<Self, Failure> {
        let users = try_join_all(traders.iter().map(|trader| async move {
            let path = format!("/v1/views/{}?recent=0", trader.symbol());
            let call = Call::get(path).after(trader.last_trade());
            let view = trader.client().fetch(&call).await?;
            Ok::<_, Failure>(UserLesson {
                user: trader.user().to_owned(),
                symbol: trader.symbol().to_owned(),
                strategy: trader.strategy(),
                view,
                foretold: Brier::of(trader.forecasts().iter().map(|(_, forecast)| forecast)),
            })
        }))
        .await?;
        let all = in_order(traders);
        let beginnings = traders.iter().flat_map(|trader| trader.forecasts().iter().take(BEGINNING).map(|(_, f)| f));
        let (earlier, later) = all.split_at(all.len() / 2);
        Ok(Self {
            bars,
            seconds: took.as_secs_f64(),
            users,
            foretold: Brier::of(&all),
            beginnings: Brier::of(beginnings),
            earlier_half: Brier::of(earlier),
            later_half: Brier::of(later),
            reliability: bins(&all),
        })
    }

    /// The same for people.
    pub(super) fn told(&self) -> String {
        let users = self.users_told();
        let judged = self.judged_told();
        format!(
            "\n{} bars in {:.1} s. What the views say:\n\n{users}\n\n\
             How well confidence foretold the outcome (Brier score: 0 is an oracle, 0.25 a coin):\n\n{judged}\n\n\
             Reliability\n{}",
            thousands(self.bars),
            self.seconds,
            reliability::chart(&self.reliability)
        )
    }

    fn users_told(&self) -> Table {
        let header = ["user", "symbol", "strategy", "signals", "taken", "won", "pnl, USD", "skipped", "would have won"];
        let mut users = table(header, 3);
        for UserLesson { user, symbol, strategy, view, .. } in &self.users {
            users.add_row([
                user.clone(),
                symbol.clone(),
                (*strategy).to_owned(),
                thousands(view.signals),
                thousands(view.trades),
                rate(view.wins, view.trades),
                dollars_of(view.total_pnl),
                thousands(view.simulated_trades),
                rate(view.simulated_wins, view.simulated_trades),
            ]);
        }
        users
    }

    fn judged_told(&self) -> Table {
        let mut judged = table(["signals", "number", "confidence", "running base rate", "gain"], 1);
        let beginnings = format!("the first {BEGINNING} of each");
        let rows = [
            (beginnings.as_str(), self.beginnings),
            ("earlier half", self.earlier_half),
            ("later half", self.later_half),
            ("all", self.foretold),
        ];
        for (name, Brier { n, brier, base_brier, gain }) in rows.into_iter().filter_map(|(name, b)| Some((name, b?))) {
            let number = thousands(u64::try_from(n).unwrap_or(u64::MAX));
            let [brier, base_brier] = [brier, base_brier].map(|score| format!("{score:.4}"));
            judged.add_row([name, &number, &brier, &base_brier, &format!("{gain:+.4}")]);
        }
        judged
    }
}

fn rate(won: u64, of: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // counts of a demo
    if of == 0 { "-".to_owned() } else { percent(won as f64 / of as f64) }
}

fn dollars_of(amount: f64) -> String {
    MoneyE9::from_f64(amount).map_or_else(|_| amount.to_string(), |amount| dollars(i128::from(amount.0)))
}

/// One line for the progress bar.
pub(super) fn so_far(traders: &[Trader]) -> String {
    match Brier::of(&in_order(traders)) {
        None => String::new(),
        Some(brier) => format!(
            "{} trades, gain over base rate {:+.4}",
            thousands(u64::try_from(brier.n).unwrap_or(u64::MAX)),
            brier.gain
        ),
    }
}

/// All forecasts by the time of their signal.
fn in_order(traders: &[Trader]) -> Vec<Forecast> {
    let mut all: Vec<_> = traders.iter().flat_map(|trader| trader.forecasts().iter().copied()).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, forecast)| forecast).collect()
}
