//! Bytes of every version, decoded for ever.
//!
//! `HINDCAST_WRITE_GOLDEN=1 cargo test -p hindcast-schemas golden` writes the files of a new version, and never changes
//! one that exists: some log holds such bytes.

use std::{fs, path::PathBuf};

use hindcast_schemas::{
    Codec, LocalRegistry, Subject,
    known::{KNOWN_SCHEMAS, KnownSchema, current},
};

use crate::samples::{Case, Content, newest, version_1};

/// What the bytes of a version mean in the form that events have today.
fn expected(subject: Subject, version: u32, case: Case) -> Content<'static> {
    match version {
        1 => version_1(subject, case),
        2 => newest(subject, case),
        other => panic!("say here what version {other} of {} holds", subject.name()),
    }
}

fn path(known: &KnownSchema, case: Case) -> PathBuf {
    let record = known.subject.name().trim_start_matches("hindcast.");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    folder.join(format!("{record}.v{}.{}.hex", known.version, case.name()))
}

/// Lines of hex digits in pairs.
fn to_hex(bytes: &[u8]) -> String {
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.chunks(32).map(|line| line.join(" ") + "\n").collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn golden_bytes_of_every_version_are_read() {
    let codec = Codec::new(LocalRegistry).unwrap();
    for known in KNOWN_SCHEMAS {
        for case in Case::ALL {
            let path = path(known, case);
            let expected = expected(known.subject, known.version, case);
            if !path.exists() && std::env::var_os("HINDCAST_WRITE_GOLDEN").is_some() {
                fs::write(&path, to_hex(&expected.encode(&codec).unwrap())).unwrap();
            }
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let record = from_hex(&text);
            assert_eq!(record.get(1..5), Some(&known.local_id.to_be_bytes()[..]), "{}", path.display());
            let decoded = Content::decode(&codec, known.subject, &record);
            assert_eq!(decoded, Ok(expected), "{}", path.display());
        }
    }
}

#[test]
fn current_versions_are_written_as_the_golden_bytes() {
    let codec = Codec::new(LocalRegistry).unwrap();
    for subject in Subject::ALL {
        let known = current(subject).unwrap();
        for case in Case::ALL {
            let record = expected(subject, known.version, case).encode(&codec).unwrap();
            let golden = fs::read_to_string(path(known, case)).unwrap();
            assert_eq!(to_hex(&record), golden, "{} {}", subject.name(), case.name());
        }
    }
}

#[test]
fn every_golden_file_is_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut read: Vec<_> = KNOWN_SCHEMAS.iter().flat_map(|known| Case::ALL.map(|case| path(known, case))).collect();
    found.sort();
    read.sort();
    assert_eq!(found, read);
}
