//! The compose file: valid, pinned, bounded, closed.

use hindcast_test_services::Kind;
use serde_json::{Map, Value};

use super::{is_pinned, is_secret, none_of, read};
use crate::{
    command::{program, root},
    failure::{Failure, StepResult},
    needs,
};

const FILE: &str = "docker-compose.kafka.yml";
/// The one service that is reached from outside.
const PROXY: &str = "proxy";

/// Whether compose takes the file, and it keeps the rules.
pub(super) fn check() -> StepResult {
    let (compose, first) = needs::compose()?;
    program(&compose, first.into_iter().chain(["-f", FILE, "config", "--quiet"])).run()?;
    let services = parse(&read(FILE)?)?;
    let mut faults = faults(&services);
    faults.extend(versions(&services));
    faults.extend(trusted(&services, &read("infra/docker/hindcast.toml")?));
    none_of(FILE, &faults)
}

fn parse(text: &str) -> Result<Value, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| Failure::new(format!("{FILE}: {error}"));
    let mut yaml: serde_norway::Value = serde_norway::from_str(text).map_err(|error| unreadable(&error))?;
    // What is merged in may merge in something itself.
    loop {
        let before = yaml.clone();
        yaml.apply_merge().map_err(|error| unreadable(&error))?;
        if yaml == before {
            break;
        }
    }
    serde_json::to_value(yaml).map_err(|error| unreadable(&error))
}

fn faults(file: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, service) in members(file, "services") {
        let mut fault = |what: String| faults.push(format!("{name}: {what}"));
        let image = text(service, "/image");
        if !is_pinned(image) {
            fault(format!("image {image:?}: name a version"));
        }
        for needed in [
            "/healthcheck/test",
            "/restart",
            "/logging/options/max-size",
            "/deploy/resources/limits/memory",
            "/deploy/resources/limits/cpus",
        ] {
            if service.pointer(needed).is_none() {
                fault(format!("{} is missing", needed.trim_start_matches('/').replace('/', ".")));
            }
        }
        if service.get("privileged").is_some() || service.to_string().contains("docker.sock") {
            fault("it could do anything to the machine".to_owned());
        }
        for variable in members(service, "environment").map(|(variable, _)| variable).filter(|name| is_secret(name)) {
            fault(format!("{variable}: a secret belongs in a file"));
        }
        for port in strings(service, "ports").filter(|port| name != PROXY && !port.starts_with("127.0.0.1:")) {
            fault(format!("port {port}: only the {PROXY} is reached from outside"));
        }
        for secret in strings(service, "secrets").filter(|secret| declared(file, "secrets", secret).is_none()) {
            fault(format!("secret {secret} is not declared"));
        }
        for mount in strings(service, "volumes") {
            let source = mount.split(':').next().unwrap_or_default();
            let there = match source.strip_prefix("./") {
                Some(path) => root().join(path).exists(),
                None => declared(file, "volumes", source).is_some(),
            };
            if !there {
                fault(format!("volume {mount}: {source} is not there"));
            }
        }
        let outside = networks(service).into_iter().find(|network| {
            declared(file, "networks", network)
                .is_none_or(|network| network.get("internal") != Some(&Value::Bool(true)))
        });
        if let Some(network) = outside.filter(|_| service.get("ports").is_none()) {
            fault(format!("network {network} has a way out, and nothing is published there"));
        }
    }
    faults
}

/// The same versions as the tests run against, where the images have them.
fn versions(file: &Value) -> Vec<String> {
    let differs = |(service, kind): &(&str, Kind)| {
        let image = text(file, &format!("/services/{service}/image"));
        let tag = image.rsplit(':').next().unwrap_or_default();
        (tag != kind.version()).then(|| format!("{service}: {image}, but tests run {}", kind.version()))
    };
    [("kafka", Kind::Kafka), ("registry", Kind::Registry)].iter().filter_map(differs).collect()
}

/// The services believe the proxy's address, and no other.
fn trusted(file: &Value, configuration: &str) -> Option<String> {
    let address = text(file, "/services/proxy/networks/inside/ipv4_address");
    let expected = format!("trusted_proxies = [\"{address}\"]");
    let found = configuration.lines().any(|line| line == expected);
    (!found).then(|| format!("infra/docker/hindcast.toml does not say {expected}"))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn members<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn strings<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn declared<'v>(file: &'v Value, section: &str, name: &str) -> Option<&'v Value> {
    file.get(section).and_then(|section| section.get(name))
}

/// A list, or a map with details of each.
fn networks(service: &Value) -> Vec<&str> {
    strings(service, "networks").chain(members(service, "networks").map(|(name, _)| name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_named() {
        let file = parse(
            "services:\n  a: &a\n    image: a\n    privileged: true\n    environment: {DB_PASSWORD: x}\n    ports: ['80:80']\n    \
             secrets: [s]\n    volumes: ['v:/v', './nowhere:/n']\n  b:\n    <<: *a\n    image: b:1.0\n    ports: []\n",
        )
        .unwrap();
        let faults = faults(&file);
        for word in [
            "a: image",
            "a: healthcheck.test",
            "memory",
            "machine",
            "DB_PASSWORD",
            "port 80",
            "secret s",
            "v:/v",
            "nowhere",
            "b: restart",
        ] {
            assert!(faults.iter().any(|fault| fault.contains(word)), "{word}: {faults:#?}");
        }
        assert!(!faults.iter().any(|fault| fault.starts_with("b: image")), "{faults:#?}");
    }

    #[test]
    fn only_the_internal_network_may_be_without_ports() {
        let file = "networks: {inside: {internal: true}, outside: {}}\nservices:\n  a: {networks: {inside: {}}}\n  b: {networks: [outside]}";
        let faults = faults(&parse(file).unwrap());
        let open: Vec<_> = faults.iter().filter(|fault| fault.contains("way out")).collect();
        assert_eq!(open, ["b: network outside has a way out, and nothing is published there"]);
    }
}
