//! The services themselves: they start, die, come back with their data, and leave nothing behind.

#![cfg(feature = "real-services")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use hindcast_test_services::{Node, State, Temporary, registry_url, shared};

#[test]
fn a_broker_of_three_dies_hangs_and_comes_back() {
    let mut kafka = Temporary::kafka(3).unwrap();
    assert_eq!(kafka.addresses().split(',').count(), 3);
    let pid = kafka.node("kafka-2").unwrap().pid().unwrap();
    kafka.node("kafka-2").unwrap().kill().unwrap();
    assert_eq!(states(&kafka), [State::Ready, State::Stopped, State::Ready]);
    kafka.node("kafka-3").unwrap().pause().unwrap();
    assert_eq!(states(&kafka), [State::Ready, State::Stopped, State::Paused]);
    kafka.node("kafka-3").unwrap().resume().unwrap();
    kafka.node("kafka-2").unwrap().start().unwrap();
    assert_eq!(states(&kafka), [State::Ready; 3]);
    assert_ne!(kafka.node("kafka-2").unwrap().pid().unwrap(), pid);
    assert!(kafka.node("kafka-4").unwrap_err().to_string().contains("kafka-4"));

    let (folder, address) = (kafka.folder().to_owned(), kafka.nodes()[0].address());
    drop(kafka);
    assert!(!folder.exists());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_killed_store_comes_back() {
    let mut cassandra = Temporary::cassandra().unwrap();
    cassandra.node("cassandra").unwrap().kill().unwrap();
    assert_eq!(states(&cassandra), [State::Stopped]);
    cassandra.node("cassandra").unwrap().start().unwrap();
    assert_eq!(states(&cassandra), [State::Ready]);
}

#[test]
fn a_registry_keeps_its_schemas_until_they_are_lost() {
    let mut services = Temporary::registry().unwrap();
    let registry = services.node("registry").unwrap();
    assert!(registry_url(registry).ends_with("/apis/ccompat/v7"));
    assert_eq!(http(registry, "POST", "/subjects/a/versions", r#"{"schema": "\"string\""}"#), 200);
    registry.kill().unwrap();
    registry.start().unwrap();
    assert_eq!(http(registry, "GET", "/subjects/a/versions/1", ""), 200);
    registry.lose_data().unwrap();
    registry.start().unwrap();
    assert_eq!(http(registry, "GET", "/subjects/a/versions/1", ""), 404);
}

#[test]
fn the_services_that_tests_share_are_named() {
    let registry = shared::registry().unwrap();
    assert!(registry.starts_with("http://127.0.0.1:"), "{registry}");
    for address in [shared::kafka().unwrap(), shared::cql().unwrap()] {
        TcpStream::connect(&address).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
}

fn states(services: &Temporary) -> Vec<State> {
    services.nodes().iter().map(Node::state).collect()
}

/// The status of the answer.
fn http(registry: &Node, method: &str, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /apis/ccompat/v7{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
