//! Numbers the partitions of all topics through, so that what is kept per partition fits in one vector.

use crate::{LogIdentity, Topic};

/// The partitions of a log's topics, each with a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    partitions: u16,
}

impl Layout {
    pub(crate) fn of(identity: &LogIdentity) -> Self {
        Self { partitions: identity.partitions }
    }

    /// For a log that has no identity yet.
    pub(crate) fn with_partitions(partitions: u16) -> Self {
        Self { partitions }
    }

    pub(crate) fn partitions_of(self, topic: Topic) -> u16 {
        if topic == Topic::Control { 1 } else { self.partitions }
    }

    /// Every partition in the order of the slots.
    pub(crate) fn all(self) -> impl Iterator<Item = (Topic, u16)> {
        Topic::ALL
            .into_iter()
            .flat_map(move |topic| (0..self.partitions_of(topic)).map(move |partition| (topic, partition)))
    }

    /// The slot of a partition, if the log has it.
    pub(crate) fn slot(self, topic: Topic, partition: u16) -> Option<usize> {
        if partition >= self.partitions_of(topic) {
            return None;
        }
        let before: usize = Topic::ALL
            .into_iter()
            .take_while(|&other| other != topic)
            .map(|other| usize::from(self.partitions_of(other)))
            .sum();
        Some(before + usize::from(partition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_number_the_partitions_through() {
        let layout = Layout::with_partitions(3);
        let slots: Vec<_> = layout.all().map(|(topic, partition)| layout.slot(topic, partition).unwrap()).collect();
        assert_eq!(slots, (0..10).collect::<Vec<_>>(), "three topics of three partitions and control with one");
        assert_eq!(layout.slot(Topic::Control, 1), None);
        assert_eq!(layout.slot(Topic::Journal, 3), None);
    }
}
