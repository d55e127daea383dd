//! How batches are split.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use hindcast_bodies::{Invalid, MAX_ITEMS, split_array, split_ndjson};

fn texts(items: Vec<&[u8]>) -> Vec<&str> {
    items.into_iter().map(|item| std::str::from_utf8(item).unwrap()).collect()
}

#[test]
fn arrays() {
    assert!(split_array(b" [ ] ").unwrap().is_empty());
    let body = br#" [ {"a":"],["} , [1,[2]], null ,"x" ] "#;
    assert_eq!(texts(split_array(body).unwrap()), [r#"{"a":"],["}"#, "[1,[2]]", "null", "\"x\""]);
    for bad in [b"".as_slice(), b"[", b"[1,]", b"[1 2]", b"[1]]", b"[1][2]", b"[NaN]", b"[\"\xff\"]", b"{", b"nul"] {
        assert!(matches!(split_array(bad), Err(Invalid::Malformed { .. })), "{:?}", String::from_utf8_lossy(bad));
    }
    for other in [b"{}".as_slice(), b"null", b" \"[]\"", b"1"] {
        assert_eq!(split_array(other), Err(Invalid::field("", "must be a JSON array of events")));
    }
}

#[test]
fn lines() {
    assert!(split_ndjson(b"").unwrap().is_empty());
    let body = b"\n{\"a\":1}\r\n  \n\t{\"a\":\"\\n\"} \nnot json\xff\n{}";
    assert_eq!(split_ndjson(body).unwrap(), [b"{\"a\":1}".as_slice(), b"{\"a\":\"\\n\"}", b"not json\xff", b"{}"]);
}

#[test]
fn a_batch_has_a_limit() {
    let array = |n: usize| format!("[{}]", vec!["{}"; n].join(","));
    let lines = |n: usize| "{}\n".repeat(n);
    assert_eq!(split_array(array(MAX_ITEMS).as_bytes()).unwrap().len(), MAX_ITEMS);
    assert_eq!(split_ndjson(lines(MAX_ITEMS).as_bytes()).unwrap().len(), MAX_ITEMS);
    let too_many = Err(Invalid::field("", "must have at most 1000 events"));
    assert_eq!(split_array(array(MAX_ITEMS + 1).as_bytes()), too_many);
    assert_eq!(split_ndjson(lines(MAX_ITEMS + 1).as_bytes()), too_many);
}
