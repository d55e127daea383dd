//! A store that is spoken to over TLS, with a name and a password.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use hindcast_test_services::{CassandraSetup, Temporary, ports};
use hindcast_views::{
    ViewStore,
    cql::{CqlViews, CqlViewsConfig},
};

use crate::{folded, row, table};

/// Cassandra makes its first user, of this name and password, some seconds after it answers.
const FIRST_USER: &str = "cassandra";
const PATIENCE: Duration = Duration::from_secs(60);

fn openssl(arguments: &[&str]) {
    let made = Command::new("openssl")
        .args(arguments)
        .output()
        .expect("the command openssl makes certificates for this test: install the package openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A certificate for 127.0.0.1 that signs itself: `NAME.pem`, and with its key `NAME.p12`. One that may sign others
/// would not do for a server.
fn make_certificate(folder: &Path, name: &str) {
    let path = |extension: &str| folder.join(format!("{name}.{extension}")).display().to_string();
    let (certificate, key, both) = (path("pem"), path("key"), path("p12"));
    let subject = [
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    let files = ["-keyout", &key, "-out", &certificate];
    openssl(&[&["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"][..], &subject, &files].concat());
    openssl(&["pkcs12", "-export", "-in", &certificate, "-inkey", &key, "-out", &both, "-passout", "pass:keystore"]);
}

fn secured_store(folder: &Path) -> Temporary {
    make_certificate(folder, "store");
    let settings = format!(
        "authenticator: PasswordAuthenticator\nauthorizer: CassandraAuthorizer\nclient_encryption_options:\n  enabled: true\n  \
         optional: false\n  keystore: {}\n  keystore_password: keystore\n  store_type: PKCS12\n",
        folder.join("store.p12").display()
    );
    Temporary::start(|own, packages| {
        let setup = CassandraSetup::new(ports::free(CassandraSetup::PORTS)?).settings(settings).secured();
        Ok(vec![setup.set_up(own, packages)?])
    })
    .unwrap()
}

async fn open_in_time(config: &CqlViewsConfig) -> CqlViews {
    let began = Instant::now();
    loop {
        match CqlViews::open(config).await {
            Ok(views) => return views,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn refusal(config: &CqlViewsConfig) -> String {
    CqlViews::open(config).await.expect_err("it opens").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_a_password_open_the_store_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = secured_store(folder.path());
    let password = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Some(path)
    };
    let good = CqlViewsConfig {
        nodes: vec![store.addresses()],
        username: Some(FIRST_USER.to_owned()),
        password_file: password("password", "cassandra\n"),
        ca_file: Some(folder.path().join("store.pem")),
        ..CqlViewsConfig::default()
    };
    let views = open_in_time(&good).await;
    views.write(folded(0, 5)).await.unwrap();
    let read = views.read(&table("t"), vec![row(b"key", 4).key]).await.unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(views.health(), Ok(()));

    let wrong = CqlViewsConfig { password_file: password("wrong", "wrong"), ..good.clone() };
    let wrong = refusal(&wrong).await;
    assert!(wrong.contains("incorrect") || wrong.to_lowercase().contains("authentication"), "{wrong}");
    let nameless = CqlViewsConfig { username: None, password_file: None, ..good.clone() };
    refusal(&nameless).await;
    make_certificate(folder.path(), "other");
    let untrusted = CqlViewsConfig { ca_file: Some(folder.path().join("other.pem")), ..good.clone() };
    let untrusted = refusal(&untrusted).await;
    assert!(untrusted.contains("certificate"), "{untrusted}");
    let plain = CqlViewsConfig { ca_file: None, ..good.clone() };
    refusal(&plain).await;
    let absent = CqlViewsConfig { password_file: Some(folder.path().join("absent")), ..good.clone() };
    let absent = refusal(&absent).await;
    assert!(absent.contains("absent") && absent.contains("password_file"), "{absent}");
}
