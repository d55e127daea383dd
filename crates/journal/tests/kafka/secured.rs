//! Brokers that are spoken to over TLS, with a name and a password.

use std::{fs, path::Path, process::Command};

use hindcast_journal::{
    Log,
    kafka::{KafkaGroupConfig, KafkaLogConfig, KafkaMembership, KafkaSecurity, SaslMechanism, SecurityProtocol},
    membership::{Membership, Ownership},
};
use hindcast_test_services::{KafkaSetup, Packages, Temporary, ports};

use crate::support::{OwnKafka, append, bodies, config_at, eventually, open, refusal};

/// A certificate for 127.0.0.1 that signs itself: `certificate.pem`, and with its key `keystore.pem`.
fn make_certificate(folder: &Path) {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("the command openssl makes certificates for this test: install the package openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let both = [fs::read(&key).unwrap(), fs::read(&certificate).unwrap()].concat();
    fs::write(folder.join("keystore.pem"), both).unwrap();
}

fn secured_kafka(folder: &Path) -> OwnKafka {
    make_certificate(folder);
    let login = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"broker\" \
                 password=\"of the broker\";";
    let set_up = |own: &Path, packages: &Packages| {
        KafkaSetup::new(1, ports::free(KafkaSetup::ports(1))?)
            .secured()
            .property("listener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT")
            .property("sasl.enabled.mechanisms=SCRAM-SHA-512")
            .property("sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512")
            .property(format!("listener.name.client.scram-sha-512.sasl.jaas.config={login}"))
            .property("ssl.keystore.type=PEM")
            .property(format!("ssl.keystore.location={}", folder.join("keystore.pem").display()))
            .property("ssl.truststore.type=PEM")
            .property(format!("ssl.truststore.location={}", folder.join("certificate.pem").display()))
            .format_argument("--add-scram")
            .format_argument("SCRAM-SHA-512=[name=hindcast,password=of hindcast]")
            .format_argument("--add-scram")
            .format_argument("SCRAM-SHA-512=[name=broker,password=of the broker]")
            .set_up(own, packages)
    };
    OwnKafka::start(|| Temporary::start(set_up))
}

struct Nobody;

impl Ownership for Nobody {
    fn assigned(&self, partitions: &[u16]) {
        println!("assigned {partitions:?}");
    }
    fn revoked(&self, _: &[u16]) -> Vec<(u16, u64)> {
        Vec::new()
    }
    fn lost(&self, _: &[u16]) {}
    fn progress(&self) -> Vec<(u16, u64)> {
        Vec::new()
    }
}

#[test]
fn tls_and_a_password_open_the_log_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let kafka = secured_kafka(folder.path());
    let password_file = folder.path().join("password");
    fs::write(&password_file, "of hindcast\n").unwrap();
    let good = KafkaLogConfig {
        security: KafkaSecurity {
            protocol: SecurityProtocol::SaslSsl,
            mechanism: SaslMechanism::ScramSha512,
            username: "hindcast".to_owned(),
            password_file: Some(password_file),
            ca_file: Some(folder.path().join("certificate.pem")),
            ..KafkaSecurity::default()
        },
        ..config_at(kafka.services.addresses())
    };
    let log = open(&good);
    append(&log, 1, "secret").unwrap();
    assert_eq!(bodies(&log, 1), ["secret"]);
    assert_eq!(log.health(), Ok(()));
    let membership = KafkaMembership::new(&good, &KafkaGroupConfig::default()).unwrap();
    drop(Box::new(membership).join(std::sync::Arc::new(Nobody)).unwrap());
    eventually("it is durable", || *log.durable_end(hindcast_journal::Topic::Journal, 1).borrow() == 2);

    let hasty = |security| KafkaLogConfig { security, open_timeout_ms: 3_000, ..good.clone() };
    fs::write(folder.path().join("wrong"), "wrong").unwrap();
    let wrong =
        refusal(&hasty(KafkaSecurity { password_file: Some(folder.path().join("wrong")), ..good.security.clone() }));
    assert!(wrong.to_string().to_lowercase().contains("authentication"), "{wrong}");
    let untrusted = refusal(&hasty(KafkaSecurity { ca_file: None, ..good.security.clone() }));
    assert!(untrusted.to_string().contains("certificate"), "{untrusted}");
    let absent = KafkaSecurity { password_file: Some(folder.path().join("absent")), ..good.security.clone() };
    let absent = refusal(&hasty(absent)).to_string();
    assert!(absent.contains("absent") && absent.contains("password"), "{absent}");
    refusal(&hasty(KafkaSecurity::default()));
    let debugged = format!("{good:?}{log:?}");
    assert!(!debugged.contains("of hindcast"), "{debugged}");
}
