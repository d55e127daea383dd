//! `hindcast import`: bulk history through the API.
//!
//! The file is read twice: once to check every row, then to send them. The file's digest and the row's number are its
//! place in the import, which the journal remembers: sending it again, from the beginning or after an interruption,
//! adds nothing.

mod columns;
mod experience;
mod file;
mod item;
mod send;

use std::path::PathBuf;

use clap::Args;
use hindcast_domain::{Instruments, UserId};
use serde::Serialize;

use self::{
    file::{Fault, FileError, HistoryFile},
    item::ItemMaker,
    send::{Sender, Sent, Stopped},
};
use crate::{
    cli::ServerArgs,
    client::{Client, RetryLimits},
    exit::{Failure, Outcome},
    output::{print, print_json},
    progress,
    report::table::{table, thousands},
    serve::{Overrides, ServeConfig},
};

const LONG_HELP: &str = "\
Rows, as JSON objects (one a line) or as CSV with the names in its first line:

  type signal   symbol, side, price, rsi and what else the body of POST /v1/signals has
  type trade    symbol, side, entry_price, exit_price, pnl and what else the body of POST /v1/trades has
                (CSV: an empty cell is an absent field; columns features.NAME are further features)
  no type       a signal with its outcome, which becomes a signal and a trade: symbol, signal (LONG or SHORT),
                entry_price, rsi, vwap, vwap_distance (a signed fraction), atr, volume_ratio, timestamp, pnl,
                took_trade (false: followed on paper); hour, streak, recent_pnl and any other number are features.
                Without exit_price, the price that gives the pnl (ES: 50 USD a point and contract) is taken

The whole file is checked before anything is sent. Importing it again adds nothing, so an import that was
interrupted is simply started again. A file that was edited is another import: rows that were sent before count
again unless they have an event_id of their own.

Examples:
  hindcast import history.jsonl --user desk-1
  hindcast import trades.csv.gz --user desk-1 --json";

/// How many faults of a file are told.
const MAX_FAULTS: usize = 20;

/// Arguments of `hindcast import`.
#[derive(Debug, Args)]
#[command(after_help = LONG_HELP)]
pub struct ImportArgs {
    /// The running system.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The history: JSONL or CSV, either may be compressed (.gz)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose history it is; the key must be this user's
    #[arg(long, value_name = "ID", value_parser = |text: &str| UserId::new(text))]
    pub user: UserId,
    /// The service's configuration, where it trades other instruments than the common ones
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Summary {
    file: String,
    user_id: String,
    source: String,
    rows: u64,
    signals: u64,
    trades: u64,
    sent: u64,
    new: u64,
    duplicates: u64,
    failed: u64,
}

/// What checking a file gave.
#[derive(Debug)]
struct Checked {
    source: String,
    rows: u64,
    items: u64,
}

/// Checks the whole file, then sends it.
///
/// # Errors
/// When a row can't be used, the system can't be reached or the key belongs to somebody else.
pub async fn run(args: ImportArgs, json: bool) -> Result<Outcome, Failure> {
    let client = args.server.client(RetryLimits::bulk())?;
    let instruments = match &args.config {
        Some(path) => ServeConfig::load(Some(path), &Overrides::default())?.instruments,
        None => Instruments::default(),
    };
    let file = HistoryFile::open(&args.file)?;
    let checked = check(&file, &args, &instruments)?;
    let maker = ItemMaker { user: args.user.as_str(), source: &checked.source, instruments: &instruments };
    let (sent, stopped) = send(&file, &maker, &client, &checked).await;
    let summary = Summary {
        file: args.file.display().to_string(),
        user_id: args.user.to_string(),
        source: checked.source.clone(),
        rows: checked.rows,
        signals: sent.signals,
        trades: sent.trades,
        sent: sent.signals + sent.trades,
        new: sent.new,
        duplicates: sent.duplicates,
        failed: stopped.as_ref().map_or(0, |stopped| stopped.failed),
    };
    if json { print_json(&summary) } else { print(&told(&summary)) }?;
    match stopped {
        None => Ok(Outcome::Done),
        Some(stopped) => Err(stopped.why),
    }
}

fn check(file: &HistoryFile, args: &ImportArgs, instruments: &Instruments) -> Result<Checked, Failure> {
    // The digest is not known before the end; it is as long as this one.
    let maker = ItemMaker { user: args.user.as_str(), source: "0123456789abcdef0123456789abcdef", instruments };
    let mut rows = file.rows()?;
    let (mut count, mut items, mut faults, mut further) = (0_u64, 0_u64, Vec::new(), 0_u64);
    while let Some(row) = rows.next()? {
        count += 1;
        let made = row.and_then(|(line, row)| maker.items(line, count, row).map_err(|detail| Fault { line, detail }));
        match made {
            Ok(made) => items += u64::try_from(made.len()).unwrap_or(u64::MAX),
            Err(fault) if faults.len() < MAX_FAULTS => faults.push(fault),
            Err(_) => further += 1,
        }
    }
    let path = args.file.display();
    if !faults.is_empty() {
        let mut text = format!("{path}: nothing was sent, these lines can't be used:");
        for Fault { line, detail } in &faults {
            text.push_str(&format!("\n  line {line}: {detail}"));
        }
        if further > 0 {
            text.push_str(&format!("\n  and {} more", thousands(further)));
        }
        return Err(Failure::failed(text));
    }
    if count == 0 {
        return Err(Failure::failed(format!(
            "{path} has no rows; see `hindcast import --help` for what they look like"
        )));
    }
    Ok(Checked { source: rows.source(), rows: count, items })
}

async fn send(
    file: &HistoryFile,
    maker: &ItemMaker<'_>,
    client: &Client,
    checked: &Checked,
) -> (Sent, Option<Stopped>) {
    let mut sender = Sender::new(client);
    let bar = progress::bar(checked.items, "events");
    let stopped = send_all(file, maker, &mut sender, &bar).await.err();
    bar.finish_and_clear();
    (sender.sent(), stopped)
}

async fn send_all(
    file: &HistoryFile,
    maker: &ItemMaker<'_>,
    sender: &mut Sender<'_>,
    bar: &indicatif::ProgressBar,
) -> Result<(), Stopped> {
    let changed = || Failure::failed("the file changed while it was imported; import it again once it rests");
    let halt = |why: Failure| Stopped { why, failed: 0 };
    let mut rows = file.rows().map_err(|error| halt(error.into()))?;
    let mut count = 0_u64;
    while let Some(row) = rows.next().map_err(|error| halt(error.into()))? {
        count += 1;
        let (line, row) = row.map_err(|_| halt(changed()))?;
        for item in maker.items(line, count, row).map_err(|_| halt(changed()))? {
            sender.push(item).await?;
        }
        let Sent { signals, trades, .. } = sender.sent();
        bar.set_position(signals + trades);
    }
    sender.flush().await?;
    if rows.source() == maker.source { Ok(()) } else { Err(halt(changed())) }
}

fn told(summary: &Summary) -> String {
    let Summary { file, user_id, rows, .. } = summary;
    let mut table = table(["signals", "trades", "sent", "new", "duplicates", "failed"], 0);
    let Summary { signals, trades, sent, new, duplicates, failed, .. } = summary;
    table.add_row([signals, trades, sent, new, duplicates, failed].map(|number| thousands(*number)));
    format!("{file}: {} rows, history of {user_id}\n{table}\n", thousands(*rows))
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::failed(error)
    }
}
