//! Bodies of the routes that existing bots use. Names are those of the system that Hindcast replaces; what is not
//! known is ignored, as it was there.

mod get_confidence;
mod save_trade;

pub use get_confidence::parse_get_confidence;
pub use save_trade::parse_save_trade;
