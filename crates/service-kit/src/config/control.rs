//! Limits of how control is followed. Here, because control itself knows nothing of configuration files.

use hindcast_control::ControlConfig;

use super::{Faults, Validate};

impl Validate for ControlConfig {
    fn validate(&self, faults: &mut Faults) {
        // The topic is looked at every half second: less would call a healthy one stale.
        faults.within("stale_after_ms", self.stale_after_ms, 2_000, 600_000);
        faults.within("change_timeout_ms", self.change_timeout_ms, 100, 60_000);
    }
}
