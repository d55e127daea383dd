//! How sure a mean is when neighbours in time are alike.

/// The middle 95 % of the means of series put together from blocks drawn with replacement (Carlstein 1986, "The use of
/// subseries values for estimating the variance of a general statistic from a stationary sequence"): neighbours stay
/// together, so their likeness is not taken for evidence.
pub(super) fn interval_of_mean(values: &[f64], block: usize, resamples: u32, seed: u64) -> [f64; 2] {
    let blocks: Vec<(f64, usize)> = values.chunks(block).map(|b| (b.iter().sum(), b.len())).collect();
    let mut random = SplitMix64(seed);
    let mut means: Vec<f64> = (0..resamples).map(|_| mean_of_draws(&blocks, &mut random)).collect();
    means.sort_by(f64::total_cmp);
    [quantile(&means, 25), quantile(&means, 975)]
}

#[allow(clippy::cast_precision_loss)] // counts are far below 2^53
fn mean_of_draws(blocks: &[(f64, usize)], random: &mut SplitMix64) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for _ in blocks {
        if let Some((of_block, length)) = blocks.get(random.below(blocks.len())) {
            sum += of_block;
            count += length;
        }
    }
    sum / count as f64
}

/// The value with `per_mille` of all sorted values below it, about.
fn quantile(sorted: &[f64], per_mille: usize) -> f64 {
    let index = (sorted.len() * per_mille / 1_000).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// The generator of Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators": ten lines that give
/// the same figures with every version of every dependency.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform below `bound`, but for a bias of `bound` in 2^64.
    #[allow(clippy::cast_possible_truncation)] // below `bound`, which is a usize
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs for seed 1234567, as published with the reference implementation in C.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn alike_neighbours_widen_the_interval() {
        let values: Vec<f64> = (0..400).map(|i| if i / 20 % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let [low, high] = interval_of_mean(&values, 1, 2_000, 1);
        let [low_by_block, high_by_block] = interval_of_mean(&values, 20, 2_000, 1);
        assert!(high - low < 0.25 && high_by_block - low_by_block > 0.7);
        assert_eq!(interval_of_mean(&values, 20, 2_000, 1), [low_by_block, high_by_block]);
    }
}
