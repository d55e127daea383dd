//! The Beta distribution, as far as an interval needs it.

/// A Beta distribution with parameters `a` and `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    /// The one with a mean within (0, 1) and a variance within (0, mean (1 - mean)).
    pub(crate) fn with_moments(mean: f64, variance: f64) -> Self {
        let weight = mean * (1.0 - mean) / variance - 1.0;
        Self { a: mean * weight, b: (1.0 - mean) * weight }
    }

    /// The interval of `z` standard deviations around the mean of the log odds, as probabilities.
    ///
    /// The log odds of a Beta variable have mean ψ(a) - ψ(b) and variance ψ'(a) + ψ'(b) and are nearly normal, also
    /// for parameters so small that the variable itself is not (Aitchison and Shen 1980, "Logistic-normal
    /// distributions: some properties and uses"; the tests say how near).
    pub(crate) fn interval(self, z: f64) -> (f64, f64) {
        let (digamma_a, trigamma_a) = polygammas(self.a);
        let (digamma_b, trigamma_b) = polygammas(self.b);
        let middle = digamma_a - digamma_b;
        let half = z * libm::sqrt(trigamma_a + trigamma_b);
        (logistic(middle - half), logistic(middle + half))
    }
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// ψ(x) and ψ'(x) for x > 0.
///
/// Abramowitz and Stegun, "Handbook of Mathematical Functions": the recurrences 6.3.5 and 6.4.6 up to 8, then the
/// asymptotic series 6.3.18 and 6.4.12, whose first terms left out are below 1e-10 there.
fn polygammas(x: f64) -> (f64, f64) {
    let (mut x, mut digamma, mut trigamma) = (x, 0.0, 0.0);
    while x < 8.0 {
        let inverse = 1.0 / x;
        digamma -= inverse;
        trigamma += inverse * inverse;
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    digamma += libm::log(x)
        - inverse / 2.0
        - square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square / 240.0)));
    trigamma += inverse
        + square / 2.0
        + inverse * square * (1.0 / 6.0 - square * (1.0 / 30.0 - square * (1.0 / 42.0 - square / 30.0)));
    (digamma, trigamma)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits of the constants: ψ(1) = -γ, ψ'(1) = π²/6, ψ(1/2) = -γ - 2 ln 2, ψ'(1/2) = π²/2.
    #[test]
    fn polygammas_at_known_points() {
        let gamma = 0.577_215_664_901_532_9;
        let square = std::f64::consts::PI * std::f64::consts::PI;
        for (x, digamma, trigamma) in [
            (1.0, -gamma, square / 6.0),
            (2.0, 1.0 - gamma, square / 6.0 - 1.0),
            (0.5, -gamma - 2.0 * std::f64::consts::LN_2, square / 2.0),
            (30.0, 3.384_438_133_268_946, 0.033_895_060_358_105_7),
        ] {
            let (d, t) = polygammas(x);
            assert!((d - digamma).abs() < 1e-9, "ψ({x}) = {d}");
            assert!((t - trigamma).abs() < 1e-9, "ψ'({x}) = {t}");
        }
    }

    /// Share of a Beta distribution's mass within an interval, by Simpson's rule over the log odds, where the density
    /// is smooth and has light tails.
    fn mass(beta: Beta, low: f64, high: f64) -> f64 {
        let log_odds = |p: f64| (p / (1.0 - p)).ln();
        let log_density = |t: f64| -beta.a * (-t).exp().ln_1p() - beta.b * t.exp().ln_1p();
        let peak = log_density((beta.a / beta.b).ln());
        let integral = |from: f64, to: f64| {
            let steps = 20_000;
            let width = (to - from) / f64::from(steps);
            (0..=steps)
                .map(|i| {
                    let factor = if i == 0 || i == steps { 1.0 } else { f64::from(2 + i % 2 * 2) };
                    factor * (log_density(from + width * f64::from(i)) - peak).exp()
                })
                .sum::<f64>()
                * width
                / 3.0
        };
        integral(log_odds(low), log_odds(high)) / integral(-200.0, 200.0)
    }

    #[test]
    fn ninety_percent_of_the_mass_is_within() {
        for (a, b) in [(0.5, 0.5), (1.0, 1.0), (1.0, 3.0), (2.0, 8.0), (4.0, 4.0), (3.5, 30.0), (40.0, 60.0)] {
            let beta = Beta { a, b };
            let (low, high) = beta.interval(1.645);
            let mass = mass(beta, low, high);
            assert!((mass - 0.9).abs() < 0.02, "Beta({a}, {b}): [{low}, {high}] has {mass}");
        }
    }

    #[test]
    fn moments_and_back() {
        let beta = Beta::with_moments(0.25, 0.25 * 0.75 / 13.0);
        assert!((beta.a - 3.0).abs() < 1e-12 && (beta.b - 9.0).abs() < 1e-12, "{beta:?}");
    }
}
