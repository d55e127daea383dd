//! As much of PromQL as it takes to find the metrics that an expression names.

/// Words that take a list of labels.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Operators that are words.
const OPERATORS: [&str; 6] = ["and", "or", "unless", "bool", "offset", "atan2"];

/// The metrics of an expression, in the order in which they are named.
pub(crate) fn metrics(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        match first {
            '{' | '[' | '"' => rest = after_closing(rest),
            _ if first.is_ascii_alphabetic() || first == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
                let (word, behind) = rest.split_at(end);
                let next = behind.trim_start();
                rest = behind;
                if BEFORE_LABELS.contains(&word) {
                    rest = next.strip_prefix('(').map_or(next, |list| list.split_once(')').unwrap().1);
                } else if !OPERATORS.contains(&word) && !next.starts_with('(') && !aggregates(next) {
                    found.push(word);
                }
            }
            // A number, with its unit if it is a duration.
            _ if first.is_ascii_digit() => {
                rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.')
            }
            _ => rest = &rest[first.len_utf8()..],
        }
    }
    found
}

/// Whether what stands before is `sum` and the like: `sum by (label) (…)`.
fn aggregates(next: &str) -> bool {
    ["by", "without"].iter().any(|word| next.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('(')))
}

/// What stands behind the bracket or quotation mark that closes the first one. Strings may hold brackets.
fn after_closing(text: &str) -> &str {
    let closing = match &text[..1] {
        "{" => '}',
        "[" => ']',
        _ => '"',
    };
    let mut in_string = false;
    for (at, character) in text.char_indices().skip(1) {
        if character == closing && !in_string {
            return &text[at + 1..];
        }
        in_string ^= character == '"';
    }
    ""
}

#[test]
fn metrics_are_found_and_nothing_else() {
    for (expression, expected) in [
        ("up", &["up"][..]),
        (r#"up{job="a{b}c"} == 0"#, &["up"]),
        (
            "sum by (role) (rate(a_total[5m])) > 0.01 * sum(rate(b_total{x=~\"5..\"}[$__rate_interval]))",
            &["a_total", "b_total"],
        ),
        ("a and on (x) b unless c offset 5m", &["a", "b", "c"]),
        ("histogram_quantile(0.99, sum by(le, route) (rate(a_bucket[5m]))) > 1e3", &["a_bucket"]),
        ("max(a) without (x) + 1h", &["a"]),
    ] {
        assert_eq!(metrics(expression), expected, "{expression}");
    }
}
