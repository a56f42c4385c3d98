//! From training to the model file: evaluations, the card, and the notices.

use std::path::Path;

use barograph::learn::*;
use barograph::{Coefficient, Evaluation, ModelCard};

use crate::table::Table;
use crate::training::{
    Columns, Plan, Said, Trained, choice_auc, feature, known_rate, round, split_at, train, without_each,
};

/// The version of the weights; raise it with every change of data, plan or method.
const VERSION: &str = "1.0.0";

/// One line of a card's evaluation.
fn evaluation(rows: String, said: &Said) -> Evaluation {
    let count = said.defective.len();
    let base_rate = said.defective.iter().filter(|label| **label).count() as f64 / count.max(1) as f64;
    Evaluation {
        rows,
        count: count as u64,
        base_rate: round(base_rate, 4),
        roc_auc: round(roc_auc(&said.scores, &said.defective).unwrap_or(0.5), 4),
        roc_auc_churn: round(roc_auc(&said.churn, &said.defective).unwrap_or(0.5), 4),
        brier: round(brier(&said.probabilities, &said.defective), 4),
        brier_base_rate: round(brier(&said.base_rates, &said.defective), 4),
        ece: round(ece(&said.probabilities, &said.defective, 10), 4),
    }
}

/// The unweighted mean of several lines.
fn mean(rows: String, of: &[Evaluation]) -> Evaluation {
    let over =
        |value: fn(&Evaluation) -> f64| round(of.iter().map(value).sum::<f64>() / of.len().max(1) as f64, 4);
    Evaluation {
        rows,
        count: of.iter().map(|line| line.count).sum(),
        base_rate: over(|line| line.base_rate),
        roc_auc: over(|line| line.roc_auc),
        roc_auc_churn: over(|line| line.roc_auc_churn),
        brier: over(|line| line.brier),
        brier_base_rate: over(|line| line.brier_base_rate),
        ece: over(|line| line.ece),
    }
}

/// The last 20 % of every training table, each at its own known base rate, then together.
fn out_of_time(tables: &[Table], model: &Trained) -> Vec<Evaluation> {
    let mut lines = Vec::new();
    let (mut given, mut own) = (Said::default(), Said::default());
    for table in tables {
        let said = Said::of(model, table, Columns::Readable, split_at(table), Some(known_rate(table)));
        lines.push(evaluation(format!("{}, last 20 % by date", table.name), &said));
        given.append(said);
        own.append(Said::of(model, table, Columns::Readable, split_at(table), None));
    }
    let each = mean("mean of the tables above".to_owned(), &lines);
    lines.push(each);
    lines.push(evaluation("all of them, each at the base rate of its own training rows".to_owned(), &given));
    lines.push(evaluation("all of them, at the model's own base rate".to_owned(), &own));
    lines
}

/// Every table by a model that never saw its project.
fn unseen(tables: &[Table], left_out: &[(String, Trained)], columns: Columns) -> Vec<Evaluation> {
    let (mut whole, mut last) = (Vec::new(), Vec::new());
    for table in tables {
        let Some((_, model)) = left_out.iter().find(|(project, _)| *project == table.project) else {
            continue;
        };
        let rate = table.rows.iter().filter(|row| row.defective).count() as f64 / table.rows.len() as f64;
        let said = Said::of(model, table, columns, 0, Some(rate));
        whole.push(evaluation(format!("{}, never seen, all rows", table.name), &said));
        let said = Said::of(model, table, columns, split_at(table), Some(known_rate(table)));
        last.push(evaluation(format!("{}, never seen, last 20 % by date", table.name), &said));
    }
    if columns == Columns::Published {
        let reading = "with apache8's own reading of NUC";
        return vec![
            mean(format!("mean of the tables, all rows, {reading}"), &whole),
            mean(format!("mean of the tables, last 20 % by date, {reading}"), &last),
        ];
    }
    let mut lines = whole.clone();
    lines.push(mean("mean of the tables above, all rows".to_owned(), &whole));
    lines.extend(last.iter().cloned());
    lines.push(mean("mean of the tables above, last 20 % by date".to_owned(), &last));
    lines
}

