//! Deriving decisions again.

use hindcast_control::Change;
use hindcast_domain::Position;
use hindcast_domain::TimestampUs;
use hindcast_fold::generation::{BookGeneration, BookParams, GenerationSet};
use hindcast_journal::{RecordType, Topic};
use hindcast_replay_tools::verify_decisions::{Cause, Report, verify_decisions};
use hindcast_schemas::{Action, DecisionMade, Event};
use hindcast_scoring::{
    PublishedModel, PublishedPolicy,
    published::{KernelParams, ModelParams, PolicyParams, ThresholdParams},
};

use crate::world::{World, partition, shared, signal, trade};

fn verified(world: &World) -> Report {
    verify_decisions(shared(world).as_ref(), &world.codec).unwrap()
}

/// A decision on what is in the journal now, and its signal's and its trade's record after it.
fn decide(world: &World, user: &str, symbol: &str, row: u32) -> DecisionMade<'static> {
    let signal = signal(user, symbol, row);
    let decision = world.decided(signal.clone(), world.end(user));
    world.event(&Event::Signal(signal.clone()));
    world.event(&Event::Trade(trade(&signal, row.is_multiple_of(3))));
    decision
}

#[test]
fn nothing_recorded_is_nothing_different() {
    assert_eq!(verified(&World::new()), Report::default());
}

#[test]
fn decisions_of_several_users_derive_again() {
    let world = World::new();
    let mut confidences = Vec::new();
    for row in 0..60 {
        for (user, symbol) in [("trader-1", "ES"), ("trader-2", "ES"), ("trader-1", "NQ"), ("trader-3", "CL")] {
            let decision = decide(&world, user, symbol, row + if symbol == "NQ" { 1_000 } else { 0 });
            confidences.push(decision.confidence.to_bits());
            world.decision(&decision);
        }
        world.rubbish("trader-2");
        world.history("trader-4", "ES", row..row + 1);
    }
    let report = verified(&world);
    assert!(report.is_same(), "{report:#?}");
    assert_eq!((report.records, report.same, report.superseded), (240, 240, 0));
    confidences.sort_unstable();
    confidences.dedup();
    assert!(confidences.len() > 100, "decisions that are all alike would show nothing");
}

/// A row can be older than the journal: a reader's cache lags behind.
#[test]
fn a_row_that_lags_behind_is_the_row_that_counts() {
    let world = World::new();
    world.history("trader-1", "ES", 0..50);
    for (row, end) in [(100, 5), (101, 21), (102, 60), (103, 1)] {
        let decision = world.decided(signal("trader-1", "ES", row), end);
        assert_eq!(decision.row_found, end > 1);
        world.decision(&decision);
    }
    let report = verified(&world);
    assert_eq!((report.same, report.different), (4, 0), "{report:#?}");
}

#[test]
fn the_settings_of_its_time_count() {
    let mut world = World::new();
    world.history("trader-1", "ES", 0..50);
    let first = decide(&world, "trader-1", "ES", 100);
    world.decision(&first);

    let params = KernelParams { bandwidth: 0.4, ..KernelParams::default() };
    let model = PublishedModel { version: 2, params: ModelParams::Kernel(params), name: "kernel".to_owned() };
    world.change(Change::ModelPublished { model });
    let params = PolicyParams::Threshold(ThresholdParams { threshold: 0.6, exploration: 0.5 });
    world.change(Change::PolicyPublished {
        policy: PublishedPolicy { version: 2, params, name: "threshold".to_owned() },
    });
    world.activate(2, 2);
    for row in 101..121 {
        world.decision(&decide(&world, "trader-1", "ES", row));
    }

    let params = BookParams { ring_trades: 10, waiting_signals: 4, ..BookParams::default() };
    let book = BookGeneration { params, ..BookGeneration::default() };
    world.change(Change::GenerationsActivated { generations: GenerationSet { book, ..GenerationSet::default() } });
    world.decision(&decide(&world, "trader-1", "ES", 121));
    world.activate(1, 1);
    world.decision(&decide(&world, "trader-1", "ES", 122));

    let report = verified(&world);
    assert_eq!((report.same, report.different), (23, 0), "{report:#?}");
}

#[test]
fn the_last_record_of_a_decision_counts() {
    let world = World::new();
    world.history("trader-1", "ES", 0..50);
    let good = decide(&world, "trader-1", "ES", 100);
    world.decision(&DecisionMade { confidence: 0.123, ..good.clone() });
    world.decision(&good);
    let report = verified(&world);
    assert_eq!((report.records, report.superseded, report.same, report.different), (2, 1, 1, 0));

    world.decision(&DecisionMade { confidence: 0.123, ..good });
    assert_eq!(verified(&world).different, 1);
}

