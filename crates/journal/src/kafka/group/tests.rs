//! A member against the client library's own mock of a cluster.

use std::sync::mpsc::{self, Receiver, Sender};

use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

use super::*;

const PARTITIONS: i32 = 3;
const SOON: Duration = Duration::from_secs(20);

#[derive(Debug, PartialEq, Eq)]
enum Call {
    Assigned(Vec<u16>),
    Revoked(Vec<u16>),
    Lost(Vec<u16>),
}

struct Recorder(Sender<Call>);

impl Recorder {
    fn note(&self, call: Call) {
        // Nobody listens any more when the test has ended.
        drop(self.0.send(call));
    }
}

impl Ownership for Recorder {
    fn assigned(&self, partitions: &[u16]) {
        self.note(Call::Assigned(partitions.to_vec()));
    }

    fn revoked(&self, partitions: &[u16]) -> Vec<(u16, u64)> {
        self.note(Call::Revoked(partitions.to_vec()));
        Vec::new()
    }

    fn lost(&self, partitions: &[u16]) {
        self.note(Call::Lost(partitions.to_vec()));
    }

    fn progress(&self) -> Vec<(u16, u64)> {
        Vec::new()
    }
}

fn join() -> (MockCluster<'static, DefaultProducerContext>, Joined, Receiver<Call>) {
    let cluster = MockCluster::new(1).unwrap();
    let log = KafkaLogConfig { brokers: cluster.bootstrap_servers(), ..KafkaLogConfig::default() };
    cluster.create_topic(TopicNames::new(&log.topic_prefix).name(Topic::Journal), PARTITIONS, 1).unwrap();
    let membership = KafkaMembership::new(&log, &KafkaGroupConfig::default()).unwrap();
    let (sender, calls) = mpsc::channel();
    let joined = Box::new(membership).join(Arc::new(Recorder(sender))).unwrap();
    (cluster, joined, calls)
}

#[test]
fn whoever_leaves_gives_up_what_he_owns() {
    let (_cluster, joined, calls) = join();
    let all = || vec![0, 1, 2];
    assert_eq!(calls.recv_timeout(SOON), Ok(Call::Assigned(all())));
    drop(joined);
    assert_eq!(calls.try_recv(), Ok(Call::Revoked(all())));
}

#[test]
fn leaving_ends_while_no_broker_is_there() {
    let (cluster, joined, calls) = join();
    assert!(matches!(calls.recv_timeout(SOON), Ok(Call::Assigned(_))));
    cluster.broker_down(1).unwrap();
    thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    drop(joined);
    assert!(began.elapsed() < LEAVING + Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(matches!(calls.try_recv(), Ok(Call::Revoked(_) | Call::Lost(_))), "what is folded is written");
}
