//! Which partition a user's records go to: Kafka's default, the same on every engine, so that a journal moves between
//! engines without reshuffling.

/// The partition of a key: murmur2, made positive, modulo the number of partitions, as Kafka's default partitioner
/// does. A topic has at least one partition.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // smaller than `partitions`
pub fn partition_of(key: &[u8], partitions: u16) -> u16 {
    ((murmur2(key) & 0x7fff_ffff) % u32::from(partitions.max(1))) as u16
}

/// The 32-bit murmur2 hash with the seed that Kafka's clients use.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    #[allow(clippy::cast_possible_truncation)] // the algorithm takes the length modulo 2^32
    let mut h = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = word.iter().rev().fold(0_u32, |k, &b| (k << 8) | u32::from(b));
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        k = k.wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        h ^= rest.iter().rev().fold(0_u32, |k, &b| (k << 8) | u32::from(b));
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^ (h >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `org.apache.kafka.common.utils.UtilsTest`, so that both engines agree.
    #[test]
    fn equals_kafka() {
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn spreads_users() {
        let mut counts = [0_u32; 8];
        for user in 0..8_000 {
            counts[usize::from(partition_of(format!("user-{user}").as_bytes(), 8))] += 1;
        }
        assert!(counts.iter().all(|&n| (800..1_200).contains(&n)), "{counts:?}");
    }
}
