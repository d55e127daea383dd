//! What can be wrong at the start: one clear line each, an exit code that tells whose fault it is, and no backtrace.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test

mod support;

use std::{
    path::Path,
    process::{Output, Stdio},
};

use support::{Server, command};

fn serve(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    command()
        .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(arguments)
        // Somebody who asks for backtraces of crashes does not ask for one here.
        .env("RUST_BACKTRACE", "1")
        .env("HINDCAST_TELEMETRY__FILTER", "warn")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// One line for each fault; every text in it.
fn judge(what: &str, output: &Output, code: i32, lines: &[&[&str]]) {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{what}: {told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{what}: it does not say that it listens");
    assert!(told.starts_with("error: "), "{what}: {told}");
    for inside in ["panicked", "backtrace", "RUST_BACKTRACE", "Error {", "Os {", ".rs:"] {
        assert!(!told.contains(inside), "{what} tells of the inside ({inside}): {told}");
    }
    let told: Vec<&str> = told.lines().collect();
    for parts in lines {
        assert!(
            told.iter().any(|line| parts.iter().all(|part| line.contains(part))),
            "{what}: no {parts:?} in {told:#?}"
        );
    }
    // A heading may stand above several.
    let most = if lines.len() == 1 { 1 } else { lines.len() + 1 };
    assert!((1..=most).contains(&told.len()), "{what}: {told:#?}");
}

#[test]
fn a_port_that_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command().args(["serve", "--listen", &address, "--data"]).arg(&data).output().unwrap();
    judge("a taken port", &output, 1, &[&[&address, "--listen"]]);
    assert!(!data.exists(), "nothing was touched");
}

#[test]
fn folders_that_can_not_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    judge("a file", &serve(&file, &[], &[]), 1, &[&["file"]]);
    // Below a file nothing can be made, whoever one is.
    judge("a folder that can't be made", &serve(&file.join("data"), &[], &[]), 1, &[&["file/data", "--data"]]);

    let foreign = folder.path().join("foreign");
    std::fs::create_dir_all(foreign.join("journal")).unwrap();
    std::fs::write(foreign.join("journal/letters.txt"), "dear").unwrap();
    judge("somebody else's folder", &serve(&foreign, &[], &[]), 1, &[&["foreign", "letters.txt"]]);
    assert!(foreign.join("journal/letters.txt").exists());

    let data = folder.path().join("data");
    let server = Server::start(&data);
    judge("a folder in use", &serve(&data, &[], &[]), 1, &[&["data", "in use"]]);
    server.stop();

    // The journal where the views are looked for, and the other way round.
    let swapped = folder.path().join("swapped");
    std::fs::create_dir(&swapped).unwrap();
    std::fs::rename(data.join("views"), swapped.join("journal")).unwrap();
    judge("views in place of a journal", &serve(&swapped, &[], &[]), 1, &[&["swapped/journal", "views"]]);
    std::fs::rename(swapped.join("journal"), data.join("views")).unwrap();

    let marker = data.join("journal/hindcast.json");
    let written = std::fs::read_to_string(&marker).unwrap();
    let mut newer: serde_json::Value = serde_json::from_str(&written).unwrap();
    let version = newer.as_object_mut().unwrap().values_mut().find(|value| value.is_u64()).expect("a version");
    *version = 9_999.into();
    std::fs::write(&marker, newer.to_string()).unwrap();
    judge("a folder of a newer version", &serve(&data, &[], &[]), 1, &[&["journal", "newer"]]);
    std::fs::write(&marker, "{").unwrap();
    judge("a folder with a broken marker", &serve(&data, &[], &[]), 1, &[&["journal/hindcast.json"]]);
    // Nothing of this did any harm.
    std::fs::write(&marker, written).unwrap();
    Server::start(&data).stop();
}

#[test]
fn configurations_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = folder.path().join("hindcast.toml");
    let configured = |text: &str, environment: &[(&str, &str)]| {
        std::fs::write(&file, text).unwrap();
        serve(&data, &["--config", file.to_str().unwrap()], environment)
    };
    let name = "hindcast.toml";
    judge("an unknown key in the file", &configured("[auth]\nbrust = 7", &[]), 2, &[&["auth.brust", name]]);
    judge("an unknown section", &configured("[ingres]\nx = 7", &[]), 2, &[&["ingres", name]]);
    judge("a wrong type", &configured("[auth]\nburst = \"many\"", &[]), 2, &[&["auth.burst", name]]);
    judge("no TOML", &configured("[auth\nburst = 7", &[]), 2, &[&[name]]);
    let missing = serve(&data, &["--config", "/nowhere/hindcast.toml"], &[]);
    judge("a file that is not there", &missing, 2, &[&["/nowhere/hindcast.toml"]]);
    let unknown = [("HINDCAST_AUTH__BRUST", "7")];
    judge(
        "an unknown key in the environment",
        &serve(&data, &[], &unknown),
        2,
        &[&["auth.brust", "HINDCAST_AUTH__BRUST"]],
    );
    judge("a role that is none", &serve(&data, &["--roles", "ingress,cook"], &[]), 2, &[&["roles", "cook"]]);
    let filter = [("HINDCAST_TELEMETRY__FILTER", "a=b=c")];
    judge("a filter that is none", &serve(&data, &[], &filter), 2, &[&["telemetry.filter"]]);
    let weak = [("HINDCAST_BOOTSTRAP_ADMIN_KEY", "short")];
    judge("a short admin key", &serve(&data, &[], &weak), 2, &[&["HINDCAST_BOOTSTRAP_ADMIN_KEY"]]);

    let several = "[auth]\nburst = 0\nbrust = 7\n[log]\nengine = \"paper\"\n[server]\nmax_connections = true\n";
    let environment = [("HINDCAST_PROJECTOR__THREADS", "no"), ("HINDCAST_VIEWS__EMBEDDED__NOTHING", "1")];
    judge(
        "several faults at once",
        &configured(several, &environment),
        2,
        &[
            &["auth.burst"],
            &["auth.brust"],
            &["log.engine", "paper"],
            &["server.max_connections"],
            &["projector.threads"],
            &["views.embedded.nothing"],
        ],
    );
    let lone = [
        ("HINDCAST_URL", "http://127.0.0.1:1"),
        ("HINDCAST_API_KEY", "x"),
        ("HINDCAST_BOOTSTRAP_ADMIN_KEY", support::ADMIN_KEY),
    ];
    Server::start_with(&data, &lone).stop();
}

