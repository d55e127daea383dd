//! Every test of the workspace in one run, those against real services too.
//!
//! One build for all: tests against real services are behind features, and a second build with other features would
//! compile most of the workspace once more, which takes longer than to start the services for all.

use std::time::Instant;

use crate::{
    bench,
    command::{Program, cargo},
    failure::{Failure, StepResult},
    needs,
    report::say,
    services::ForTests,
};

/// Features of the tests that need Kafka, a CQL store or a registry, and of what only such tests can show. Without them
/// `cargo test` needs Rust alone.
const FEATURES_OF_TESTS: [&str; 8] = [
    "hindcast-journal/kafka-tls",
    "hindcast-journal/real-services",
    "hindcast-registry/real-services",
    "hindcast-test-services/real-services",
    "hindcast-views/cql-tls",
    "hindcast-views/real-services",
    "hindcast/mistaken-fold",
    "hindcast/real-services",
];

/// Features of the tests on real market data, which is no part of the project.
const FEATURES_OF_REAL_DATA: [&str; 3] =
    ["hindcast-fold/real-data", "hindcast-replay-tools/real-data", "hindcast/real-data"];

/// Builds all tests, then starts the services, runs the tests and each benchmark on them and ends the services.
pub(crate) fn run() -> StepResult {
    needs::openssl_headers()?;
    needs::real_data()?;
    // Nothing runs beside the compiler that is not needed yet.
    timed("tests built", || cargo_test(["--no-run"]).run())?;
    let services = timed("services started", ForTests::start)?;
    let tested = timed("tests run", || cargo_test([""; 0]).env(&services.variables()).run());
    let tested = tested.and_then(|()| timed("benchmarks run", || bench::run_all_on(&services.settings())));
    let ended = services.end(tested.is_err());
    if tested.is_ok() {
        return ended;
    }
    if let Err(failure) = ended {
        say(&failure.to_string());
    }
    tested
}

/// Tells how long a part of the step took.
fn timed<T>(what: &str, part: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let start = Instant::now();
    let done = part()?;
    say(&format!("test: {what} in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(done)
}

/// `cargo test` over the workspace; whatever its further arguments, it is the same build.
pub(crate) fn cargo_test<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Program {
    let mut all: Vec<&'a str> = vec!["test", "--locked", "--workspace"];
    all.extend(features());
    all.extend(arguments);
    cargo(all)
}

/// The arguments that turn the features on.
pub(crate) fn features<'a>() -> impl Iterator<Item = &'a str> {
    let on_real_data = FEATURES_OF_REAL_DATA.into_iter().filter(|_| needs::real_data_is_there());
    FEATURES_OF_TESTS.into_iter().chain(on_real_data).flat_map(|feature| ["--features", feature])
}
