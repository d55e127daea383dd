//! The projections as rows are read.

use hindcast_fold::{activity::Activity, admission::Admission, book::Book};

use crate::rows::FromRow;

macro_rules! from_row {
    ($($state:ty),+) => {$(
        impl FromRow for $state {
            fn from_row(bytes: &[u8]) -> Result<Self, String> {
                Self::decode(bytes).map_err(|error| error.to_string())
            }

            fn memory_bytes(&self) -> usize {
                Self::memory_bytes(self)
            }
        }
    )+};
}

from_row!(Admission, Book, Activity);
