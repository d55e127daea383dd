//! Counting trades, and taking one back.

use hindcast_domain::MoneyE9;

/// Takes a trade out of counts and a sum, by what its void says of it.
///
/// Where nothing is left to take back, the void speaks of a trade that was never counted here: then nothing changes.
/// Wins never outnumber trades, even if a void's amount has another sign than its trade's had.
pub(crate) fn take_back(trades: &mut u64, wins: &mut u64, pnl_sum_e9: &mut i128, pnl_e9: MoneyE9) {
    let Some(left) = trades.checked_sub(1) else { return };
    *trades = left;
    if pnl_e9 > MoneyE9::ZERO {
        *wins = wins.saturating_sub(1);
    }
    *wins = (*wins).min(left);
    *pnl_sum_e9 -= i128::from(pnl_e9.0);
}
