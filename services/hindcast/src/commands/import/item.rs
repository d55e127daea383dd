//! From rows to items of `POST /v1/events`.

use hindcast_bodies::{Invalid, parse_item};
use hindcast_domain::{Instruments, ids::imported_event_id};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{experience, file::Row};

/// One event, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Line of the file that it is of.
    pub(super) line: u64,
    /// What it is.
    pub(super) kind: Kind,
    /// The item as JSON, in one line.
    pub(super) json: Vec<u8>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Signal,
    Trade,
}

/// Makes items of rows. What it makes depends on the file alone, so that importing it again gives the same.
#[derive(Debug)]
pub(super) struct ItemMaker<'a> {
    /// Whose history it is.
    pub(super) user: &'a str,
    /// Name of the file, by its digest.
    pub(super) source: &'a str,
    /// What can be traded.
    pub(super) instruments: &'a Instruments,
}

impl ItemMaker<'_> {
    /// The items of a row, checked as the server will check them. `number` is the row's place in the file, from 1.
    ///
    /// Each row has two sequences of its own: that of a signal, and that of a trade that came with it.
    pub(super) fn items(&self, line: u64, number: u64, row: Row) -> Result<Vec<Item>, String> {
        let first = number.saturating_mul(2).saturating_sub(1);
        if row.contains_key("import") {
            return Err("import is set by this command".to_owned());
        }
        if row.contains_key("type") {
            return Ok(vec![self.item(line, first, row)?]);
        }
        if row.contains_key("signal") {
            let signal_id = self.event_id(first);
            let [signal, trade] =
                experience::bodies(row, signal_id, self.instruments).map_err(|faults| faults.join("; "))?;
            return Ok(vec![self.item(line, first, signal)?, self.item(line, first.saturating_add(1), trade)?]);
        }
        Err("it has neither a type (signal or trade) nor, with its outcome, a signal (LONG or SHORT)".to_owned())
    }

    fn event_id(&self, sequence: u64) -> Uuid {
        imported_event_id(self.user, self.source, sequence)
    }

    fn item(&self, line: u64, sequence: u64, mut row: Row) -> Result<Item, String> {
        // Named, so that a key of somebody else is refused.
        match row.get("user_id") {
            Some(named) if named != self.user => return Err(format!("user_id is {named}, not {:?}", self.user)),
            _ => row.insert("user_id".to_owned(), json!(self.user)),
        };
        row.entry("event_id").or_insert_with(|| json!(self.event_id(sequence)));
        row.insert("import".to_owned(), json!({"source": self.source, "sequence": sequence}));
        let kind = if row.get("type").and_then(Value::as_str) == Some("trade") { Kind::Trade } else { Kind::Signal };
        let json = serde_json::to_vec(&row).map_err(|error| error.to_string())?;
        match parse_item(&json, self.instruments) {
            Ok(_) => Ok(Item { line, kind, json }),
            Err(invalid) => Err(told(&invalid)),
        }
    }
}

/// All faults of a body in one line.
fn told(invalid: &Invalid) -> String {
    match invalid {
        Invalid::Malformed { detail } => detail.clone(),
        Invalid::Fields(faults) => {
            let told =
                |pointer: &str, detail: &str| format!("{} {detail}", pointer.trim_start_matches('/')).trim().to_owned();
            faults.iter().map(|fault| told(&fault.pointer, &fault.detail)).collect::<Vec<_>>().join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value)] // reads better where it is called
    fn items(row: Value) -> Result<Vec<Item>, String> {
        let instruments = Instruments::default();
        let maker = ItemMaker { user: "desk-1", source: "feed", instruments: &instruments };
        maker.items(9, 5, row.as_object().unwrap().clone())
    }

    fn json_of(item: &Item) -> Value {
        serde_json::from_slice(&item.json).unwrap()
    }

    #[test]
    fn an_event_keeps_its_id_and_gets_its_place() {
        let id = "0192c000-0000-7000-8000-000000000001";
        let items = items(json!({
            "type": "trade", "event_id": id, "symbol": "ES", "side": "LONG", "entry_price": "6524.25",
            "exit_price": 6525, "pnl": 37.5
        }))
        .unwrap();
        assert_eq!((items.len(), items[0].line, items[0].kind), (1, 9, Kind::Trade));
        let sent = json_of(&items[0]);
        assert_eq!(sent["import"], json!({"source": "feed", "sequence": 9}));
        assert_eq!((&sent["event_id"], &sent["user_id"]), (&json!(id), &json!("desk-1")));
    }

    #[test]
    fn a_signal_with_its_outcome_is_two_events_that_know_each_other() {
        let items = items(json!({
            "symbol": "ES", "signal": "LONG", "entry_price": 6524.25, "rsi": 20.0, "took_trade": true, "pnl": -75
        }))
        .unwrap();
        let [signal, trade] = &items[..] else { panic!("{items:?}") };
        let (signal, trade) = (json_of(signal), json_of(trade));
        assert_eq!(signal["import"]["sequence"], 9);
        assert_eq!(trade["import"]["sequence"], 10);
        assert_eq!(signal["event_id"], trade["signal_id"]);
        assert_eq!(signal["event_id"], json!(imported_event_id("desk-1", "feed", 9)));
        assert_ne!(signal["event_id"], trade["event_id"]);
        assert_eq!(trade["exit_price"], "6522.75");
    }

    #[test]
    fn what_the_server_would_refuse_is_refused_before() {
        let signal = |field: &str, value: Value| {
            let mut row = json!({"type": "signal", "symbol": "ES", "side": "LONG", "price": 1, "rsi": 20});
            row[field] = value;
            items(row).unwrap_err()
        };
        assert!(signal("symbol", json!("GC")).contains("symbol"));
        assert!(signal("rsi", json!(101)).contains("rsi must be"));
        assert!(signal("mood", json!(1)).contains("mood"));
        assert!(signal("user_id", json!("desk-2")).contains("not \"desk-1\""));
        assert!(signal("import", json!({})).contains("import is set by this command"));
        assert!(signal("type", json!("void")).contains("type"));
        assert!(items(json!({"rsi": 3})).unwrap_err().contains("neither"));
    }
}
