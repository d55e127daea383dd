//! Processes die, freeze and are replaced.

use std::{thread::sleep, time::Duration};

use rand::{RngExt, rngs::StdRng};

use crate::{
    load::{Load, fault_rounds, seeded},
    support::writers::OnFailure,
    system::{SESSION_TIMEOUT, Services, System},
};

/// Long enough for a process to come back, or for its partitions to be taken over.
const PERSISTENT: OnFailure = OnFailure::Repeat(60, Duration::from_millis(250));

/// How long a replica has to be ready before the next one is replaced, as orchestrators are told to wait: longer than a
/// new replica waits for the projection before it refuses, and than clients wait before they send again, so that nobody
/// meets two replicas that are away.
const READY_FOR: Duration = Duration::from_millis(1_500);

fn a_while(rng: &mut StdRng) {
    sleep(Duration::from_millis(rng.random_range(200..1_500)));
}

/// Kills one of two processes of a role again and again while clients write.
fn kill_often(role: [&'static str; 2]) {
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        let load = Load::begin(&system, &mut rng, PERSISTENT);
        for _ in 0..fault_rounds() {
            a_while(&mut rng);
            let killed = role[rng.random_range(0..2)];
            system.kill(killed);
            a_while(&mut rng);
            system.start(killed);
        }
        a_while(&mut rng);
        load.end(&mut system, &format!("SIGKILL of {role:?}"));
    });
}

#[test]
fn ingress_is_killed() {
    kill_often(["ingress-1", "ingress-2"]);
}

#[test]
fn a_projector_is_killed() {
    kill_often(["projector-1", "projector-2"]);
}

#[test]
fn the_confidence_service_is_killed() {
    kill_often(["confidence-1", "confidence-2"]);
}

/// It writes late, after others have taken its partitions over, and must not win.
#[test]
fn a_frozen_projector_wakes_up_too_late() {
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        let load = Load::begin(&system, &mut rng, PERSISTENT);
        for round in 0..fault_rounds() {
            a_while(&mut rng);
            let frozen = ["projector-1", "projector-2"][round % 2];
            system.signal(frozen, "-STOP");
            sleep(SESSION_TIMEOUT + Duration::from_millis(rng.random_range(1_500..4_000)));
            system.signal(frozen, "-CONT");
        }
        a_while(&mut rng);
        load.end(&mut system, "SIGSTOP of a projector past its session");
    });
}

/// Projectors come and go in good order.
#[test]
fn projectors_come_and_go() {
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        let load = Load::begin(&system, &mut rng, PERSISTENT);
        for _ in 0..fault_rounds() {
            a_while(&mut rng);
            system.start("projector-3");
            a_while(&mut rng);
            system.stop("projector-1");
            a_while(&mut rng);
            system.start("projector-1");
            system.stop("projector-3");
        }
        load.end(&mut system, "projectors come and go");
    });
}

/// Every process is replaced, one after the other. Clients send a 503 or a broken connection once again, elsewhere.
#[test]
fn a_rolling_restart_fails_no_request() {
    seeded(|mut rng| {
        let mut system = System::whole(Services::shared());
        let load = Load::begin(&system, &mut rng, OnFailure::Repeat(1, Duration::from_millis(50)));
        for _ in 0..fault_rounds() {
            let names: Vec<_> = system.processes.keys().copied().collect();
            for name in names {
                system.stop(name);
                system.start(name);
                sleep(READY_FOR);
            }
        }
        let judged = load.end(&mut system, "rolling restart");
        assert_eq!(judged.given_up, 0, "requests failed twice");
    });
}
