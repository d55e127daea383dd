//! The columns of a CSV file, and what their cells are as JSON.

use hindcast_domain::MoneyE9;
use serde_json::{Map, Number, Value};

use super::file::Row;

/// Columns of amounts and prices: what can be kept exactly goes on as it stands.
const MONEY: [&str; 10] = [
    "price",
    "vwap",
    "entry_price",
    "exit_price",
    "pnl",
    "entry_vwap",
    "exit_vwap",
    "max_adverse",
    "max_favourable",
    "fees",
];
/// Columns of texts.
const TEXT: [&str; 15] = [
    "type",
    "event_id",
    "user_id",
    "occurred_at",
    "symbol",
    "side",
    "strategy",
    "signal_id",
    "decision_id",
    "entry_time",
    "exit_time",
    "exit_reason",
    "signal",
    "timestamp",
    "session",
];
/// Columns of true or false.
const BOOLEAN: [&str; 2] = ["simulated", "took_trade"];
/// What a column of a further feature begins with.
const FEATURE: &str = "features.";

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

#[derive(Debug)]
enum Column {
    Money(String),
    Text(String),
    Boolean(String),
    Number(String),
    Feature(String),
}

impl Columns {
    pub(super) fn of<'a>(header: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut seen: Vec<&str> = Vec::new();
        let mut columns = Vec::new();
        for name in header {
            if name.is_empty() {
                return Err("a column has no name; the first line has to name the columns".to_owned());
            }
            if seen.contains(&name) {
                return Err(format!("the column {name:?} is there twice"));
            }
            seen.push(name);
            columns.push(Column::of(name));
        }
        if seen.contains(&"type") || seen.contains(&"signal") {
            Ok(Self(columns))
        } else {
            Err("it has to name a column `type` (signal or trade), or `signal` (LONG or SHORT) in a file of signals \
                 with their outcome; see `hindcast import --help`"
                .to_owned())
        }
    }

    /// The row of a record; an empty cell is an absent field.
    pub(super) fn row(&self, record: &csv::StringRecord) -> Result<Row, String> {
        let (mut row, mut features) = (Map::new(), Map::new());
        for (column, cell) in self.0.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
            match column {
                Column::Money(name) => row.insert(name.clone(), money(name, cell)?),
                Column::Text(name) => row.insert(name.clone(), Value::from(cell)),
                Column::Boolean(name) => row.insert(name.clone(), boolean(name, cell)?),
                Column::Number(name) => row.insert(name.clone(), number(name, cell)?),
                Column::Feature(name) => features.insert(name.clone(), number(name, cell)?),
            };
        }
        if !features.is_empty() {
            row.insert("features".to_owned(), Value::Object(features));
        }
        Ok(row)
    }
}

impl Column {
    fn of(name: &str) -> Self {
        let owned = name.to_owned();
        match name.strip_prefix(FEATURE) {
            Some(feature) => Self::Feature(feature.to_owned()),
            None if MONEY.contains(&name) => Self::Money(owned),
            None if TEXT.contains(&name) => Self::Text(owned),
            None if BOOLEAN.contains(&name) => Self::Boolean(owned),
            // Unknown columns too: whoever reads the row knows whether it can take a number of that name.
            None => Self::Number(owned),
        }
    }
}

fn boolean(name: &str, cell: &str) -> Result<Value, String> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(Value::Bool(true)),
        "false" | "0" => Ok(Value::Bool(false)),
        _ => Err(format!("{name} {cell:?} is not true or false")),
    }
}

/// Nine decimals at most are exact; programs that compute in floats write more, and mean the number.
fn money(name: &str, cell: &str) -> Result<Value, String> {
    if MoneyE9::from_decimal(cell).is_ok() { Ok(Value::from(cell)) } else { number(name, cell) }
}

fn number(name: &str, cell: &str) -> Result<Value, String> {
    cell.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
        .ok_or_else(|| format!("{name} {cell:?} is not a number"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(header: &str, cells: &str) -> Result<Row, String> {
        let columns = Columns::of(header.split(','))?;
        columns.row(&csv::StringRecord::from(cells.split(',').collect::<Vec<_>>()))
    }

    #[test]
    fn cells_become_what_their_column_is() {
        let row =
            row("type,symbol,price,rsi,simulated,features.hour,volume", "signal,ES,6524.250,28,FALSE,7,").unwrap();
        let expected = json!({
            "type": "signal", "symbol": "ES", "price": "6524.250", "rsi": 28.0, "simulated": false,
            "features": {"hour": 7.0}
        });
        assert_eq!(Value::Object(row), expected);
    }

    #[test]
    fn money_is_exact_where_it_can_be() {
        let row = row("type,pnl,exit_price", "trade,295.7142857143026,6524.123456789").unwrap();
        assert_eq!(
            Value::Object(row),
            json!({"type": "trade", "pnl": 295.714_285_714_302_6, "exit_price": "6524.123456789"})
        );
    }

    #[test]
    fn bad_headers_and_cells_are_told() {
        for (header, cells, expected) in [
            ("a,b", "1,2", "has to name a column `type`"),
            ("type,type", "", "twice"),
            ("type,", "", "no name"),
            ("type,rsi", "signal,low", "rsi \"low\" is not a number"),
            ("type,rsi", "signal,NaN", "rsi \"NaN\" is not a number"),
            ("type,simulated", "trade,maybe", "simulated \"maybe\" is not true or false"),
        ] {
            let error = row(header, cells).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
