//! A store that doesn't answer for a while, and how much is asked of it.

use super::*;
use crate::proxy::Proxy;

const TIMEOUT: Duration = Duration::from_millis(300);

fn through(proxy: &Proxy) -> CqlViewsConfig {
    let request_timeout_ms = u64::try_from(TIMEOUT.as_millis()).unwrap();
    CqlViewsConfig { nodes: vec![proxy.address.to_string()], request_timeout_ms, ..config() }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let since = Instant::now();
    while !holds().await {
        assert!(since.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Short enough for the connection to live through, and long enough for it to be given up.
#[tokio::test]
async fn a_stopped_store_is_told_of_in_time_and_comes_back_by_itself() {
    for stop in [Duration::ZERO, TIMEOUT * 8] {
        let proxy = Proxy::start(node()).await;
        let store = open(&through(&proxy)).await;
        write_at_last(&store, folded(0, 5)).await;
        proxy.stop(true);
        let stopped = Instant::now();
        for _ in 0..3 {
            let since = Instant::now();
            let (written, read) = tokio::join!(store.write(folded(5, 9)), store.read(&table("t"), vec![b"k".to_vec()]));
            assert!(written.unwrap_err().retryable && read.unwrap_err().retryable);
            assert!(since.elapsed() < TIMEOUT * 3, "{:?}", since.elapsed());
            assert!(store.health().unwrap_err().contains("the view store can't"), "{:?}", store.health());
        }
        tokio::time::sleep(stop.saturating_sub(stopped.elapsed())).await;
        proxy.stop(false);
        // Nobody asks for anything.
        until("health", async || store.health().is_ok()).await;
        until("answers", async || store.stats().in_flight == 0).await;
        write_at_last(&store, folded(5, 9)).await;
        assert_eq!(stored_offset(&store, b"k").await, Some(8));
    }
}

/// It is noticed before anybody asks for anything.
#[tokio::test]
async fn a_store_that_stops_while_nothing_is_asked_is_noticed() {
    let proxy = Proxy::start(node()).await;
    let store = open(&through(&proxy)).await;
    write_at_last(&store, folded(0, 5)).await;
    proxy.stop(true);
    until("health", async || store.health().is_err()).await;
    proxy.stop(false);
    until("health", async || store.health().is_ok()).await;
}

/// However many wait: the proxy sees no more at a time than configured.
#[tokio::test]
async fn what_is_in_flight_is_bounded() {
    let proxy = Proxy::start(node()).await;
    let store = open(&CqlViewsConfig { in_flight: 16, request_timeout_ms: 10_000, ..through(&proxy) }).await;
    let batch = |from: u64| rows((from..from + 1_000).map(|n| row(&n.to_be_bytes(), n)).collect::<Vec<_>>());
    let keys: Vec<Vec<u8>> = (0..1_000_u64).map(|n| n.to_be_bytes().to_vec()).collect();
    store.write(batch(0)).await.unwrap();
    let (one, two, read) =
        tokio::join!(store.write(batch(1_000)), store.write(batch(2_000)), store.read(&table("t"), keys));
    one.and(two).unwrap();
    assert!(read.unwrap().iter().all(Option::is_some));
    assert!((8..=16).contains(&proxy.most_open()), "{}", proxy.most_open());
    assert!(store.stats().most_in_flight <= 16);
}

/// A request that nobody waits for any more holds its place, so that waiting again and again does not pile them up.
#[tokio::test]
async fn giving_up_does_not_make_room() {
    let proxy = Proxy::start(node()).await;
    let store = open(&CqlViewsConfig { in_flight: 4, ..through(&proxy) }).await;
    write_at_last(&store, folded(0, 5)).await;
    proxy.stop(true);
    for _ in 0..4 {
        assert!(store.write(rows((0..40).map(|n| row(&[n], 1)).collect::<Vec<_>>())).await.is_err());
        assert!(store.stats().in_flight <= 4);
    }
    proxy.stop(false);
    until("health", async || store.health().is_ok()).await;
    // A connection may have been given up meanwhile; what it had asked for is still with the store.
    assert!(proxy.most_open() <= 8, "{}", proxy.most_open());
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_can_be_repeated() {
    let store = open(&CqlViewsConfig { write_queue: 2, read_queue: 2, ..config() }).await;
    store.write(folded(0, 5)).await.unwrap();
    let writes = futures::future::join_all((0..10).map(|n| store.write(rows([row(b"k", n)])))).await;
    let table = table("t");
    let reads = futures::future::join_all((0..10).map(|_| store.read(&table, vec![b"k".to_vec()]))).await;
    let refused: Vec<_> =
        writes.into_iter().filter_map(Result::err).chain(reads.into_iter().filter_map(Result::err)).collect();
    assert_eq!(refused.len(), 16);
    assert!(refused.iter().all(|error| error.retryable && error.detail.contains("waiting already")), "{refused:?}");
    store.write(rows([row(b"k", 11)])).await.unwrap();
}
