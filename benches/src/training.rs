//! Training and measuring a model: positions, the choice of its settings, and its evaluation.

use barograph::learn::*;

use crate::table::{Row, Set, Table};

/// A label of issta21 counts as known this long after the commit.
pub const MATURITY_SECONDS: i64 = 180 * 86_400;

/// What is trained and from what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Features that get a weight, by place in the schema.
    pub used: Vec<usize>,
    /// Whether positions are taken within the earlier changes of the project.
    pub history: bool,
    /// L2 penalties to choose from.
    pub alphas: Vec<f64>,
    /// Pseudo-observations to choose from.
    pub pseudos: Vec<f64>,
}

/// The place of a feature in the schema.
pub fn feature(name: &str) -> usize {
    FEATURES.iter().position(|known| *known == name).unwrap_or_else(|| panic!("no feature {name}"))
}

/// Whether the table's column can stand for the reference's definition, at least as a position
/// within the project. The evidence is in the card's `harmonisation`.
pub fn readable(set: Set, index: usize) -> bool {
    !matches!((set, FEATURES[index]), (Set::Apache8, "ndev" | "nuc") | (Set::Issta21, "rexp"))
}

/// Whether the table's column has the reference's scale, so that it may speak for mean and spread.
fn to_scale(set: Set, index: usize) -> bool {
    match (set, FEATURES[index]) {
        (Set::Issta21, "exp" | "sexp" | "rexp") => false,
        _ => readable(set, index),
    }
}

/// Where a table is split: the first 80 % of its rows by date train.
pub fn split_at(table: &Table) -> usize {
    table.rows.len() * 4 / 5
}

/// Whether a row trains, and with which label: what was known on the split date.
pub fn known_label(table: &Table, row: usize) -> Option<bool> {
    let at = split_at(table);
    let split = table.rows[at].time;
    let row = match row < at {
        true => &table.rows[row],
        false => return None,
    };
    match table.set {
        Set::Issta21 => (row.time < split - MATURITY_SECONDS).then_some(row.defective),
        Set::Apache8 => Some(row.defective && row.fixed.is_some_and(|fixed| fixed < split)),
    }
}

/// The share of known defects among a table's training rows: what a host could know and pass.
pub fn known_rate(table: &Table) -> f64 {
    let labels: Vec<bool> = (0..table.rows.len()).filter_map(|row| known_label(table, row)).collect();
    labels.iter().filter(|label| **label).count() as f64 / labels.len().max(1) as f64
}

/// Mean and spread of every transformed feature: the mean over projects, each weighing the same.
pub fn centre(tables: &[&Table]) -> [(f64, f64); WIDTH] {
    std::array::from_fn(|index| {
        let (mut mean, mut variance, mut count) = (0.0, 0.0, 0.0);
        for table in tables.iter().filter(|table| to_scale(table.set, index)) {
            let mut moments = Moments::default();
            for row in &table.rows[..split_at(table)] {
                moments.push(&row.vector);
            }
            let (centre, spread) = moments.shrunk(index, 0.0, 0.0, 0.0);
            mean += centre;
            variance += spread * spread;
            count += 1.0;
        }
        (round(mean / count, 6), round((variance / count).sqrt(), 6))
    })
}

/// Which columns of a table are fed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Those that can stand for the reference's definition; the others stand at the mean.
    Readable,
    /// All, in the table's own reading: what a reader of the table alone would do.
    Published,
}

/// The positions of a table's rows, as in use: against the strictly earlier rows of the table.
pub fn positions(
    table: &Table,
    centre: &[(f64, f64); WIDTH],
    standing: &Standing,
    columns: Columns,
) -> Vec<[f64; WIDTH]> {
    let mut moments = Moments::default();
    let mut all = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        all.push(std::array::from_fn(|index| {
            let (mean, spread) = match standing.history {
                true => moments.shrunk(index, centre[index].0, centre[index].1, standing.pseudo),
                false => centre[index],
            };
            match columns == Columns::Published || readable(table.set, index) {
                true => position(row.vector[index], mean, spread, standing.limit),
                false => 0.0,
            }
        }));
        moments.push(&row.vector);
    }
    all
}

/// Finds weights: `fit` for what ships, `refit` for the many models that choose and measure.
pub type Learner = fn(&[Sample], &[usize], usize, f64) -> barograph::Result<Fitted>;

/// Everything that scoring needs, before it is written down.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Mean and spread of every feature.
    pub centre: [(f64, f64); WIDTH],
    /// How positions are taken.
    pub standing: Standing,
    /// Weights in schema order.
    pub weights: [f64; WIDTH],
    /// Log-odds where every feature stands at the mean, at `base_rate`.
    pub intercept: f64,
    /// Share of defective training rows.
    pub base_rate: f64,
    /// Row-sampling covariance of the weights.
    pub covariance: [[f64; WIDTH]; WIDTH],
    /// 1,001 quantiles of the training rows' log-odds.
    pub reference: Vec<f64>,
    /// The largest difference in a weight between where the learner stopped and the optimum.
    pub polished: f64,
    /// Training rows.
    pub rows: u64,
    /// Newest training row, Unix seconds.
    pub until: i64,
}

