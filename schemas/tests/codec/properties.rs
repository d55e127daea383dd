//! What holds for every event.

use std::borrow::Cow;

use hindcast_schemas::{Codec, EncodeError, Event, ImportPlace, LocalRegistry, Subject, Unsound};
use proptest::prelude::*;

use crate::{
    samples::{Case, Content, newest},
    strategies,
};

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(content in strategies::content()) {
        let codec = Codec::new(LocalRegistry).unwrap();
        let record = content.encode(&codec).unwrap();
        let decoded = Content::decode(&codec, content.subject(), &record).unwrap();
        prop_assert_eq!(&decoded, &content);
        // Equal numbers can differ in their bits: a zero has a sign.
        prop_assert_eq!(decoded.encode(&codec).unwrap(), record);
    }

    #[test]
    fn records_stand_one_behind_the_other(contents in proptest::collection::vec(strategies::content(), 1..5)) {
        let codec = Codec::new(LocalRegistry).unwrap();
        let mut all = vec![0xaa];
        for content in &contents {
            let before = all.clone();
            match content {
                Content::Event(event) => codec.encode_event(event, &mut all).unwrap(),
                Content::Decision(decision) => codec.encode_decision(decision, &mut all).unwrap(),
            }
            prop_assert!(all.starts_with(&before));
            prop_assert_eq!(&all[before.len()..], content.encode(&codec).unwrap());
        }
    }
}

#[test]
fn text_is_borrowed_from_the_record() {
    let codec = Codec::new(LocalRegistry).unwrap();
    let record = newest(Subject::DecisionMade, Case::Full).encode(&codec).unwrap();
    let decision = codec.decode_decision(&record).unwrap();
    let signal = &decision.signal;
    let import = signal.import.as_ref().unwrap();
    let texts = [&signal.user_id, &signal.symbol, &import.source, &decision.generation, &decision.model.digest];
    let optional = [&signal.strategy, &decision.experiment, &decision.arm].map(|text| text.as_ref().unwrap());
    let features = signal.features.iter().map(|(name, _)| name);
    for text in texts.into_iter().chain(optional).chain(features) {
        assert!(matches!(text, Cow::Borrowed(_)), "{text} is a copy");
    }
}

#[test]
fn what_breaks_a_rule_is_not_written() {
    let codec = Codec::new(LocalRegistry).unwrap();
    let mut into = vec![1, 2, 3];
    let Content::Event(Event::Signal(signal)) = newest(Subject::SignalReceived, Case::Full) else { panic!() };

    let not_finite = Event::Signal(hindcast_schemas::SignalReceived { atr: Some(f64::NAN), ..signal.clone() });
    let refused = codec.encode_event(&not_finite, &mut into);
    assert_eq!(refused, Err(EncodeError::Unsound(Unsound::NotFinite { field: "atr" })));

    // Only noticed after half of the record was written.
    let import = Some(ImportPlace { source: "file".into(), sequence: u64::MAX });
    let too_far = Event::Signal(hindcast_schemas::SignalReceived { import, ..signal });
    assert!(matches!(codec.encode_event(&too_far, &mut into), Err(EncodeError::Schema { .. })));
    assert_eq!(into, [1, 2, 3]);
}

#[test]
fn one_codec_serves_all_threads() {
    let codec = Codec::new(LocalRegistry).unwrap();
    std::thread::scope(|scope| {
        for case in Case::ALL {
            let codec = &codec;
            scope.spawn(move || {
                for _ in 0..100 {
                    for subject in Subject::ALL {
                        let content = newest(subject, case);
                        let record = content.encode(codec).unwrap();
                        assert_eq!(Content::decode(codec, subject, &record).as_ref(), Ok(&content));
                    }
                }
            });
        }
    });
}
