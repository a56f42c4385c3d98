//! Trains the shipped models: `cargo train-prior --data ../shared/data --out core/src/predict/prior`.
//!
//! With `--check` nothing is written: the models are trained again and compared with the files in
//! `--out`; the exit status is 1 where they differ. Where the data is absent it says so and stops
//! with 0, so that a checkout without the tables passes.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command talks to its terminal.

use std::path::PathBuf;
use std::process::ExitCode;

use barograph_benches::{card, table};

fn main() -> ExitCode {
    let (mut data, mut out) = (PathBuf::from("../shared/data"), PathBuf::from("core/src/predict/prior"));
    let mut check = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--data" => data = arguments.next().unwrap_or_default().into(),
            "--out" => out = arguments.next().unwrap_or_default().into(),
            _ => {
                eprintln!("`{argument}` is unknown; usage: train-prior [--data DIR] [--out DIR] [--check]");
                return ExitCode::from(2);
            }
        }
    }
    if check && !data.is_dir() {
        println!("skipped: the tables are not at {}", data.display());
        return ExitCode::SUCCESS;
    }
    match run(&data, &out, check) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether the files were written, or are the same as before.
fn run(data: &std::path::Path, out: &std::path::Path, check: bool) -> Result<bool, String> {
    let tables = table::read_all(data)?;
    let mut same = true;
    for (name, plan) in card::plans() {
        let file = card::build(name, &tables, data, &plan, &mut |line| eprintln!("{line}"))?;
        let text = file.write().map_err(|error| error.to_string())?;
        for line in file.card.out_of_time.iter().chain(&file.card.unseen_projects) {
            println!(
                "{name:10} {:62} n {:6} rate {:.3} auc {:.3} churn {:.3} brier {:.3} of {:.3} ece {:.3}",
                line.rows,
                line.count,
                line.base_rate,
                line.roc_auc,
                line.roc_auc_churn,
                line.brier,
                line.brier_base_rate,
                line.ece
            );
        }
        for coefficient in &file.card.coefficients {
            println!("{name:10} {:8} {:+.4}", coefficient.feature, coefficient.weight);
        }
        let path = out.join(format!("{name}.json"));
        if check {
            let shipped =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if shipped != text {
                println!("{} differs from what training gives", path.display());
                same = false;
            }
        } else {
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(same)
}
