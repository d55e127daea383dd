//! JSON bodies of signals and trades: validation, and the typed events made of them.
//!
//! A body is read once, field by field: text is borrowed from it, and every fault is collected on the way, so that a
//! client is told all of them together. Rules that all bodies share:
//! - an optional field may be left out or null;
//! - a name given twice is a fault, and so is a name that no field has (but on the old routes);
//! - money is a JSON number, rounded half-even to 1e-9, or a decimal string, exact;
//! - times are RFC 3339, kept to the microsecond.

mod batch;
mod features;
mod import;
pub mod invalid;
mod item;
pub mod legacy;
mod object;
pub mod requests;
mod rules;
mod signal;
mod stamp;
mod trade;
mod value;
mod void;

pub use batch::{MAX_ITEMS, split_array, split_ndjson};
pub use invalid::{FieldError, Invalid};
pub use item::{ItemBody, parse_item};
pub use object::MAX_FAULTS;
pub use rules::{
    MAX_FEATURE_NAME_CHARS, MAX_MEASURE, MAX_REASON_CHARS, MAX_SESSION_CHARS, MAX_SOURCE_CHARS, MAX_STRATEGY_CHARS,
};
pub use signal::{SignalBody, parse_signal};
pub use stamp::Stamp;
pub use trade::{TradeBody, parse_trade};
pub use value::MAX_DEPTH;
pub use void::{VoidBody, parse_void};
