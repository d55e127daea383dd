//! `hindcast demo` as a newcomer runs it, over the beginning of the real bars.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use serde_json::Value;
use support::{bars::first_real_bars, run::hindcast};

/// About ten sessions: enough for some hundred signals.
const BARS: usize = 14_000;

/// All that does not depend on the clock.
fn timeless(mut lesson: Value) -> Value {
    lesson.as_object_mut().unwrap().remove("seconds");
    lesson
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
async fn a_demo_plays_real_bars_tells_what_it_learned_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let bars = first_real_bars(BARS, folder.path());
    let arguments = ["demo", "--exit", "--listen", "127.0.0.1:0", "--users", "2", "--bars", bars.to_str().unwrap()];
    let for_programs: Vec<_> = arguments.into_iter().chain(["--json"]).collect();

    let first = hindcast(&for_programs, &[]).await;
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(first.stderr, "", "progress is for terminals only");
    let lesson = first.json();
    assert_eq!(lesson["bars"], BARS);
    let users = lesson["users"].as_array().unwrap();
    assert_eq!(users.len(), 2);
    for user in users {
        let count = |field: &str| user[field].as_u64().unwrap();
        let (closed, signals) = (count("trades") + count("simulated_trades"), count("signals"));
        assert!(signals > 50, "{user}");
        // The last trade may still be open when the bars end.
        assert!(closed == signals || closed + 1 == signals, "{user}");
        assert_eq!(user["foretold"]["n"], closed, "{user}");
    }
    let binned: u64 = lesson["reliability"].as_array().unwrap().iter().map(|bin| bin["n"].as_u64().unwrap()).sum();
    assert_eq!(lesson["foretold"]["n"], binned);

    // Ids and times of arrival differ; what was learned must not.
    let second = hindcast(&for_programs, &[]).await;
    assert_eq!(timeless(second.json()), timeless(lesson));

    let for_people = hindcast(&arguments, &[]).await;
    assert_eq!(for_people.code, 0, "{for_people:?}");
    for part in ["demo-1", "demo-2", "ES", "vwap-fade", "running base rate", "Reliability", "14,000 bars"] {
        assert!(for_people.stdout.contains(part), "{part} is missing: {}", for_people.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_demo_cant_play_is_told_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.csv");
    std::fs::write(&bad, "timestamp,open,high,low,close,volume\n2025-08-31 23:00:00,1,1,1,x,1\n").unwrap();
    let bad = bad.to_str().unwrap();
    for (arguments, code, expected) in [
        (vec!["--bars", bad], 1, "bad.csv, line 2: close \"x\" is not a decimal number"),
        (vec!["--bars", "absent.csv"], 1, "cannot read absent.csv: No such file or directory"),
        (vec!["--symbols", "GC"], 2, "GC"),
        (vec!["--symbols", "ES,ES"], 2, "ES is there twice"),
        (vec!["--bars", bad, "--symbols", "ES,NQ"], 2, "a file of bars is of one symbol"),
        (vec!["--bars", bad, "--seed", "2"], 2, "cannot be used with"),
        (vec!["--users", "0"], 2, "0 is not in 1..=64"),
        (vec!["--speed", "0"], 2, "0 is not in 1..=100000"),
    ] {
        let arguments: Vec<_> = ["demo", "--exit", "--listen", "127.0.0.1:0"].into_iter().chain(arguments).collect();
        let run = hindcast(&arguments, &[]).await;
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(expected), "{arguments:?}: {run:?}");
    }
}
