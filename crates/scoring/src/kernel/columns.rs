//! Features side by side, standardised, so that distances are reckoned column by column.

use std::f64::consts::TAU;

use hindcast_domain::Features;

/// Features compared; the hour takes two columns.
const COLUMNS: usize = 8;
/// Trades whose distances are held at once.
pub(super) const BLOCK: usize = 64;
/// A number for each trade of a block. Of a fixed size, so that loops over it need no checks and run several at a time.
pub(super) type Block = [f64; BLOCK];
/// Beyond this a feature is taken for this: squares and sums of it stay finite.
const LARGEST: f64 = 1e100;
/// A feature that varies by less than this share of its size is constant; what is left of it is rounding.
const CONSTANT_SHARE: f64 = 1e-9;
/// Hours of a day.
const HOURS: f64 = 24.0;

/// One feature of all trades.
#[derive(Debug, Clone)]
struct Column {
    /// Which of the raw values it is.
    source: usize,
    mean: f64,
    scale: f64,
    /// How many features it counts for: the hour's second column counts for none.
    counts: f64,
    /// `(value - mean) / scale`; 0 where the trade has none.
    values: Vec<Block>,
    /// 1 where the trade has a value, else 0; `None` if all have one.
    present: Option<Vec<Block>>,
}

/// The features that tell the trades apart. One that is the same in all of them, or in none, is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns(Vec<Column>);

/// A signal in the scale of the columns: a value for each, in their order.
pub(super) struct Standardised([Option<f64>; COLUMNS]);

impl Columns {
    pub(super) fn of(trades: &[Features]) -> Self {
        let raw: Vec<[Option<f64>; COLUMNS]> = trades.iter().map(raw_values).collect();
        let column = |source: usize| -> Vec<Option<f64>> {
            raw.iter().map(|values| values.get(source).copied().flatten()).collect()
        };
        let mut columns = Vec::with_capacity(COLUMNS);
        for source in [RSI, VWAP_DISTANCE, ATR, VOLUME_RATIO] {
            let values = column(source);
            if let Some((mean, scale)) = mean_and_deviation(&values) {
                columns.push(Column::new(source, mean, scale, 1.0, &values));
            }
        }
        let (cosines, sines) = (column(HOUR_COSINE), column(HOUR_SINE));
        if let Some(scale) = spread_on_circle(&cosines, &sines) {
            columns.push(Column::new(HOUR_COSINE, 0.0, scale, 1.0, &cosines));
            columns.push(Column::new(HOUR_SINE, 0.0, scale, 0.0, &sines));
        }
        if !trades.is_empty() {
            let values = column(SIDE);
            columns.push(Column::new(SIDE, 0.0, deviation_of_sides(&values), 1.0, &values));
        }
        // Last: sums over books without it stay what they were, to the last bit.
        let spreads = column(SPREAD);
        if let Some((mean, scale)) = mean_and_deviation(&spreads) {
            columns.push(Column::new(SPREAD, mean, scale, 1.0, &spreads));
        }
        Self(columns)
    }

    pub(super) fn standardise(&self, signal: &Features) -> Standardised {
        let raw = raw_values(signal);
        let mut values = [None; COLUMNS];
        for (value, column) in values.iter_mut().zip(&self.0) {
            *value = raw.get(column.source).copied().flatten().map(|raw| (raw - column.mean) / column.scale);
        }
        Standardised(values)
    }

    /// Mean squared distances of a block of trades over the features that both have. Past the last trade they mean
    /// nothing.
    pub(super) fn distances(&self, signal: &Standardised, block: usize) -> Block {
        let (mut squared, mut features, mut of_all) = ([0.0; BLOCK], [0.0; BLOCK], 0.0);
        for (column, value) in self.0.iter().zip(signal.0) {
            let (Some(value), Some(values)) = (value, column.values.get(block)) else { continue };
            match column.present.as_ref().and_then(|present| present.get(block)) {
                None => {
                    of_all += column.counts;
                    for (squared, other) in squared.iter_mut().zip(values) {
                        let difference = value - other;
                        *squared += difference * difference;
                    }
                }
                Some(present) => {
                    for (((squared, features), other), present) in
                        squared.iter_mut().zip(&mut features).zip(values).zip(present)
                    {
                        let difference = (value - other) * present;
                        *squared += difference * difference;
                        *features += column.counts * present;
                    }
                }
            }
        }
        for (squared, features) in squared.iter_mut().zip(&features) {
            // Side is always there, so this divides by 1 at least.
            *squared /= features + of_all;
        }
        squared
    }
}

