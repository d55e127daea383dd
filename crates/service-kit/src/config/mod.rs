//! Settings of a process: one TOML file, overridden by the environment, overridden by flags.

mod control;
mod faults;
mod load;

pub use faults::{ConfigError, Faults, Validate};
pub use load::load;