/// Covariance of weights and intercept for a project that was not trained on: how far they move
/// when a project is left out (jackknife over projects), plus the sampling of rows.
fn covariance(model: &Trained, left_out: &[(String, Trained)]) -> Vec<Vec<f64>> {
    let vectors: Vec<Vec<f64>> = left_out
        .iter()
        .map(|(_, model)| model.weights.iter().copied().chain([model.intercept]).collect())
        .collect();
    let count = vectors.len() as f64;
    let centre: Vec<f64> =
        (0..=WIDTH).map(|at| vectors.iter().map(|vector| vector[at]).sum::<f64>() / count).collect();
    (0..=WIDTH)
        .map(|row| {
            (0..=WIDTH)
                .map(|column| {
                    let moved: f64 = vectors
                        .iter()
                        .map(|vector| (vector[row] - centre[row]) * (vector[column] - centre[column]))
                        .sum();
                    let sampled = match row < WIDTH && column < WIDTH {
                        true => model.covariance[row][column],
                        false => 0.0,
                    };
                    round(moved * (count - 1.0) / count + sampled, 9)
                })
                .collect()
        })
        .collect()
}

/// Mean ROC-AUC, standing, penalty and models of the best settings so far.
type Best = (f64, Standing, f64, Vec<(String, Trained)>);

/// Chooses settings, trains, measures, and writes everything down; `say` hears of the progress.
pub fn build(
    name: &str,
    tables: &[Table],
    data: &Path,
    plan: &Plan,
    say: &mut dyn FnMut(String),
) -> Result<ModelFile, String> {
    let mut best: Option<Best> = None;
    let mut tried = Vec::new();
    for pseudo in &plan.pseudos {
        for alpha in &plan.alphas {
            let standing = Standing { history: plan.history, pseudo: *pseudo, limit: 8.0 };
            let left_out = without_each(tables, plan, &standing, *alpha)?;
            let auc = choice_auc(tables, &left_out);
            say(format!("{name}: pseudo-observations {pseudo}, penalty {alpha}: {auc:.5}"));
            tried.push(format!("({pseudo}, {alpha}): {auc:.4}"));
            if best.as_ref().is_none_or(|best| auc > best.0) {
                best = Some((auc, standing, *alpha, left_out));
            }
        }
    }
    let (_, standing, alpha, left_out) = best.ok_or("the plan has nothing to choose from")?;
    let all: Vec<&Table> = tables.iter().collect();
    let model = train(&all, plan, &standing, alpha, fit)?;
    say(format!("{name}: linfa-logistic stopped {:.1e} from the optimum", model.polished));
    let coefficients = (0..WIDTH)
        .map(|index| Coefficient {
            feature: FEATURES[index].to_owned(),
            weight: model.weights[index],
            mean: model.centre[index].0,
            spread: model.centre[index].1,
        })
        .collect();
    let card = ModelCard {
        name: name.to_owned(),
        version: VERSION.to_owned(),
        trained_on: vec![
            "jit-issta21 (go, go-2011, jdt, openstack, openstack-2011, qt), MIT".to_owned(),
            "jit-apache8 (activemq, camel, cassandra, flink, groovy, ignite), Apache-2.0".to_owned(),
        ],
        trained_until: date(model.until),
        rows: model.rows,
        base_rate: model.base_rate,
        intercept: model.intercept,
        coefficients,
        harmonisation: crate::words::harmonisation(plan.history),
        split: crate::words::split(&tried, standing.pseudo, alpha, plan.history),
        out_of_time: out_of_time(tables, &model),
        unseen_projects: unseen(tables, &left_out, Columns::Readable)
            .into_iter()
            .chain(unseen(tables, &left_out, Columns::Published))
            .collect(),
        not_for: crate::words::not_for(plan.history),
        notices: crate::words::notices(data)?,
    };
    let covariance = covariance(&model, &left_out);
    let reference = model.reference;
    Ok(ModelFile {
        format: FORMAT.to_owned(),
        sha256: String::new(),
        card,
        standing: model.standing,
        covariance,
        reference,
    })
}

/// The two plans: everything that history gives, and what a clone without history knows.
pub fn plans() -> [(&'static str, Plan); 2] {
    let places = |names: &[&str]| names.iter().map(|name| feature(name)).collect();
    let size = ["ns", "nd", "nf", "entropy", "la", "ld", "lt", "fix"];
    let full = ["ns", "nd", "nf", "entropy", "la", "ld", "lt", "fix", "age", "nuc", "exp", "sexp"];
    let alphas = vec![100.0, 1000.0, 3000.0];
    let prior =
        Plan { used: places(&full), history: true, alphas: alphas.clone(), pseudos: vec![50.0, 200.0] };
    let small = Plan { used: places(&size), history: false, alphas, pseudos: vec![0.0] };
    [("prior", prior), ("size-only", small)]
}

/// Unix seconds as RFC 3339 in UTC (days from the civil calendar, proleptic Gregorian).
fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_by_hand() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(1_500_003_600), "2017-07-14T03:40:00Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
    }
}
