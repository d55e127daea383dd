//! What a benchmark prints.

use std::fmt;

use serde::Deserialize;

/// Our path beside its limit.
#[derive(Debug, Deserialize)]
pub(super) struct Measured {
    bench: String,
    engine: String,
    ours: Rate,
    limit: Limit,
    ratio: f64,
    target: f64,
}

#[derive(Debug, Deserialize)]
struct Rate {
    per_second: f64,
}

#[derive(Debug, Deserialize)]
struct Limit {
    what: String,
    per_second: f64,
}

impl Measured {
    /// Reads it; refuses what can't be the outcome of a run that worked.
    pub(super) fn parse(name: &str, json: &str) -> Result<Self, String> {
        let measured: Self = serde_json::from_str(json).map_err(|error| format!("prints no result: {error}"))?;
        if measured.bench != name {
            return Err(format!("calls itself {}", measured.bench));
        }
        let figures = [measured.ours.per_second, measured.limit.per_second, measured.ratio, measured.target];
        if figures.iter().any(|figure| !figure.is_finite() || *figure <= 0.0) {
            return Err(format!("has measured nothing: {measured}"));
        }
        Ok(measured)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bench, engine, ours, limit, ratio, target } = self;
        let (ours, what, limit) = (ours.per_second, &limit.what, limit.per_second);
        write!(f, "{bench} ({engine}): {ours:.0}/s, {what}: {limit:.0}/s, ratio {ratio:.2}, target {target:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"bench": "ingest", "engine": "embedded", "ours": {"per_second": 123456.7, "p50_us": 3.0},
        "limit": {"what": "the log alone", "per_second": 400000}, "ratio": 0.308, "target": 0.3}"#;

    #[test]
    fn results_are_read() {
        let measured = Measured::parse("ingest", GOOD).unwrap();
        assert_eq!(
            measured.to_string(),
            "ingest (embedded): 123457/s, the log alone: 400000/s, ratio 0.31, target 0.30"
        );
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let refused = |name: &str, json: &str| Measured::parse(name, json).unwrap_err();
        assert_eq!(refused("project", GOOD), "calls itself ingest");
        assert!(refused("ingest", "").starts_with("prints no result"));
        assert!(refused("ingest", &GOOD.replace("123456.7", "0")).starts_with("has measured nothing"));
    }
}