impl Column {
    fn new(source: usize, mean: f64, scale: f64, counts: f64, values: &[Option<f64>]) -> Self {
        let all = values.iter().all(Option::is_some);
        let present = || blocks(values.iter().map(|value| if value.is_some() { 1.0 } else { 0.0 }));
        Self {
            source,
            mean,
            scale,
            counts,
            values: blocks(values.iter().map(|value| value.map_or(0.0, |value| (value - mean) / scale))),
            present: (!all).then(present),
        }
    }
}

/// Numbers in blocks, the last one filled up with zeros.
fn blocks(mut numbers: impl ExactSizeIterator<Item = f64>) -> Vec<Block> {
    (0..numbers.len().div_ceil(BLOCK)).map(|_| std::array::from_fn(|_| numbers.next().unwrap_or_default())).collect()
}

const RSI: usize = 0;
const VWAP_DISTANCE: usize = 1;
const ATR: usize = 2;
const VOLUME_RATIO: usize = 3;
const HOUR_COSINE: usize = 4;
const HOUR_SINE: usize = 5;
const SIDE: usize = 6;
const SPREAD: usize = 7;

/// The values compared, in the order of the constants above. The hour is a point on a circle, so that 23 and 0 are
/// neighbours.
fn raw_values(features: &Features) -> [Option<f64>; COLUMNS] {
    let usable = |value: Option<f64>| value.filter(|v| v.is_finite()).map(|v| v.clamp(-LARGEST, LARGEST));
    let hour = usable(Some(features.hour)).map(|hour| libm::sincos(hour.rem_euclid(HOURS) / HOURS * TAU));
    [
        usable(features.rsi),
        usable(features.vwap_distance_abs_percent),
        usable(features.atr),
        usable(features.volume_ratio),
        hour.map(|(_, cosine)| cosine),
        hour.map(|(sine, _)| sine),
        Some(features.side.sign()),
        usable(features.spread),
    ]
}

/// Mean and standard deviation of the values there are; `None` for a feature that tells nothing apart.
fn mean_and_deviation(values: &[Option<f64>]) -> Option<(f64, f64)> {
    let (mut count, mut sum, mut largest) = (0.0, 0.0, 0.0_f64);
    for value in values.iter().flatten() {
        count += 1.0;
        sum += value;
        largest = largest.max(value.abs());
    }
    if count == 0.0 {
        return None;
    }
    let mean = sum / count;
    let squares: f64 = values.iter().flatten().fold(0.0, |sum, value| sum + (value - mean) * (value - mean));
    let deviation = libm::sqrt(squares / count);
    (deviation > largest * CONSTANT_SHARE && deviation.is_normal()).then_some((mean, deviation))
}

/// The spread of points on the unit circle about their mean: for a feature on a line this is the standard deviation.
fn spread_on_circle(cosines: &[Option<f64>], sines: &[Option<f64>]) -> Option<f64> {
    let (mut count, mut cosine_sum, mut sine_sum) = (0.0, 0.0, 0.0);
    for (cosine, sine) in cosines.iter().flatten().zip(sines.iter().flatten()) {
        count += 1.0;
        cosine_sum += cosine;
        sine_sum += sine;
    }
    let (cosine, sine) = (cosine_sum / count, sine_sum / count);
    let variance = 1.0 - (cosine * cosine + sine * sine);
    // `false` for no point at all too, whose mean is no number.
    (variance > CONSTANT_SHARE).then(|| libm::sqrt(variance))
}

/// Standard deviation of the sides with one more trade of each side imagined: a book that has only seen longs must
/// not take a first short for one of them.
fn deviation_of_sides(values: &[Option<f64>]) -> f64 {
    let (count, sum) = values.iter().flatten().fold((2.0, 0.0), |(count, sum), sign| (count + 1.0, sum + sign));
    let mean: f64 = sum / count;
    libm::sqrt(1.0 - mean * mean)
}
