//! The life of sets of generations, as control records tell it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test that can't go on fails

use std::sync::Arc;

use hindcast_control::{
    Change, ChangeError, Control, ControlConfig, Requested, Stage, VerificationSummary, bootstrap,
    generations::{LEAST_STANDBY_S, MAX_KEPT},
};
use hindcast_domain::TimestampUs;
use hindcast_fold::generation::GenerationSet;
use hindcast_journal::memory::MemoryLog;

const START_S: i64 = 1_700_000_000;

struct World {
    control: Arc<Control>,
    /// Seconds since [`START_S`].
    now_s: i64,
}

impl World {
    async fn new() -> Self {
        let control = Control::follow(Arc::new(MemoryLog::new(2)), ControlConfig::default()).unwrap();
        bootstrap(&control, Vec::new(), TimestampUs(START_S * 1_000_000)).await.unwrap();
        Self { control, now_s: 0 }
    }

    fn at(&self, seconds: i64) -> TimestampUs {
        TimestampUs((START_S + seconds) * 1_000_000)
    }

    async fn change(&mut self, change: Change) -> Result<u64, String> {
        self.now_s += 1;
        let based_on = self.control.last_change(&change.entity());
        let at = self.at(self.now_s);
        let requested = Requested { change, based_on, by: "key-1".to_owned(), why: "longer".to_owned(), at };
        match self.control.change(requested).await {
            Ok(offset) => Ok(offset),
            Err(ChangeError::Refused { why, .. }) => Err(why),
            Err(other) => panic!("{other}"),
        }
    }

    fn stage(&self, set: &GenerationSet) -> Stage {
        self.control.settings().sets.get(&set.fingerprint()).unwrap().stage
    }

    fn is_active(&self, set: &GenerationSet) -> bool {
        *self.control.settings().generations.as_ref().unwrap().name == *set.fingerprint()
    }

    async fn ready(&mut self, set: &GenerationSet) {
        self.change(planned(set)).await.unwrap();
        self.change(building(set)).await.unwrap();
        self.change(built(set)).await.unwrap();
        self.change(verified(set, true)).await.unwrap();
    }
}

fn longer(ring_trades: u32) -> GenerationSet {
    let mut set = GenerationSet::default();
    set.book.params.ring_trades = ring_trades;
    set
}

fn planned(set: &GenerationSet) -> Change {
    Change::GenerationsPlanned { name: set.fingerprint(), generations: set.clone() }
}

fn building(set: &GenerationSet) -> Change {
    Change::GenerationsBuilding { name: set.fingerprint(), max_rate: Some(1_000) }
}

fn built(set: &GenerationSet) -> Change {
    Change::GenerationsBuilt { name: set.fingerprint() }
}

fn verified(set: &GenerationSet, within_tolerance: bool) -> Change {
    let verification = VerificationSummary {
        compared_with: GenerationSet::default().fingerprint(),
        next_offsets: vec![7, 9],
        rows: 100,
        different: u64::from(!within_tolerance),
        decisions: 10,
        flipped: 1,
        within_tolerance,
    };
    Change::GenerationsVerified { name: set.fingerprint(), verification }
}

fn activated(set: &GenerationSet) -> Change {
    Change::GenerationsActivated { generations: set.clone() }
}

fn dropped(set: &GenerationSet) -> Change {
    Change::GenerationsDropped { name: set.fingerprint() }
}

#[tokio::test]
async fn a_set_lives_from_plan_to_drop_and_every_step_is_told() {
    let mut world = World::new().await;
    let (old, new) = (GenerationSet::default(), longer(512));
    assert!(world.is_active(&old));
    assert_eq!(world.stage(&old), Stage::Active);
    world.ready(&new).await;
    assert_eq!((world.stage(&new), world.is_active(&old)), (Stage::Ready, true));
    world.change(activated(&new)).await.unwrap();
    assert!(world.is_active(&new));
    assert_eq!((world.stage(&new), world.stage(&old)), (Stage::Active, Stage::Standby));
    let previous = world.control.settings().sets.previous().unwrap().tables.set.clone();
    assert_eq!(previous, old);

    world.change(activated(&old)).await.unwrap();
    assert!(world.is_active(&old));
    assert_eq!((world.stage(&new), world.stage(&old)), (Stage::Standby, Stage::Active));
    assert!(world.change(dropped(&new)).await.unwrap_err().contains("may still be read"));
    assert!(world.change(dropped(&old)).await.unwrap_err().contains("it is active"));
    world.now_s += LEAST_STANDBY_S;
    world.change(dropped(&new)).await.unwrap();
    assert_eq!(world.stage(&new), Stage::Dropped);

    let settings = world.control.settings();
    let steps = &settings.sets.get(&new.fingerprint()).unwrap().steps;
    let stages: Vec<Stage> = steps.iter().map(|step| step.stage).collect();
    use Stage::{Active, Building, Dropped, Planned, Ready, Standby, Verifying};
    assert_eq!(stages, [Planned, Building, Verifying, Ready, Active, Standby, Dropped]);
    assert!(steps.iter().all(|step| step.by == "key-1" && step.why == "longer"));
    assert!(steps.is_sorted_by_key(|step| step.offset));
    world.change(planned(&new)).await.unwrap();
    assert_eq!(world.stage(&new), Stage::Planned, "it can be made again");
}