/// Trains on the known rows of `tables` with `learner`.
pub fn train(
    tables: &[&Table],
    plan: &Plan,
    standing: &Standing,
    alpha: f64,
    learner: Learner,
) -> Result<Trained, String> {
    let centre = centre(tables);
    let most = tables.iter().map(|table| table.rows.len()).max().unwrap_or(0) as f64;
    let mut samples = Vec::new();
    let (mut rows, mut until) = (0, i64::MIN);
    for (project, table) in tables.iter().enumerate() {
        // Rows of a table weigh 1/sqrt(size), in whole copies: small projects are heard, large
        // ones still count for more.
        let copies = (most / table.rows.len() as f64).sqrt().round().max(1.0) as u32;
        for (row, positions) in positions(table, &centre, standing, Columns::Readable).into_iter().enumerate()
        {
            let Some(defective) = known_label(table, row) else { continue };
            samples.push(Sample { positions, project, copies, defective });
            rows += 1;
            until = until.max(table.rows[row].time);
        }
    }
    let fitted = learner(&samples, &plan.used, tables.len(), alpha).map_err(|error| error.to_string())?;
    let weights = fitted.weights.map(|weight| round(weight, 6));
    let mut sums: Vec<f64> = samples.iter().map(|sample| weigh(&weights, &sample.positions)).collect();
    sums.sort_by(f64::total_cmp);
    let quantiles: Vec<f64> = (0..=1000).map(|at| sums[at * (sums.len() - 1) / 1000]).collect();
    let base_rate = samples.iter().filter(|sample| sample.defective).count() as f64 / samples.len() as f64;
    let base_rate = round(base_rate, 6);
    let intercept = round(shift_to(&quantiles, base_rate), 6);
    let reference = quantiles.iter().map(|value| round(value + intercept, 6)).collect();
    let Fitted { covariance, polished, .. } = fitted;
    let standing = standing.clone();
    Ok(Trained {
        centre,
        standing,
        weights,
        intercept,
        base_rate,
        covariance,
        reference,
        polished,
        rows,
        until,
    })
}

impl Trained {
    /// Log-odds of every row of a table at the model's own base rate.
    pub fn log_odds(&self, table: &Table, columns: Columns) -> Vec<f64> {
        let positions = positions(table, &self.centre, &self.standing, columns);
        positions.iter().map(|positions| self.intercept + weigh(&self.weights, positions)).collect()
    }
}

fn weigh(weights: &[f64; WIDTH], positions: &[f64; WIDTH]) -> f64 {
    weights.iter().zip(positions).map(|(weight, position)| weight * position).sum()
}

/// `value` with `digits` digits after the point: short in the file, and read back exactly.
pub fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale + 0.0
}

/// The projects, in order of first appearance.
pub fn projects(tables: &[Table]) -> Vec<String> {
    let mut projects: Vec<String> = Vec::new();
    for table in tables {
        if !projects.contains(&table.project) {
            projects.push(table.project.clone());
        }
    }
    projects
}

/// Trains once for every project, each time without it.
pub fn without_each(
    tables: &[Table],
    plan: &Plan,
    standing: &Standing,
    alpha: f64,
) -> Result<Vec<(String, Trained)>, String> {
    let projects = projects(tables);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut trained = Vec::new();
    for some in projects.chunks(workers) {
        let results: Vec<Result<Trained, String>> = std::thread::scope(|scope| {
            let running: Vec<_> = some
                .iter()
                .map(|project| {
                    let others: Vec<&Table> =
                        tables.iter().filter(|table| table.project != *project).collect();
                    scope.spawn(move || train(&others, plan, standing, alpha, refit))
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err("training panicked".to_owned())))
                .collect()
        });
        for (project, result) in some.iter().zip(results) {
            trained.push((project.clone(), result?));
        }
    }
    Ok(trained)
}

/// Mean ROC-AUC over tables whose project was left out, on the TRAINING rows of those tables only
/// and with the labels known then: what settings are chosen by.
pub fn choice_auc(tables: &[Table], left_out: &[(String, Trained)]) -> f64 {
    let mut sum = 0.0;
    for table in tables {
        let Some((_, model)) = left_out.iter().find(|(project, _)| *project == table.project) else {
            continue;
        };
        let log_odds = model.log_odds(table, Columns::Readable);
        let (mut scores, mut labels) = (Vec::new(), Vec::new());
        for (row, score) in log_odds.iter().enumerate() {
            if let Some(label) = known_label(table, row) {
                scores.push(*score);
                labels.push(label);
            }
        }
        sum += roc_auc(&scores, &labels).unwrap_or(0.5);
    }
    sum / tables.len() as f64
}

/// One set of rows with what was said of them.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Log-odds or any other ranking.
    pub scores: Vec<f64>,
    /// log1p(LA + LD) of the same rows.
    pub churn: Vec<f64>,
    /// Probabilities at `base_rates`.
    pub probabilities: Vec<f64>,
    /// The base rate that each row's probability was stated at.
    pub base_rates: Vec<f64>,
    /// The labels as known in the end.
    pub defective: Vec<bool>,
}

impl Said {
    /// Says of the rows `from..` of a table what the model says, at a base rate.
    pub fn of(model: &Trained, table: &Table, columns: Columns, from: usize, base_rate: Option<f64>) -> Said {
        let shift = base_rate.map_or(0.0, |rate| shift_to(&model.reference, rate));
        let scores: Vec<f64> = model.log_odds(table, columns)[from..].to_vec();
        let churn = |row: &Row| signed_log1p(row.vector[feature("la")] + row.vector[feature("ld")]);
        let rows = &table.rows[from..];
        Said {
            probabilities: scores.iter().map(|score| logistic(score + shift)).collect(),
            base_rates: vec![base_rate.unwrap_or(model.base_rate); rows.len()],
            churn: rows.iter().map(churn).collect(),
            defective: rows.iter().map(|row| row.defective).collect(),
            scores,
        }
    }

    /// Puts the rows of another set behind these.
    pub fn append(&mut self, mut other: Said) {
        self.scores.append(&mut other.scores);
        self.churn.append(&mut other.churn);
        self.probabilities.append(&mut other.probabilities);
        self.base_rates.append(&mut other.base_rates);
        self.defective.append(&mut other.defective);
    }
}
