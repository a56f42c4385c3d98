//! Finding the weights: linfa-logistic on positions, and the covariance of what it found.
//!
//! Only the training command is built with this; scoring needs none of it.

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::model::logistic;
use super::position::WIDTH;
use crate::error::{Error, Result};

/// The value of a project's own column. The learner's penalty falls on every column but the
/// intercept; with a value above 1 these carry little of it, and columns of equal size let the
/// learner converge quickly.
const PROJECT_COLUMN: f64 = 4.0;

/// One training row.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Positions in schema order; 0 where the row's table does not have the feature.
    pub positions: [f64; WIDTH],
    /// Which project (or window of one) it is of, from 0: each gets its own base rate.
    pub project: usize,
    /// How many times the row counts.
    pub copies: u32,
    /// Whether the change was known to be defective by the split date.
    pub defective: bool,
}

/// What the learner found.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Log-odds per unit of position in schema order; 0 for a feature that was not used.
    pub weights: [f64; WIDTH],
    /// Covariance of the weights by the sandwich of curvature and per-row gradients.
    pub covariance: [[f64; WIDTH]; WIDTH],
    /// The largest change of a weight from the starting point to the optimum.
    pub polished: f64,
}

/// Fits weights for the features in `used` on `samples` of `projects` projects with an L2 penalty
/// of `alpha` / 2 times the squared weights. Projects share the weights, each has its own base rate.
///
/// Errors: `model.format` where the rows do not determine a model (one class only, no rows, the
/// learner does not converge).
pub fn fit(samples: &[Sample], used: &[usize], projects: usize, alpha: f64) -> Result<Fitted> {
    let mut flat = Vec::new();
    let mut labels = Vec::new();
    for sample in samples {
        let row = columns(sample, used, projects);
        for _ in 0..sample.copies {
            // The learner has an intercept of its own.
            flat.extend_from_slice(&row[..row.len() - 1]);
            labels.push(sample.defective);
        }
    }
    let unfit = |what: String| Error::new("model.format", format!("no model can be learned: {what}"));
    let records = Array2::from_shape_vec((labels.len(), used.len() + projects - 1), flat)
        .map_err(|error| unfit("rows of different length".to_owned()).because(&error))?;
    // The gradient is a sum over the rows: 1 is far below what a thousandth of a weight makes of it,
    // and the Newton steps go on from there.
    let fitted = LogisticRegression::default()
        .alpha(alpha)
        .max_iterations(200)
        .gradient_tolerance(1.0)
        .fit(&Dataset::new(records, Array1::from(labels)))
        .map_err(|error| unfit(error.to_string()))?;
    // The learner calls the more frequent class positive; here positive means defective.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let mut theta: Vec<f64> = fitted.params().iter().map(|weight| sign * weight).collect();
    theta.push(sign * fitted.intercept());
    polish(samples, used, projects, alpha, theta)
}

/// The same weights as [`fit`] by Newton's method alone, without the learner: for the many fits
/// that choose settings and measure, where the learner's time would count.
pub fn refit(samples: &[Sample], used: &[usize], projects: usize, alpha: f64) -> Result<Fitted> {
    polish(samples, used, projects, alpha, vec![0.0; used.len() + projects])
}

/// Features in use, one column per project but the first, and 1 for the intercept.
fn columns(sample: &Sample, used: &[usize], projects: usize) -> Vec<f64> {
    let mut row = vec![0.0; used.len() + projects];
    for (column, feature) in used.iter().enumerate() {
        row[column] = sample.positions[*feature];
    }
    if sample.project > 0 {
        row[used.len() + sample.project - 1] = PROJECT_COLUMN;
    }
    row[used.len() + projects - 1] = 1.0;
    row
}

