//! Services that all tests of a run share: `cargo xtask test` starts them and says in the environment where they are.

use std::env;

use crate::error::Error;

/// Names Kafka's bootstrap servers, `127.0.0.1:19092`.
pub const KAFKA: &str = "HINDCAST_TEST_KAFKA";
/// Names a node of the CQL store, `127.0.0.1:19042`.
pub const CQL: &str = "HINDCAST_TEST_CQL";
/// Names the registry's URL, `http://127.0.0.1:18081/apis/ccompat/v7`.
pub const REGISTRY: &str = "HINDCAST_TEST_REGISTRY";

/// Kafka's bootstrap servers. The cluster has one node and is not killed: tests take topics of their own.
///
/// # Errors
/// When the tests were started without it; with how to start it.
pub fn kafka() -> Result<String, Error> {
    named(KAFKA)
}

/// A node of the CQL store. It is not killed: tests take keyspaces of their own.
///
/// # Errors
/// When the tests were started without it; with how to start it.
pub fn cql() -> Result<String, Error> {
    named(CQL)
}

/// The URL of the registry. It is not killed: tests take subjects of their own.
///
/// # Errors
/// When the tests were started without it; with how to start it.
pub fn registry() -> Result<String, Error> {
    named(REGISTRY)
}

fn named(variable: &str) -> Result<String, Error> {
    env::var(variable).map_err(|_| {
        Error::new(format!("this test needs a real service, and {variable} does not say where it is")).with_remedy(
            "`cargo xtask test` starts it; or: cargo xtask services up, then eval \"$(cargo xtask services env)\"",
        )
    })
}
