//! What every adapter of the log must fulfil, as functions that its tests run.
//!
//! ```ignore
//! hindcast_journal::log_contract!(|seed| Subject::exact(MemoryLog::new(3)));
//! ```
//! makes one test of each. Under injected faults the same functions hold: whatever was acknowledged is there, and
//! whatever is there was attempted.

mod appends;
mod concurrency;
mod harness;
mod reads;

pub use appends::*;
pub use concurrency::*;
pub use harness::{Seed, Subject, wait};
pub use reads::*;

/// Makes a test of each function of the contract. The argument is called with a seed and makes a
/// [`Subject`](crate::contract::Subject) on an empty log of at least two partitions.
#[macro_export]
macro_rules! log_contract {
    ($make:expr) => {
        $crate::log_contract!(@each $make;
            genesis_opens_every_partition
            every_field_is_read_back
            positions_come_in_the_order_given
            later_appends_come_later
            appends_are_taken_in_at_once
            a_dropped_future_takes_nothing_back
            all_records_or_none
            nothing_to_append
            reads_keep_to_their_limits
            reads_begin_anywhere
            reads_end_at_the_durable_end
            the_durable_end_covers_what_is_acknowledged
            whoever_waits_learns_of_a_rise
            concurrent_appends_keep_their_order
            readers_see_a_growing_prefix
            a_working_log_is_healthy
        );
    };
    (@each $make:expr; $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let seed = $crate::contract::Seed::new(stringify!($name));
                $crate::contract::$name(&($make)(seed.value), &seed);
            }
        )*
    };
}
