//! What a day counts.

use crate::{
    events::{IntoEvent, NOON_ISH, TODAY, TradeSays, at, signal, trade},
    world::given,
};

#[test]
fn a_day_counts_signals_trades_and_money() {
    given([
        signal(1).event(),
        signal(2).event(),
        trade(3).pnl(10.0).event(),
        trade(4).pnl(-4.0).event(),
        trade(5).simulated().event(),
    ])
    .when_voided(4)
    .when_voided(5)
    .then(|world| {
        let today = world.today();
        assert_eq!(NOON_ISH.day(), TODAY);
        assert_eq!((today.signals, today.trades, today.wins), (2, 1, 1));
        assert_eq!((today.simulated, today.voided, today.pnl_e9), (0, 2, 10_000_000_000));
        assert_eq!(today.applied(), Some(at(6)));
    });
}

#[test]
fn days_are_those_of_the_clients_time() {
    given([trade(1), trade(2).days_later(1), trade(3).days_later(-20_500)]).then(|world| {
        let days: Vec<_> = world.memory.activities.keys().map(|(_, day)| *day).collect();
        assert_eq!(days, [TODAY - 20_500, TODAY, TODAY + 1]);
    });
}
