//! What a demo learned: what the service's own views say of each user, and how well confidence foretold the outcome.

use std::time::Duration;

use futures::future::try_join_all;
use hindcast_replay_tools::walk_forward::Bin;
use serde::{Deserialize, Serialize};

use super::trader::Trader;
use crate::{
    client::Call,
    exit::Failure,
    report::{
        forecast::{Brier, Forecast, bins},
        reliability,
        table::{percent, table, thousands},
    },
};

/// What a demo learned.
#[derive(Debug, Serialize)]
pub(super) struct Lesson {
    bars: u64,
    seconds: f64,
    users: Vec<UserLesson>,
    /// Of all signals whose trade has closed.
    foretold: Option<Brier>,
    /// The same of the earlier half of the signals, when there was little to learn from.
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
            let view = trader.client().fetch(&call).await.map_err(Failure::failed)?;
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
        let (earlier, later) = all.split_at(all.len() / 2);
        Ok(Self {
            bars,
            seconds: took.as_secs_f64(),
            users,
            foretold: Brier::of(&all),
            earlier_half: Brier::of(earlier),
            later_half: Brier::of(later),
            reliability: bins(&all),
        })
    }

    pub(super) fn print_json(&self) -> Result<(), Failure> {
        println!("{}", serde_json::to_string(self).map_err(Failure::failed)?);
        Ok(())
    }

    pub(super) fn print(&self) {
        println!("\n{} bars in {:.1} s. What the views say:\n", thousands(self.bars), self.seconds);
        let header = ["user", "symbol", "strategy", "signals", "taken", "won", "pnl, USD", "skipped", "would have won"];
        let mut users = table(header, 3);
        for user in &self.users {
            let view = &user.view;
            let rate = |won: u64, of: u64| {
                if of == 0 { "-".to_owned() } else { percent(ratio(won, of)) }
            };
            users.add_row([
                user.user.clone(),
                user.symbol.clone(),
                user.strategy.to_owned(),
                thousands(view.signals),
                thousands(view.trades),
                rate(view.wins, view.trades),
                format!("{:.2}", view.total_pnl),
                thousands(view.simulated_trades),
                rate(view.simulated_wins, view.simulated_trades),
            ]);
        }
        println!("{users}\n\nHow well confidence foretold the outcome (Brier score: 0 is an oracle, 0.25 a coin):\n");
        let header = ["signals", "number", "confidence", "running base rate", "gain"];
        let mut judged = table(header, 1);
        let rows = [("all", self.foretold), ("earlier half", self.earlier_half), ("later half", self.later_half)];
        for (name, brier) in rows {
            if let Some(brier) = brier {
                judged.add_row([
                    name.to_owned(),
                    thousands(u64::try_from(brier.n).unwrap_or(u64::MAX)),
                    format!("{:.4}", brier.brier),
                    format!("{:.4}", brier.base_brier),
                    format!("{:+.4}", brier.gain),
                ]);
            }
        }
        println!("{judged}\n");
        print!("{}", reliability::chart(&self.reliability));
    }
}

/// One line for the progress bar.
pub(super) fn so_far(traders: &[Trader]) -> String {
    match Brier::of(&in_order(traders)) {
        None => String::new(),
        Some(brier) => format!("{} trades, gain over base rate {:+.4}", thousands(brier.n as u64), brier.gain),
    }
}

/// All forecasts by the time of their signal.
fn in_order(traders: &[Trader]) -> Vec<Forecast> {
    let mut all: Vec<_> = traders.iter().flat_map(|trader| trader.forecasts().iter().copied()).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, forecast)| forecast).collect()
}

#[allow(clippy::cast_precision_loss)] // counts of a demo
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
