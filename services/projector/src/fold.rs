//! From records to states.

use std::sync::Arc;

use hindcast_facts::{Journaled, read_journaled};
use hindcast_fold::{
    admission::Verdict,
    pipeline::{Folded, fold_record},
};
use hindcast_journal::Record;

use crate::{
    dead_letters::{self, OWNERLESS, OWNERLESS_DETAIL, notice},
    error::Hindrance,
    worker::Worker,
};

/// Why folding stopped.
enum Stop {
    /// All records are folded.
    End,
    /// States are needed that are not held.
    Missing,
    /// Dead letters have to be published before there are more.
    Notices,
    /// A record can't be read at present.
    Unavailable(String),
}

impl Worker {
    /// Folds the next records of a partition, reading rows where states are missing and writing rows where there are
    /// too many.
    pub(crate) async fn fold(&mut self, index: usize, records: &[Record]) -> Result<(), Hindrance> {
        let (mut rest, mut ahead) = (records, Vec::new());
        loop {
            let (folded, stop) = self.fold_held(index, rest, std::mem::take(&mut ahead));
            rest = rest.get(folded..).unwrap_or_default();
            self.ports.metrics.records.inc_by(folded as u64);
            self.states.recount(&mut self.touched);
            self.make_room(index).await?;
            match stop {
                Stop::End => return Ok(()),
                Stop::Missing => ahead = self.load_ahead(rest).await?,
                Stop::Notices => self.write(index).await?,
                Stop::Unavailable(why) => return Err(Hindrance::ForNow(why)),
            }
        }
    }

    /// Folds records as far as their states are held; tells how many it were. `ahead` are the first of them, as far as
    /// they were read already.
    fn fold_held<'r>(&mut self, index: usize, records: &'r [Record], ahead: Vec<Journaled<'r>>) -> (usize, Stop) {
        let Some(cursor) = self.cursors.get_mut(index) else { return (records.len(), Stop::End) };
        let (mut folded, mut stop) = (0, Stop::End);
        let mut ahead = ahead.into_iter();
        for record in records {
            if cursor.notices.len() >= dead_letters::MAX_WAITING {
                stop = Stop::Notices;
                break;
            }
            match ahead.next().map_or_else(|| read_journaled(&self.ports.codec, record), Ok) {
                Ok(Journaled::Marker) => {}
                Ok(Journaled::Ownerless) => {
                    if self.ports.notices.are_of(record) {
                        self.ports.metrics.rejected.with_label_values(&[OWNERLESS]).inc();
                        cursor.notices.push(notice(record, OWNERLESS, OWNERLESS_DETAIL));
                    }
                }
                Ok(Journaled::Fact { user, input }) => {
                    let Some(states) = self.states.get(user).filter(|states| states.holds(&input)) else {
                        stop = Stop::Missing;
                        break;
                    };
                    if let Folded::Applied(verdict) = fold_record(states, &self.params, user, &input, record.position) {
                        if !states.changed {
                            states.changed = true;
                            cursor.changed_users.push(Arc::clone(&states.name));
                        }
                        if !states.touched {
                            states.touched = true;
                            self.touched.push(Arc::clone(&states.name));
                        }
                        if let Verdict::Rejected(reason) = verdict
                            && self.ports.notices.are_of(record)
                        {
                            let reason = reason.as_str();
                            self.ports.metrics.rejected.with_label_values(&[reason]).inc();
                            cursor.notices.push(notice(record, reason, input.detail()));
                        }
                    }
                }
                Err(error) => {
                    stop = Stop::Unavailable(error.to_string());
                    break;
                }
            }
            folded += 1;
        }
        cursor.folded(records.get(..folded).unwrap_or_default());
        (folded, stop)
    }

    /// Brings memory back into its bounds: writes what was changed, forgets what was not used for longest.
    async fn make_room(&mut self, index: usize) -> Result<(), Hindrance> {
        if self.states.is_much_changed() {
            self.write(index).await?;
        }
        self.states.shrink();
        if self.states.is_over_limit() {
            for index in 0..self.cursors.len() {
                self.write(index).await?;
            }
            self.states.shrink();
        }
        Ok(())
    }
}
