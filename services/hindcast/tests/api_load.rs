//! The load that existing bots make, and the limit that keeps one user from taking more than a share.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use http::StatusCode;
use serde_json::{Value, json};
use support::{Answer, Http, Server};

const USERS: usize = 100;
const REQUESTS: usize = 100;
/// Requests on their way at once: as many connections.
const AT_ONCE: usize = 200;
/// How long the default limit takes to give one request back.
const REFILL: Duration = Duration::from_millis(600);

fn body(user: usize) -> Value {
    json!({
        "user_id": format!("bot-owner-{user}"), "symbol": "ES", "signal_type": "LONG",
        "vwap_distance": (user % 10) as f64 / 2.0, "rsi": 30
    })
}

async fn ask(http: &Http, key: &str, user: usize) -> Answer {
    http.post("/api/ml/get_confidence", key, &body(user)).await
}

/// Requests that a user may have had answered after `elapsed`: all at once, and those given back meanwhile.
fn allowance(elapsed: Duration) -> usize {
    REQUESTS + usize::try_from(elapsed.as_millis() / REFILL.as_millis()).unwrap() + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_users_with_a_hundred_requests_each_and_not_one_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let keys: Vec<String> = stream::iter(0..USERS)
        .map(|user| {
            let http = http.clone();
            async move { http.key(&format!("bot-owner-{user}"), &["trade"], None).await }
        })
        .buffered(16)
        .collect()
        .await;

    let began = Instant::now();
    let answers: Vec<Answer> = stream::iter((0..REQUESTS).flat_map(|_| 0..USERS))
        .map(|user| ask(&http, &keys[user], user))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let took = began.elapsed();
    println!("{} answers in {took:?}, {:.0} a second", answers.len(), answers.len() as f64 / took.as_secs_f64());
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != StatusCode::OK).take(3).collect();
    assert!(refused.is_empty(), "all of a user's first hundred are answered: {refused:?}");
    assert_eq!(answers.len(), USERS * REQUESTS);
    let answer = answers[0].json();
    for field in ["ml_confidence", "action", "model_version", "user_trade_count", "timestamp"] {
        assert!(!answer[field].is_null(), "{field}: {answer}");
    }

    // Whoever goes on is refused, as soon as what time gave back is used up.
    for user in [0, 17, 99] {
        let mut answered = REQUESTS;
        let refused = loop {
            let answer = ask(&http, &keys[user], user).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                break answer;
            }
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            answered += 1;
            assert!(answered <= allowance(began.elapsed()), "user {user}: {answered} after {:?}", began.elapsed());
        };
        judge_refusal(&refused);
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_after_the_hundredth_is_refused_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let http = Http::new(&server.url);
    let (key, second_key) =
        (http.key("bot-owner-1", &["trade"], None).await, http.key("bot-owner-1", &["trade"], None).await);
    let (bystander, slow) =
        (http.key("bot-owner-2", &["trade"], None).await, http.key("bot-owner-3", &["trade"], Some(3)).await);

    let began = Instant::now();
    let answers: Vec<Answer> = stream::iter(0..250).map(|_| ask(&http, &key, 1)).buffer_unordered(50).collect().await;
    let answered = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    let most = allowance(began.elapsed());
    assert!(
        (REQUESTS..=most).contains(&answered),
        "{answered} of 250 answered, at most {most} in {:?}",
        began.elapsed()
    );
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != StatusCode::OK).collect();
    refused.iter().for_each(|answer| judge_refusal(answer));

    // The limit is the user's, not the key's, and nobody else's.
    let mut answer = ask(&http, &second_key, 1).await;
    if answer.status == StatusCode::OK {
        answer = ask(&http, &second_key, 1).await;
    }
    judge_refusal(&answer);
    assert_eq!(ask(&http, &bystander, 2).await.status, StatusCode::OK);
    // A key may have a limit of its own.
    let statuses = futures::future::join_all((0..6).map(|_| ask(&http, &slow, 3))).await;
    assert_eq!(statuses.iter().filter(|answer| answer.status == StatusCode::OK).count(), 3, "{statuses:?}");

    // Having waited as long as it was told, the user is answered again.
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(ask(&http, &key, 1).await.status, StatusCode::OK);

    // A batch costs one for each begun hundred of events.
    let batcher = http.key("bot-owner-4", &["trade"], Some(10)).await;
    let item = json!({"type": "signal", "symbol": "ES", "side": "LONG", "price": 1, "rsi": 1});
    let batch = |events: usize| Value::Array(vec![item.clone(); events]);
    assert_eq!(http.post("/v1/events", &batcher, &batch(801)).await.status, StatusCode::OK, "costs 9 of 10");
    judge_refusal(&http.post("/v1/events", &batcher, &batch(101)).await);
    server.stop();
}

fn judge_refusal(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert_eq!(answer.problem()["type"], "/problems/too-many-requests");
    let wait: u64 = answer.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=60).contains(&wait), "{answer:?}");
    assert!(answer.header("ratelimit").is_some() && answer.header("ratelimit-policy").is_some(), "{answer:?}");
}
