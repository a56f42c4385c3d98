//! Where is a repository complex, where does it change, and which commits had to be fixed?

use std::collections::BTreeSet;

use barograph::blocking::Workspace;
use barograph::{CodeMetricsArgs, HotspotsArgs, SzzArgs};

fn main() -> barograph::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let ws = Workspace::open(path.as_str())?;

    let metrics = ws.code().metrics(CodeMetricsArgs::default())?;
    let mut functions: Vec<_> =
        metrics.files.iter().flat_map(|file| file.functions.iter().map(move |it| (file, it))).collect();
    println!("{} files, {} functions", metrics.files.len(), functions.len());
    // Files and their functions come in order; among equals it is kept.
    functions.sort_by_key(|(_, function)| std::cmp::Reverse(function.cognitive));
    for (file, function) in functions.iter().take(3) {
        println!(
            "  cognitive complexity {}: {} ({}:{})",
            function.cognitive, function.qualified, file.path, function.line
        );
    }

    println!("complex, and often changed:");
    for spot in ws.git().hotspots(HotspotsArgs::default())?.files.iter().take(3) {
        let trend = format!("{:?}", spot.trend).to_lowercase();
        println!("  {:.2} {}: {} commits, {trend}", spot.score, spot.path, spot.commits);
    }

    let fixed = ws.git().szz(SzzArgs::default())?;
    let inducing: BTreeSet<&str> = fixed.rows.iter().map(|row| row.inducing.as_str()).collect();
    println!("{} fixes lead back to {} commits", fixed.fixes, inducing.len());
    Ok(())
}
