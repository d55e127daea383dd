//! A set whose fold is wrong.

use std::collections::BTreeMap;

use hindcast_fold::{
    book::Book,
    generation::{GenerationSet, MISTAKEN_BOOK_FOLD},
    keys::parse_book_key,
};
use hindcast_journal::embedded::{EmbeddedLog, EmbeddedLogConfig};
use hindcast_replay_tools::refold;
use hindcast_schemas::{Codec, LocalRegistry};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;

use crate::{
    clients::{history, keys},
    support::{
        Http, Server,
        reproject::{done, step, until_no_lag},
        runtime,
    },
};

/// A version of the code that counts losses as wins is found before anybody is served from it: `verify` names the keys
/// and both values, and `cutover` refuses.
#[test]
fn a_mistaken_fold_is_caught() {
    let mut mistaken = GenerationSet::default();
    mistaken.book.fold_version = MISTAKEN_BOOK_FOLD;
    let name = mistaken.fingerprint();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let verification = runtime().block_on(async {
        let server = Server::start(&data);
        let (http, url) = (Http::new(&server.url), &*server.url);
        let keys = keys(&http, "moved").await;
        history(&http, &keys, 4, &mut StdRng::seed_from_u64(11)).await;
        http.caught_up().await;
        let version = format!("book.fold_version={MISTAKEN_BOOK_FOLD}");
        done(url, &["plan", "--set", &version, "--why", "faster"]).await;
        done(url, &["build", &name]).await;
        // It follows the live end too.
        history(&http, &keys, 4, &mut StdRng::seed_from_u64(12)).await;
        until_no_lag(&http).await;
        let verify = step(url, &["verify", &name]).await;
        assert_eq!(verify.code, 3, "{verify:?}");
        let cutover = step(url, &["cutover", &name]).await;
        assert!(cutover.code == 1 && cutover.stderr.contains("found to differ"), "{cutover:?}");
        server.stop();
        verify.json()
    });

    let log = EmbeddedLog::open(&data.join("journal"), &EmbeddedLogConfig::default()).unwrap();
    let right = refold(&log, &Codec::new(LocalRegistry).unwrap(), &GenerationSet::default()).unwrap();
    let books = right.rows.iter().filter(|((table, _), _)| *table.0 == GenerationSet::default().book_table());
    let right: BTreeMap<String, Book> = books
        .map(|((_, key), row)| {
            let (user, symbol) = parse_book_key(key).unwrap();
            (format!("{user} {symbol}"), Book::decode(&row.state).unwrap())
        })
        .collect();
    let books = &verification["rows"].as_array().unwrap()[0];
    assert_eq!((&books["projection"], &books["different"]), (&json!("book"), &json!(right.len())), "{books}");
    let differences = books["differences"].as_array().unwrap();
    assert!(!differences.is_empty(), "{books}");
    for difference in differences {
        assert_eq!(difference["field"], "taken.wins", "{difference}");
        let taken = &right[difference["key"].as_str().unwrap()].taken;
        assert_eq!(difference["old"], taken.wins.to_string(), "{difference}");
        let mistaken: u64 = difference["new"].as_str().unwrap().parse().unwrap();
        // Trades without a profit or a loss are neither.
        assert!(mistaken > taken.wins && mistaken <= taken.trades, "{difference}");
    }
}