/// Each thing that a decision says of itself is checked: changing it alone is found.
#[test]
fn every_field_counts() {
    type Falsify = fn(&mut DecisionMade<'static>);
    let falsified: [(&str, Falsify); 13] = [
        ("decision_id", |d| d.decision_id = uuid::Uuid::nil()),
        ("generation", |d| d.generation = "0123456789abcdef".into()),
        ("model", |d| d.model.version = 2),
        ("model", |d| d.model.digest = "00".into()),
        ("policy", |d| d.policy.name = "other".into()),
        ("experiment", |d| d.experiment = Some("winter".into())),
        ("experiences", |d| d.experiences += 1),
        ("action", |d| d.action = if d.action == Action::Take { Action::Skip } else { Action::Take }),
        ("confidence", |d| d.confidence = d.confidence.next_up()),
        ("interval_low", |d| d.interval_low = d.interval_low.next_down()),
        ("interval_high", |d| d.interval_high = d.interval_high.next_up()),
        ("novelty", |d| d.novelty = d.novelty.next_up()),
        ("propensity", |d| d.propensity = d.propensity.next_down()),
    ];
    for (name, falsify) in falsified {
        let world = World::new();
        world.history("trader-1", "ES", 0..50);
        let mut decision = decide(&world, "trader-1", "ES", 100);
        falsify(&mut decision);
        world.decision(&decision);
        let report = verified(&world);
        let [finding] = report.findings.as_slice() else { panic!("{name}: {report:?}") };
        let Cause::Values { fields } = &finding.cause else { panic!("{name}: {finding}") };
        assert_eq!(fields.iter().map(|field| field.name).collect::<Vec<_>>(), [name], "{finding}");
        assert!(finding.to_string().contains(name), "{finding}");
    }
}

/// Features and strategy are what it was scored on: a signal that differs from the one scored is found by its score.
#[test]
fn another_signal_is_another_score() {
    let world = World::new();
    world.history("trader-1", "ES", 0..50);
    let mut decision = decide(&world, "trader-1", "ES", 100);
    decision.signal.rsi = decision.signal.rsi.map(|rsi| rsi + 10.0);
    world.decision(&decision);
    let report = verified(&world);
    assert!(matches!(report.findings[0].cause, Cause::Values { .. }), "{report:?}");
}

#[test]
fn rows_that_never_were_and_rows_that_were() {
    let world = World::new();
    world.history("trader-1", "ES", 0..50);
    let decision = decide(&world, "trader-1", "ES", 100);
    let elsewhere = Position { epoch: 3, ..decision.applied.unwrap() };
    let causes = |changed: DecisionMade<'static>| {
        let world = World::new();
        world.history("trader-1", "ES", 0..50);
        world.decision(&changed);
        verified(&world).findings.into_iter().map(|finding| finding.cause).collect::<Vec<_>>()
    };
    assert_eq!(
        causes(DecisionMade { applied: Some(elsewhere), ..decision.clone() }),
        [Cause::NoSuchRow { applied: Some(elsewhere.to_string()) }]
    );
    assert_eq!(causes(DecisionMade { applied: None, ..decision.clone() }), [Cause::NoSuchRow { applied: None }]);
    let first = Position { epoch: 0, partition: partition("trader-1"), offset: 1 };
    assert_eq!(
        causes(DecisionMade { row_found: false, ..decision }),
        [Cause::RowWasThere { since: first.to_string() }]
    );
}

#[test]
fn settings_that_are_not_on_record() {
    let world = World::new();
    let decision = decide(&world, "trader-1", "ES", 100);
    world.decision(&DecisionMade { control_offset: 99, ..decision.clone() });
    let early = decide(&world, "trader-2", "ES", 100);
    world.decision(&DecisionMade { control_offset: 0, ..early });
    let later = decide(&world, "trader-3", "ES", 100);
    world.decision(&DecisionMade { control_offset: 1, ..later });
    let mut causes: Vec<_> = verified(&world).findings.into_iter().map(|finding| finding.cause).collect();
    causes.sort_by_key(|cause| format!("{cause:?}"));
    assert_eq!(
        causes,
        [
            Cause::BeyondControl { control_offset: 99 },
            Cause::NoSettings { control_offset: 0 },
            Cause::NoSettings { control_offset: 1 }
        ]
    );
}

#[test]
fn records_that_are_no_decision() {
    let world = World::new();
    let good = decide(&world, "trader-1", "ES", 100);
    let partition = partition("trader-1");
    world.append(Topic::Decisions, partition, b"trader-1", RecordType::Decision, b"rubbish".to_vec());
    let mut value = Vec::new();
    world.codec.encode_decision(&good, &mut value).unwrap();
    world.append(Topic::Decisions, partition, b"trader-2", RecordType::Decision, value);
    world.decision(&good);
    let report = verified(&world);
    assert_eq!((report.same, report.different, report.decisions()), (1, 2, 3));
    assert!(matches!(report.findings[0].cause, Cause::Unreadable { .. }));
    assert_eq!(report.findings[1].cause, Cause::ForeignKey);
}

#[test]
fn when_it_was_decided_does_not_matter() {
    let world = World::new();
    let good = decide(&world, "trader-1", "ES", 100);
    world.decision(&DecisionMade { decided_at: TimestampUs(77), ..good });
    assert!(verified(&world).is_same());
}
