//! e to the power of numbers that are not positive, several at a time.
//!
//! `libm` takes numbers one by one and branches on each. This takes none of its branches, so that a compiler can do
//! several at once; it is plain arithmetic in a fixed order, so its bits are the same on every machine too.

use std::f64::consts::LOG2_E;

/// Below this, e to the power is taken for e to the power of this: 1e-304, nothing beside any other weight.
const LEAST: f64 = -700.0;
/// ln 2 in two parts, as FreeBSD's `e_exp.c` has them. The last 21 bits of the first are zero, so that its product with
/// a whole number of up to 11 bits is exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
/// Adding this to a number below 2^51 rounds it to a whole one, and leaves that one in the lowest bits.
const ROUNDING: f64 = 6_755_399_441_055_744.0;
/// 1/n! for n from 13 down to 0: the Taylor series, exact to half an ulp or so within ln(2)/2 around 0.
const COEFFICIENTS: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
    1.0,
    1.0,
];

/// e to the power of `x`, for `x` of 0 or below: with x = k ln 2 + r, the series in r times 2 to the power of k.
#[inline]
pub(crate) fn exp_of_non_positive(x: f64) -> f64 {
    let x = if x > LEAST { x } else { LEAST };
    let shifted = x * LOG2_E + ROUNDING;
    let k = shifted - ROUNDING;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 0.0;
    for coefficient in COEFFICIENTS {
        sum = sum * r + coefficient;
    }
    // The exponent's bits of 2 to the power of k; what lies above them in `shifted` is shifted out.
    sum * f64::from_bits(shifted.to_bits().wrapping_add(1_023) << 52)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn its_ends() {
        assert_eq!(exp_of_non_positive(0.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(exp_of_non_positive(-0.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(exp_of_non_positive(-5e-324).to_bits(), 1.0_f64.to_bits());
        for far in [LEAST, -1e9, f64::MIN, f64::NEG_INFINITY] {
            assert!((0.0..1e-300).contains(&exp_of_non_positive(far)), "{far}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn within_two_units_of_libm(x in prop_oneof![-700.0..=0.0, -2.0..=0.0, -1e-3..=0.0]) {
            let (ours, theirs) = (exp_of_non_positive(x), libm::exp(x));
            prop_assert!(ours.to_bits().abs_diff(theirs.to_bits()) <= 2, "{} {} {}", x, ours, theirs);
            prop_assert!(ours <= 1.0);
        }
    }
}
