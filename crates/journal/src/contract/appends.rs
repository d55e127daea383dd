//! What must hold of appends.

use super::harness::{Likeness, Seed, Subject, assert_refused, record, record_to, wait};
use crate::{LogIdentity, NewRecord, RecordType, Topic};

/// Offset 0 of every partition names the log.
pub fn genesis_opens_every_partition(subject: &Subject, _: &Seed) {
    let identity = subject.log.identity();
    assert!(identity.partitions >= 2, "the contract needs two partitions");
    for topic in Topic::ALL {
        for partition in 0..identity.partitions_of(topic) {
            assert_eq!(*subject.log.durable_end(topic, partition).borrow(), 1);
            let records = subject.read_all(topic, partition);
            let genesis = LogIdentity::from_genesis(&records[0].value).expect("a genesis record");
            assert_eq!(genesis, *identity);
        }
    }
}

/// Records are stored with everything they carry, whatever it is.
pub fn every_field_is_read_back(subject: &Subject, _: &Seed) {
    let large = vec![0xab; 1 << 20];
    let types = [
        RecordType::Signal,
        RecordType::Trade,
        RecordType::Void,
        RecordType::Decision,
        RecordType::Setting,
        RecordType::DeadLetter,
        RecordType::Unknown,
    ];
    let traces = [None, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), Some("")];
    let mut records = Vec::new();
    for (nth, topic) in Topic::ALL.into_iter().cycle().take(28).enumerate() {
        records.push(NewRecord {
            topic,
            partition: 0,
            key: [&b""[..], b"user", &[0, 0xff, 0]][nth % 3].into(),
            record_type: types[nth % types.len()],
            timestamp_us: [0, -1, i64::MIN, i64::MAX, 1_700_000_000_000_000][nth % 5],
            traceparent: traces[nth % 3].map(Into::into),
            value: [&b""[..], &[0; 5], b"body", &large][(nth / 4) % 4].to_vec(),
        });
    }
    let positions = subject.append(&records);
    for topic in Topic::ALL {
        let stored = subject.read_all(topic, 0);
        for (record, &position) in records.iter().zip(&positions).filter(|(record, _)| record.topic == topic) {
            subject.check_stored(&stored, record, position);
        }
    }
}

/// The positions answered are those of the records, in the order given, rising within each partition.
pub fn positions_come_in_the_order_given(subject: &Subject, _: &Seed) {
    let records: Vec<_> = (0..300_u16)
        .map(|n| record_to([Topic::Journal, Topic::Decisions][usize::from(n % 2)], (n / 2) % 2, &format!("{n}")))
        .collect();
    let positions = subject.append(&records);
    assert_eq!(positions.len(), records.len());
    for topic in [Topic::Journal, Topic::Decisions] {
        for partition in 0..2 {
            let stored = subject.read_all(topic, partition);
            let mut last = 0;
            for (record, &position) in records.iter().zip(&positions) {
                if record.topic == topic && record.partition == partition {
                    subject.check_stored(&stored, record, position);
                    assert!(position.offset > last, "offsets rise");
                    last = position.offset;
                }
            }
        }
    }
}

/// An append made after another was acknowledged comes after it.
pub fn later_appends_come_later(subject: &Subject, _: &Seed) {
    let mut last = 0;
    for n in 0..50 {
        let record = record(1, &format!("{n}"));
        let position = subject.append(std::slice::from_ref(&record))[0];
        assert!(position.offset > last);
        last = position.offset;
        subject.check_stored(&subject.read_all(Topic::Journal, 1), &record, position);
    }
}

/// Appends take their places in the order of calls, whenever and in whatever order they are waited for.
pub fn appends_are_taken_in_at_once(subject: &Subject, _: &Seed) {
    let records: Vec<_> = (0..40).map(|n| record(0, &format!("{n}"))).collect();
    subject.note(&records);
    let mut waiting: Vec<_> = records.iter().map(|record| subject.log.append(vec![record.clone()])).collect();
    let mut last = u64::MAX;
    while let Some(appending) = waiting.pop() {
        match wait(appending) {
            Ok(positions) => {
                assert!(positions[0].offset < last, "an earlier call has an earlier place");
                last = positions[0].offset;
                subject.check_stored(&subject.read_all(Topic::Journal, 0), &records[waiting.len()], positions[0]);
            }
            Err(error) => subject.tolerate(&error),
        }
    }
}

/// A caller that stops waiting takes nothing back.
pub fn a_dropped_future_takes_nothing_back(subject: &Subject, _: &Seed) {
    let given_up: Vec<_> = (0..20).map(|n| record(0, &format!("given up {n}"))).collect();
    subject.note(&given_up);
    for record in &given_up {
        drop(subject.log.append(vec![record.clone()]));
    }
    let last = record(0, "waited for");
    let end = subject.append(std::slice::from_ref(&last))[0].offset;
    let stored = subject.read_all(Topic::Journal, 0);
    let before: Vec<_> = stored.iter().filter(|record| record.offset < end).map(Likeness::of).collect();
    for record in &given_up {
        assert!(subject.faulty || before.contains(&Likeness::of_new(record)), "{record:?} was taken back");
    }
}

/// A record that can't be stored keeps its whole append out.
pub fn all_records_or_none(subject: &Subject, _: &Seed) {
    let missing = subject.log.identity().partitions;
    for stranger in [record(missing, "x"), record_to(Topic::Control, 1, "x")] {
        loop {
            let Err(error) = wait(subject.log.append(vec![record(0, "never noted"), stranger.clone()])) else {
                panic!("a partition that doesn't exist was written to");
            };
            if !(subject.faulty && error.retryable) {
                assert_refused(&error);
                break;
            }
        }
    }
    subject.append(&[record(0, "after")]);
    subject.read_all(Topic::Journal, 0); // finds what was never noted
}

/// Nothing is appended at once.
pub fn nothing_to_append(subject: &Subject, _: &Seed) {
    assert!(subject.append(&[]).is_empty());
}

/// A log that takes appends says so.
pub fn a_working_log_is_healthy(subject: &Subject, _: &Seed) {
    subject.append(&[record(0, "x")]);
    if !subject.faulty {
        assert_eq!(subject.log.health(), Ok(()));
    }
}
