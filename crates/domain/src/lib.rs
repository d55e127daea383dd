//! Identifiers, exact money, positions, instruments and partitioning: pure values, no I/O.
//!
//! Everything that enters Hindcast is turned into these types once, at the edge; behind the edge nothing is
//! validated again.

pub mod features;
pub mod ids;
pub mod instruments;
pub mod money;
pub mod partition;
pub mod position;
pub mod side;
pub mod time;

pub use features::Features;
pub use ids::{EventKind, InvalidId, Symbol, UserId, decision_id, void_event_id};
pub use instruments::{Instrument, Instruments};
pub use money::{InvalidAmount, MoneyE9};
pub use partition::partition_of;
pub use position::{InvalidPosition, Position};
pub use side::Side;
pub use time::TimestampUs;