/// Newton steps on the learner's own objective from where it stopped. They take its stopping rule
/// and the summation order of its matrix products out of the last digits, so that retraining on
/// another machine gives the same file; their curvature is what the covariance needs anyway.
fn polish(
    samples: &[Sample],
    used: &[usize],
    projects: usize,
    alpha: f64,
    mut theta: Vec<f64>,
) -> Result<Fitted> {
    let size = theta.len();
    let start = theta.clone();
    let rows: Vec<f64> = samples.iter().flat_map(|sample| columns(sample, used, projects)).collect();
    let mut inverse = Vec::new();
    let mut meat = vec![vec![0.0; size]; size];
    for step in 0..12 {
        let mut curvature = vec![vec![0.0; size]; size];
        let mut gradient = vec![0.0; size];
        meat.iter_mut().flatten().for_each(|cell| *cell = 0.0);
        for (sample, row) in samples.iter().zip(rows.chunks_exact(size)) {
            let said = logistic(dot(row, &theta));
            let copies = f64::from(sample.copies);
            let error = copies * (said - f64::from(u8::from(sample.defective)));
            let bend = copies * said * (1.0 - said);
            for (a, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                gradient[a] += error * value;
                let (bent, squared) = (bend * value, error * error * value);
                for (cell, other) in curvature[a].iter_mut().zip(row) {
                    *cell += bent * other;
                }
                for (cell, other) in meat[a].iter_mut().zip(row) {
                    *cell += squared * other;
                }
            }
        }
        for column in 0..size - 1 {
            gradient[column] += alpha * theta[column];
            curvature[column][column] += alpha;
        }
        inverse = invert(curvature).ok_or_else(|| {
            Error::new("model.format", "no model can be learned: two features say the same")
        })?;
        let step_sizes: Vec<f64> = inverse.iter().map(|line| dot(line, &gradient)).collect();
        let largest = step_sizes.iter().fold(0.0f64, |largest, size| largest.max(size.abs()));
        if largest < 1e-10 || step == 11 {
            break;
        }
        theta.iter_mut().zip(&step_sizes).for_each(|(weight, step)| *weight -= step);
    }
    let product = multiply(&multiply(&inverse, &meat), &inverse);
    let mut fitted = Fitted { weights: [0.0; WIDTH], covariance: [[0.0; WIDTH]; WIDTH], polished: 0.0 };
    for (column, feature) in used.iter().enumerate() {
        fitted.weights[*feature] = theta[column];
        fitted.polished = fitted.polished.max((theta[column] - start[column]).abs());
        for (other, to) in used.iter().enumerate() {
            fitted.covariance[*feature][*to] = product[column][other];
        }
    }
    Ok(fitted)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn multiply(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = a.len();
    let cell = |row: usize, column: usize| (0..size).map(|at| a[row][at] * b[at][column]).sum();
    (0..size).map(|row| (0..size).map(|column| cell(row, column)).collect()).collect()
}

/// The inverse by Gauss-Jordan elimination with partial pivoting; `None` where there is none.
fn invert(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    for (row, line) in matrix.iter_mut().enumerate() {
        line.extend((0..size).map(|column| f64::from(u8::from(column == row))));
    }
    for column in 0..size {
        let pivot =
            (column..size).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < 1e-12 {
            return None;
        }
        matrix.swap(column, pivot);
        let scale = matrix[column][column];
        matrix[column].iter_mut().for_each(|cell| *cell /= scale);
        let line = matrix[column].clone();
        for (row, other) in matrix.iter_mut().enumerate() {
            let factor = other[column];
            if row != column && factor != 0.0 {
                other.iter_mut().zip(&line).for_each(|(cell, pivot)| *cell -= factor * pivot);
            }
        }
    }
    Some(matrix.into_iter().map(|line| line[size..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two projects with different base rates and a known weight of 1 on feature 4.
    fn planted(count: u64, share: f64) -> Vec<Sample> {
        (0..count)
            .map(|row| {
                let draw = |salt: u64| {
                    let mixed = (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(salt as u32);
                    (mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 11) as f64 / (1u64 << 53) as f64
                };
                let mut positions = [0.0; WIDTH];
                positions[4] = 4.0 * draw(7) - 2.0;
                positions[0] = 4.0 * draw(23) - 2.0;
                let project = (row % 2) as usize;
                let log_odds = positions[4] + share + if project == 0 { -1.0 } else { 1.0 };
                Sample { positions, project, copies: 1, defective: draw(41) < logistic(log_odds) }
            })
            .collect()
    }

    #[test]
    fn defective_is_the_positive_class_whichever_is_the_more_frequent() {
        for share in [-2.0, 0.0, 2.0] {
            let fitted = fit(&planted(4000, share), &[0, 4], 2, 1.0).unwrap();
            assert!((fitted.weights[4] - 1.0).abs() < 0.15, "{share}: {:?}", fitted.weights);
            assert!(fitted.weights[0].abs() < 0.15);
            assert_eq!(fitted.weights[1], 0.0);
            let error = fitted.covariance[4][4].sqrt();
            assert!((0.02..0.08).contains(&error), "{error}");
        }
    }

    #[test]
    fn the_learner_and_newton_find_the_same_weights() {
        let samples = planted(2000, 0.5);
        let (one, other) =
            (fit(&samples, &[0, 4], 2, 10.0).unwrap(), refit(&samples, &[0, 4], 2, 10.0).unwrap());
        assert!((one.weights[4] - other.weights[4]).abs() < 1e-9);
        assert!(one.polished < 0.01, "the learner stopped {} away", one.polished);
        assert!(other.polished > 0.5);
    }

    #[test]
    fn copies_count_like_repeated_rows() {
        let mut samples = planted(500, 0.0);
        let repeated: Vec<Sample> = samples.iter().chain(&samples).cloned().collect();
        samples.iter_mut().for_each(|sample| sample.copies = 2);
        let once = fit(&samples, &[0, 4], 2, 1.0).unwrap().weights;
        let twice = fit(&repeated, &[0, 4], 2, 1.0).unwrap().weights;
        assert!((once[4] - twice[4]).abs() < 1e-9);
    }

    #[test]
    fn one_class_is_refused() {
        let mut samples = planted(50, 0.0);
        samples.iter_mut().for_each(|sample| sample.defective = true);
        assert_eq!(fit(&samples, &[0, 4], 2, 1.0).unwrap_err().code(), "model.format");
    }

    #[test]
    fn inverse_by_hand() {
        let inverse = invert(vec![vec![4.0, 7.0], vec![2.0, 6.0]]).unwrap();
        let expected = [[0.6, -0.7], [-0.2, 0.4]];
        for (row, line) in expected.iter().enumerate() {
            for (column, cell) in line.iter().enumerate() {
                assert!((inverse[row][column] - cell).abs() < 1e-12);
            }
        }
        assert!(invert(vec![vec![1.0, 2.0], vec![2.0, 4.0]]).is_none());
    }
}