/// Comparing a set on standby once more makes it no candidate for going back.
#[tokio::test]
async fn going_back_means_the_set_that_was_active_before() {
    let mut world = World::new().await;
    let (first, second, third) = (GenerationSet::default(), longer(512), longer(64));
    for set in [&second, &third] {
        world.ready(set).await;
        world.change(activated(set)).await.unwrap();
    }
    let previous = |world: &World| world.control.settings().sets.previous().unwrap().tables.set.clone();
    assert_eq!(previous(&world), second);
    world.change(verified(&first, true)).await.unwrap();
    assert_eq!((world.stage(&first), previous(&world)), (Stage::Standby, second.clone()));
    world.change(activated(&second)).await.unwrap();
    assert_eq!(previous(&world), third);
}

#[tokio::test]
async fn steps_out_of_order_have_no_effect() {
    let mut world = World::new().await;
    let new = longer(512);
    for change in [building(&new), built(&new), verified(&new, true), activated(&new), dropped(&new)] {
        assert_eq!(world.change(change).await.unwrap_err(), "no such set was planned");
    }
    world.change(planned(&new)).await.unwrap();
    assert_eq!(world.change(planned(&new)).await.unwrap_err(), "it is planned already");
    for change in [built(&new), verified(&new, true), activated(&new)] {
        assert!(world.change(change).await.unwrap_err().starts_with("it is planned; it has to be "));
    }
    world.change(building(&new)).await.unwrap();
    world.change(building(&new)).await.unwrap();
    assert!(world.change(verified(&new, true)).await.is_err());
    world.change(built(&new)).await.unwrap();
    world.change(verified(&new, false)).await.unwrap();
    assert_eq!(world.stage(&new), Stage::Verifying);
    assert!(world.change(activated(&new)).await.unwrap_err().contains("it has to be ready or standby"));
    world.change(verified(&new, true)).await.unwrap();
    world.change(verified(&new, false)).await.unwrap();
    assert_eq!(world.stage(&new), Stage::Verifying, "the last comparison counts");
    assert!(world.is_active(&GenerationSet::default()));
}

#[tokio::test]
async fn a_name_that_is_not_the_fingerprint_here_is_refused() {
    let mut world = World::new().await;
    let change = Change::GenerationsPlanned { name: "0123456789abcdef".to_owned(), generations: longer(512) };
    assert!(world.change(change).await.unwrap_err().contains("fingerprint"));
}

#[tokio::test]
async fn only_a_few_sets_are_kept() {
    let mut world = World::new().await;
    for n in 1..u32::try_from(MAX_KEPT).unwrap() {
        world.change(planned(&longer(n))).await.unwrap();
    }
    assert!(world.change(planned(&longer(99))).await.unwrap_err().contains("drop one first"));
    world.change(dropped(&longer(1))).await.unwrap();
    world.change(planned(&longer(99))).await.unwrap();
}

/// Dead letters of a record are the business of the set that was read when it came.
#[tokio::test]
async fn it_is_known_what_was_read_when() {
    let mut world = World::new().await;
    let (old, new) = (GenerationSet::default(), longer(512));
    world.now_s = 100;
    world.ready(&new).await;
    world.now_s = 199;
    world.change(activated(&new)).await.unwrap();
    world.now_s = 299;
    world.change(activated(&old)).await.unwrap();
    let settings = world.control.settings();
    let known = |set: &GenerationSet| settings.sets.get(&set.fingerprint()).unwrap().clone();
    let read_at = |set: &GenerationSet, seconds| known(set).was_read_at(world.at(seconds));
    for (seconds, by_old, by_new) in [
        (-1_000, true, false),
        (150, true, false),
        (199, true, false),
        (200, true, true),
        (204, true, true),
        (206, false, true),
        (299, false, true),
        (300, true, true),
        (306, true, false),
        (9_999, true, false),
    ] {
        assert_eq!((read_at(&old, seconds), read_at(&new, seconds)), (by_old, by_new), "{seconds}");
    }
    assert_eq!(known(&new).standby_since(), Some(world.at(300)));
}
