//! What every adapter of the port is tested with.
