//! Where a value stands within the repository's own earlier changes.
//!
//! Raw measures cannot be compared across repositories: 400 added lines are an ordinary day in one
//! and a year's event in another. So a feature enters the model as the distance of signed
//! log1p(value) from the mean of the earlier changes, in spreads (standard deviations). A short
//! history is shrunk towards the prior's mean and spread.

use super::FEATURES;

/// How many features a vector has.
pub const WIDTH: usize = FEATURES.len();

/// A spread is never taken below this, so that a feature that hardly varied (every change so far
/// touched one file) does not explode on the first one that differs.
pub const SPREAD_FLOOR: f64 = 0.05;

/// sign(x) ln(1 + |x|): tames long tails, keeps zero and the order, and is the same on every platform.
pub fn signed_log1p(value: f64) -> f64 {
    if value < 0.0 { -libm::log1p(-value) } else { libm::log1p(value) }
}

/// Running mean and spread of the transformed features of the changes seen so far.
///
/// Welford's recurrence: one pass, in order, exact enough for millions of rows, and equal to the
/// last bit for equal rows in equal order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: [f64; WIDTH],
    /// Sum of squared distances from the mean.
    squares: [f64; WIDTH],
}

impl Moments {
    /// Adds one change's raw values.
    pub fn push(&mut self, vector: &[f64; WIDTH]) {
        self.count += 1;
        let count = self.count as f64;
        for (feature, value) in vector.iter().enumerate() {
            let value = signed_log1p(*value);
            let before = value - self.mean[feature];
            self.mean[feature] += before / count;
            self.squares[feature] += before * (value - self.mean[feature]);
        }
    }

    /// How many changes were added.
    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean and spread of a transformed feature, shrunk towards `mean` and `spread` as if
    /// `pseudo` further changes with these had been seen.
    pub fn shrunk(&self, feature: usize, mean: f64, spread: f64, pseudo: f64) -> (f64, f64) {
        let count = self.count as f64;
        let total = count + pseudo;
        if total == 0.0 {
            return (mean, spread);
        }
        let centre = (count * self.mean[feature] + pseudo * mean) / total;
        let variance = (self.squares[feature] + pseudo * (spread * spread)) / total;
        (centre, variance.sqrt())
    }
}

/// The position of a raw value: distance from `mean` in `spread`s, kept within `-limit..=limit`.
pub fn position(value: f64, mean: f64, spread: f64, limit: f64) -> f64 {
    let distance = (signed_log1p(value) - mean) / spread.max(SPREAD_FLOOR);
    distance.clamp(-limit, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_is_odd_and_zero_at_zero() {
        assert_eq!(signed_log1p(0.0), 0.0);
        assert_eq!(signed_log1p(std::f64::consts::E - 1.0), 1.0);
        for value in [0.5, 1.0, 412.0, 1e9] {
            assert_eq!(signed_log1p(-value), -signed_log1p(value));
            assert!(signed_log1p(value) < signed_log1p(value * 1.01));
        }
    }

    #[test]
    fn running_moments_equal_two_passes() {
        let rows: Vec<[f64; WIDTH]> = (0..500u64)
            .map(|row| std::array::from_fn(|at| ((row * 7919 + at as u64 * 104_729) % 1000) as f64))
            .collect();
        let mut moments = Moments::default();
        rows.iter().for_each(|row| moments.push(row));
        assert_eq!(moments.count(), 500);
        for feature in 0..WIDTH {
            let values: Vec<f64> = rows.iter().map(|row| signed_log1p(row[feature])).collect();
            let mean = values.iter().sum::<f64>() / 500.0;
            let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 500.0;
            let (centre, spread) = moments.shrunk(feature, 99.0, 99.0, 0.0);
            assert!((centre - mean).abs() < 1e-12, "{centre} {mean}");
            assert!((spread - variance.sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn a_short_history_leans_on_the_prior_and_a_long_one_does_not() {
        let mut moments = Moments::default();
        assert_eq!(moments.shrunk(0, 2.0, 3.0, 100.0), (2.0, 3.0));
        assert_eq!(moments.shrunk(0, 2.0, 3.0, 0.0), (2.0, 3.0));
        moments.push(&[0.0; WIDTH]);
        let (centre, spread) = moments.shrunk(0, 2.0, 3.0, 1.0);
        assert_eq!(centre, 1.0);
        assert_eq!(spread, 4.5f64.sqrt());
        (0..100_000).for_each(|_| moments.push(&[0.0; WIDTH]));
        assert!(moments.shrunk(0, 2.0, 3.0, 100.0).0 < 0.01);
    }

    #[test]
    fn positions_stay_in_range_where_nothing_varied() {
        assert_eq!(position(1e12, 0.0, 0.0, 8.0), 8.0);
        assert_eq!(position(-1e12, 0.0, 0.0, 8.0), -8.0);
        assert_eq!(position(0.0, 0.0, 0.0, 8.0), 0.0);
    }
}