#[test]
fn engines_that_are_not_there_or_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let apart = [("HINDCAST_LOG__ENGINE", "kafka"), ("HINDCAST_VIEWS__ENGINE", "cql")];
    let with = |further: &[(&'static str, &'static str)]| serve(&data, &[], &[&apart[..], further].concat());
    let senseless = with(&[
        ("HINDCAST_LOG__KAFKA__PARTITIONS", "0"),
        ("HINDCAST_LOG__GROUP__ID", ""),
        ("HINDCAST_REGISTRY__URL", "nowhere"),
        ("HINDCAST_VIEWS__CQL__IN_FLIGHT", "0"),
    ]);
    let faults: [&[&str]; 4] =
        [&["log.kafka", "partitions"], &["log.group", "id"], &["registry", "http://"], &["views.cql", "in_flight"]];
    judge("settings of engines, all at once", &senseless, 2, &faults);
    let unshared = with(&[("HINDCAST_ROLES", "[\"ingress\"]")]);
    judge("tokens that nobody else could check", &unshared, 2, &[&["auth.signing_keys_file", "all processes"]]);
    // The client libraries have log lines of their own before the one that is asked for here.
    let quiet = ("HINDCAST_TELEMETRY__FILTER", "off");
    let nobody =
        [("HINDCAST_LOG__KAFKA__BROKERS", "127.0.0.1:1"), ("HINDCAST_LOG__KAFKA__OPEN_TIMEOUT_MS", "1000"), quiet];
    judge("brokers that are not there", &with(&nobody), 1, &[&["127.0.0.1:1", "log.kafka.brokers"]]);
    let stores = [("HINDCAST_VIEWS__ENGINE", "cql"), ("HINDCAST_VIEWS__CQL__NODES", "[\"127.0.0.1:1\"]"), quiet];
    judge("a store that is not there", &serve(&data, &[], &stores), 1, &[&["127.0.0.1:1", "views.cql.nodes"]]);
}

#[test]
fn signing_keys_that_anyone_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let secret = folder.path().join("secret.json");
    std::fs::write(&secret, format!(r#"{{"keys": [{{"kid": "1", "seed": "{}"}}]}}"#, "07".repeat(32))).unwrap();
    let environment = [("HINDCAST_AUTH__SIGNING_KEYS_FILE", secret.to_str().unwrap())];
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = serve(&data, &[], &environment);
    judge("a secret for everybody", &output, 1, &[&["secret.json"]]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("0707"), "the secret is not told");
    std::fs::write(&secret, "{}").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    judge("a secret without keys", &serve(&data, &[], &environment), 1, &[&["secret.json"]]);
}

#[test]
fn every_command_helps() {
    let commands: [&[&str]; 20] = [
        &[],
        &["demo"],
        &["serve"],
        &["keys"],
        &["keys", "create"],
        &["keys", "list"],
        &["keys", "revoke"],
        &["import"],
        &["evaluate"],
        &["bench"],
        &["schema"],
        &["schema", "check"],
        &["completions"],
        &["reproject"],
        &["reproject", "plan"],
        &["reproject", "build"],
        &["reproject", "verify"],
        &["reproject", "cutover"],
        &["reproject", "rollback"],
        &["reproject", "status"],
    ];
    for arguments in commands {
        let output = command().args(arguments).arg("--help").output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        assert!(told.contains("Usage: hindcast"), "{arguments:?}: {told}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [&["serv"][..], &["serve", "--port", "80"], &["keys", "create"], &["serve", "--listen", "here"]] {
        let output = command().args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.starts_with("error: ") && !told.contains("panicked"), "{arguments:?}: {told}");
    }
    // Nobody listens: one line, and no panic.
    let output =
        command().args(["keys", "list", "--url", "http://127.0.0.1:1"]).env("HINDCAST_API_KEY", "x").output().unwrap();
    judge("a system that is not there", &output, 1, &[&["http://127.0.0.1:1"]]);
}
