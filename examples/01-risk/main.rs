//! How risky is the last change of a repository, and why?

use barograph::blocking::Workspace;

fn main() -> barograph::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let ws = Workspace::open(path.as_str())?;
    let risk = ws.risk().change("HEAD~1..HEAD")?;
    println!("{} files, +{} -{} lines", risk.change.files, risk.change.added, risk.change.deleted);
    let level = format!("{:?}", risk.level).to_lowercase();
    println!("riskier than {:.0} % of the changes before it: {level}", risk.score);
    for reason in risk.reasons.iter().take(3) {
        println!("  {:+.2} {}", reason.contribution, reason.sentence);
    }
    for file in risk.files.iter().take(3) {
        println!("  {:.0} % of it: {}", 100.0 * file.share, file.path.as_deref().unwrap_or("the rest"));
    }
    Ok(())
}
