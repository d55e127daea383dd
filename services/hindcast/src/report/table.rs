//! Tables that line up.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

/// A line below the header and nothing else: rows of numbers need no fences.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with a header. The first `left` columns are texts, the others numbers, which stand to the right.
#[must_use]
pub fn table<const N: usize>(header: [&str; N], left: usize) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    for (number, column) in table.column_iter_mut().enumerate() {
        if number >= left {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A share as a percentage, such as `57.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A whole number with its thousands apart, such as `75,791`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// US dollars, such as `-1,250.50`, rounded half away from zero to cents. `amount_e9` is in units of 1e-9 USD.
#[must_use]
pub fn dollars(amount_e9: i128) -> String {
    const CENT_E9: u128 = 10_000_000;
    let cents = (amount_e9.unsigned_abs() + CENT_E9 / 2) / CENT_E9;
    let sign = if amount_e9 < 0 && cents > 0 { "-" } else { "" };
    let whole = u64::try_from(cents / 100).unwrap_or(u64::MAX);
    format!("{sign}{}.{:02}", thousands(whole), cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(75_791), "75,791");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(dollars(-1_250_500_000_000), "-1,250.50");
        assert_eq!(dollars(5_000_000), "0.01");
        assert_eq!(dollars(-4_999_999), "0.00");
        assert_eq!(percent(0.5731), "57.3 %");
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let mut table = table(["user", "trades"], 1);
        table.add_row(["desk-1", "7"]);
        let text = table.to_string();
        let row = text.lines().find(|line| line.contains("desk-1")).unwrap();
        assert!(row.trim_end().ends_with('7') && row.starts_with(" desk-1 "), "{text}");
        assert_eq!(row.trim_end().chars().count(), " user   ┆ trades".chars().count(), "{text}");
    }
}
