//! The contract of the log.

use std::sync::Arc;

use hindcast_journal::{
    contract::Subject,
    faults::{Faults, FaultyLog},
};

use crate::support::{config, open};

mod alone {
    use super::*;
    hindcast_journal::log_contract!(|_| Subject::exact(open(&config())));
}

mod with_faults {
    use super::*;
    hindcast_journal::log_contract!(|seed| Subject::faulty(FaultyLog::new(
        Arc::new(open(&config())),
        seed,
        Faults::FREQUENT
    )));
}
