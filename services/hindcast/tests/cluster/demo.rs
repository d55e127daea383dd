//! `hindcast demo` on the services: it begins empty every time, and leaves nothing.

use std::{path::Path, time::Duration};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};

use crate::{
    support::{bars::first_real_bars, run::hindcast, runtime},
    system::Services,
};

/// Some sessions of real minutes.
const BARS: usize = 3_000;

#[test]
#[cfg_attr(not(feature = "real-data"), ignore = "needs the real market data in ../shared/data")]
fn a_demo_begins_empty_every_time() {
    let services = Services::shared();
    let folder = tempfile::tempdir().unwrap();
    let bars = first_real_bars(BARS, folder.path());
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/local/kafka.toml");
    let arguments = ["demo", "--exit", "--json", "--listen", "127.0.0.1:0", "--users", "2", "--bars"];
    let arguments = [&arguments[..], &[bars.to_str().unwrap(), "--config", config.to_str().unwrap()]].concat();
    let nodes = format!("[\"{}\"]", services.cql);
    let places = [
        ("HINDCAST_LOG__KAFKA__BROKERS", &*services.kafka),
        ("HINDCAST_VIEWS__CQL__NODES", &nodes),
        ("HINDCAST_REGISTRY__URL", &services.registry),
    ];
    let lessons = [(); 2].map(|()| {
        let run = runtime().block_on(hindcast(&arguments, &places));
        assert_eq!(run.code, 0, "{run:?}");
        let mut lesson = run.json();
        lesson.as_object_mut().unwrap().remove("seconds");
        lesson
    });
    assert_eq!(lessons[0]["bars"], BARS);
    assert!(
        lessons[0]["users"].as_array().unwrap().iter().all(|user| user["signals"].as_u64() > Some(0)),
        "{lessons:?}"
    );
    assert_eq!(lessons[0], lessons[1]);

    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &services.kafka).create().unwrap();
    let metadata = consumer.fetch_metadata(None, Duration::from_secs(10)).unwrap();
    let left: Vec<_> =
        metadata.topics().iter().map(|topic| topic.name()).filter(|name| name.starts_with("demo-")).collect();
    assert!(left.is_empty(), "{left:?}");
}
