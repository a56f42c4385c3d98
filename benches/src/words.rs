//! The sentences of the model card.

use std::path::Path;

/// How the two tables were brought to one definition. The figures compare the published columns
/// with the reference's definitions, computed from the projects' repositories: activemq (2,163
/// rows found) for apache8; jdt.core, jdt.ui and jdt.debug together (2,770 rows) for issta21.
pub fn harmonisation(history: bool) -> Vec<String> {
    let mut lines = vec![
        "NS, ND, NF, ENTROPY, LA, LD: used as published. LA, LD, NF and NS are equal in all compared rows of apache8 (ND in 96 %), LD and NS in all, ND in 94 %, LA in 93 %, NF in 89 % of issta21.".to_owned(),
        "LT: both tables publish the sum over the touched files (rank correlation with the sum .999 on issta21, .94 on apache8; with the mean .86 and .89). Divided by NF it is the reference's mean, exactly.".to_owned(),
        "FIX: a reading of the same thing in both tables, and of different strength. issta21 marks a part of what the reference's expression over the whole message marks (83 % of rows agree in jdt.core, 76 % in nova). apache8 marks 3 to 16 % of a project's commits, by its issue tracker: 64 % of activemq's rows agree with the reference, where chance gives 63 %. Used as published in both, as what is asked is the same: does the change fix a defect? Where a project names issues in its messages and not the word fix, FIX says less here than in the figures below (activemq by `git.features` itself: ROC-AUC .650 with this weight, .666 with one learned from issta21 alone, .658 plain churn).".to_owned(),
        "apache8 keeps only commits that modified existing Java methods: it says nothing of documentation-only or build-only changes, and a project's positions there are positions among code changes.".to_owned(),
    ];
    if history {
        lines.extend([
            "NDEV: issta21 publishes distinct totals (rank correlation .985), apache8 the mean over files. The two readings have effects of opposite sign, so NDEV is dropped: weight 0.".to_owned(),
            "NUC: issta21 publishes distinct totals (rank correlation .946). apache8 publishes the mean over files without following renames (rank correlation .997 with that reading, .80 with the reference's): dropped there, so its weight is learned from issta21 alone.".to_owned(),
            "AGE: mean over files in days in both; apache8 cuts each file's age to whole days (94 % of rows equal after the same cut; issta21 rank correlation .81). Used as published.".to_owned(),
            "EXP: equal in apache8 in 98 % of rows (authors told apart by name). issta21 counts touched files instead of commits, over several repositories of a project (rank correlation .97): used there as a position within the project only; mean and spread come from apache8.".to_owned(),
            "REXP: equal in apache8 in 98 % of rows; issta21's reading could not be found (best rank correlation .47 of eight readings tried). Dropped: weight 0.".to_owned(),
            "SEXP: apache8 publishes the mean over the touched subsystems (89 % of rows equal to the reference), issta21 a related count (rank correlation .86): used as a position within the project; mean and spread come from apache8.".to_owned(),
        ]);
    } else {
        lines.push("NDEV, AGE, NUC, EXP, REXP, SEXP need history: weight 0. Positions are against the mean and spread given in this card, never against the repository.".to_owned());
    }
    lines
}

/// How rows were split, when a label counts as known, and how the settings were chosen.
pub fn split(tried: &[String], pseudo: f64, alpha: f64, history: bool) -> String {
    let standing = match history {
        true => format!(
            "Positions are against the strictly earlier rows of the same table, shrunk with {pseudo} pseudo-observations, within 8 spreads."
        ),
        false => "Positions are against the card's mean and spread, within 8 spreads.".to_owned(),
    };
    format!(
        "The first 80 % of each table by date train. A label counts as known on the split date: apache8 rows are \
         defective only if fixed before it; issta21 gives no date of the fix, so its newest 180 days before the \
         split are left out. jdt-2011 is left out (it shares 507 commits with jdt). Projects share the weights and \
         have their own base rates in training; rows count in whole copies so that a table weighs with about the \
         square root of its size. {standing} Settings (pseudo-observations, L2 penalty) were chosen by mean ROC-AUC \
         of leave-one-project-out within the training rows: {}; chosen ({pseudo}, {alpha}). Rows of the last 20 % \
         had no part in that choice. The limit of 8, the copies and the features left out were settled before, in an \
         exploration that had seen all rows: the figures below are not free of it.",
        tried.join(", ")
    )
}

/// What the model must not be used for.
pub fn not_for(history: bool) -> Vec<String> {
    let mut lines = vec![
        "Judging people: the experience features describe a change's circumstances, not a person's ability.".to_owned(),
        "A probability without its base rate: projects of the training data differ from 4 % to 49 %. Use the rank until the repository's own base rate is known.".to_owned(),
        "Deciding alone that a change needs no review or test: it ranks, and misses defects in small changes.".to_owned(),
        "Security, licence or performance questions: the labels are bugs found later through fixing commits (SZZ), with that method's errors.".to_owned(),
        "Repositories of generated content, documentation or data only: no such project was trained on.".to_owned(),
    ];
    if !history {
        lines.push("Repositories whose history is at hand: the model `prior` ranks better there.".to_owned());
    }
    lines
}

/// Notices that the licences of the data ask for.
pub fn notices(data: &Path) -> Result<Vec<String>, String> {
    let path = data.join("jit-issta21").join("LICENSE.txt");
    let mit = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(vec![
        format!("Weights derived in part from the tables of ZZR0/ISSTA21-JIT-DP, under this licence:\n\n{}", mit.trim()),
        "Weights derived in part from the tables of Verssae/NeuroJIT (data/dataset/combined, built on ApacheJIT), licensed under the Apache License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0). Changes: columns renamed and harmonised, rows filtered, a model fitted.".to_owned(),
    ])
}
