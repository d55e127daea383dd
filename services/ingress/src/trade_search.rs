//! Finds a trade that its user wants to take back.

use std::time::Duration;

use hindcast_domain::{EventKind, MoneyE9, Position, TimestampUs, UserId, void_event_id};
use hindcast_journal::{Record, Topic};
use hindcast_reader::{CachedRow, journal_end};
use hindcast_schemas::Event;
use hindcast_service_kit::problem::Problem;
use uuid::Uuid;

use crate::{intake::Placed, journal::record_at, rows::AdmissionRow, state::IngressState};

/// How long a trade may be news to this process that another one took: a void that is refused as gone is given up, so it is
/// worth a wait.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Which trade is looked for, and what its user says of where it stands.
pub(crate) struct Search<'a> {
    pub(crate) state: &'a IngressState,
    pub(crate) user: &'a UserId,
    pub(crate) trade_id: Uuid,
    /// A position up to which trades are looked for at least.
    pub(crate) min_position: Option<Position>,
    /// Where the trade stands, as its user was answered.
    pub(crate) named: Option<Position>,
}

/// What was found.
pub(crate) enum Found {
    /// The trade, as it was recorded.
    Trade(RecordedTrade),
    /// The trade's void, which is all that is remembered.
    Void(Placed),
}

/// What a void repeats of its trade.
pub(crate) struct RecordedTrade {
    pub(crate) position: Position,
    pub(crate) symbol: String,
    pub(crate) strategy: Option<String>,
    pub(crate) occurred_at: TimestampUs,
    pub(crate) pnl_e9: MoneyE9,
    pub(crate) simulated: bool,
}

/// Where a trade stands, or that it was taken back.
enum Place {
    Trade(Position),
    Void(Position),
}

impl Search<'_> {
    /// Looks where it is likely first: in memory, in the user's admission as it is at hand, where the user says, in the
    /// admission up to the journal's end.
    ///
    /// # Errors
    /// 404 if there is no such trade; 400 or 410 for positions that can't be; 503 if that can't be known at present.
    pub(crate) async fn run(&self) -> Result<Found, Problem> {
        for position in [self.min_position, self.named].into_iter().flatten() {
            self.check_partition(position)?;
        }
        let position = match self.place().await? {
            Some(Place::Trade(position)) => position,
            Some(Place::Void(position)) => {
                return Ok(Found::Void(Placed { position: Some(position), duplicate: true }));
            }
            None => return Err(self.not_found()),
        };
        let trade = self.read(position).await?;
        trade.map(Found::Trade).ok_or_else(|| self.not_found())
    }

    async fn place(&self) -> Result<Option<Place>, Problem> {
        let recent = &self.state.recent;
        let trade = recent.id(self.user.as_str(), EventKind::Trade, self.trade_id);
        if let Some(known) = recent.find(trade) {
            return self.state.position_of(&known).await.map(Place::Trade).map(Some);
        }
        match self.state.admission(self.user.as_str(), self.min_position).await {
            Ok(row) => {
                if let Some(place) = self.look_in(&row) {
                    return Ok(Some(place));
                }
            }
            // The user knows better than a store that can't be read.
            Err(_) if self.named.is_some() => {}
            Err(problem) => return Err(problem),
        }
        if let Some(named) = self.named {
            return Ok(Some(Place::Trade(named)));
        }
        let Some(last) = self.last_position() else { return Ok(None) };
        let row = self.state.admission(self.user.as_str(), Some(last)).await?;
        Ok(self.look_in(&row))
    }

    fn look_in(&self, row: &CachedRow<AdmissionRow>) -> Option<Place> {
        let AdmissionRow(admission) = row.state.as_ref()?;
        let void = admission.find(EventKind::Void, void_event_id(self.user.as_str(), self.trade_id));
        if let Some((position, _)) = void {
            return Some(Place::Void(position));
        }
        admission.find(EventKind::Trade, self.trade_id).map(|(position, _)| Place::Trade(position))
    }

    /// The position of the last durable record of the user's partition; `None` if there is none but the genesis.
    fn last_position(&self) -> Option<Position> {
        let log = &self.state.ports.log;
        let partition = self.state.partition(self.user.as_str());
        let end = *log.durable_end(Topic::Journal, partition).borrow();
        let offset = end.checked_sub(1).filter(|&offset| offset > 0)?;
        Some(Position { epoch: log.identity().epoch, partition, offset })
    }

    fn check_partition(&self, position: Position) -> Result<(), Problem> {
        let (partition, epoch) = (self.state.partition(self.user.as_str()), self.state.ports.log.identity().epoch);
        if position.partition == partition && position.epoch <= epoch {
            return Ok(());
        }
        Err(Problem::bad_request(format!(
            "{position} is no position of the caller's journal, which is partition {partition}, epoch {epoch}"
        )))
    }

    /// The trade at a position; `None` if something else stands there.
    async fn read(&self, position: Position) -> Result<Option<RecordedTrade>, Problem> {
        let log = std::sync::Arc::clone(&self.state.ports.log);
        let end = log.durable_end(Topic::Journal, position.partition);
        let patience = journal_end::patience(&*log, END_PATIENCE);
        // Positions of an earlier epoch are looked for, whatever stands there now.
        if position.epoch == log.identity().epoch && !journal_end::reaches(end, position.offset, patience).await {
            return Err(Problem::gone(format!("the journal ends before {position}; it may have been restored")));
        }
        let record = tokio::task::spawn_blocking(move || record_at(&*log, position))
            .await
            .map_err(|error| Problem::internal(format!("reading the journal was broken off: {error}")))?
            .map_err(Problem::log_unreadable)?;
        match record {
            Some(record) => self.trade_of(&record),
            None => Ok(None),
        }
    }

    fn trade_of(&self, record: &Record) -> Result<Option<RecordedTrade>, Problem> {
        if record.key != self.user.as_str().as_bytes() {
            return Ok(None);
        }
        let event = match self.state.ports.codec.decode_event(&record.value) {
            Ok(event) => event,
            Err(error) if error.is_retryable() => {
                return Err(Problem::unavailable("the trade can't be read at present").with_internal(error.to_string()));
            }
            Err(_) => return Ok(None),
        };
        Ok(match event {
            Event::Trade(trade) if trade.event_id == self.trade_id && trade.user_id == self.user.as_str() => {
                Some(RecordedTrade {
                    position: record.position,
                    symbol: trade.symbol.into_owned(),
                    strategy: trade.strategy.map(Into::into),
                    occurred_at: trade.occurred_at,
                    pnl_e9: trade.pnl_e9,
                    simulated: trade.simulated,
                })
            }
            _ => None,
        })
    }

    fn not_found(&self) -> Problem {
        Problem::not_found(format!(
            "no trade {} is among the latest events of the caller; for an older one send the position that was answered \
             when it was reported",
            self.trade_id
        ))
    }
}
