//! Records of what history says about files: their past, who owns them, what changes with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HistorySpan;

/// Arguments of `git.files`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FilesArgs {
    /// Which commits count: `A..B`, or a revision for everything reachable from it; the files are
    /// those of its tip. Default `HEAD`.
    pub range: Option<String>,
    /// Only these files: folders, files, or patterns as in `.gitignore`; none: all.
    pub paths: Vec<String>,
    /// Only commits from this time on: RFC 3339, or a date for its beginning in UTC.
    pub since: Option<String>,
    /// Only commits before this time: RFC 3339, or a date for its beginning in UTC.
    pub until: Option<String>,
    /// Whether commits of bots count.
    pub bots: bool,
    /// After this many days a commit weighs half, for `weighted_commits` and `bus_factor`; more than 0.
    pub half_life_days: f64,
}

impl Default for FilesArgs {
    fn default() -> Self {
        FilesArgs {
            range: None,
            paths: Vec::new(),
            since: None,
            until: None,
            bots: false,
            half_life_days: 180.0,
        }
    }
}

/// Which commits an answer counts, and what stood in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountedHistory {
    /// The commit whose files the answer is about, hexadecimal.
    pub tip: String,
    /// The tip's committer time, RFC 3339: every age counts back from it, so that the same history
    /// always gives the same answer.
    pub time: String,
    /// Commits that count.
    pub counted: u64,
    /// Commits left out as a bot made them.
    pub by_bots: u64,
    /// Commits left out as `.git-blame-ignore-revs` of the tip names them.
    pub ignored: u64,
    /// What of the history of the tip could be read.
    pub history: HistorySpan,
}

/// What history says about one file of the tip. Merges are left out; a rename hands the past of the old
/// name to the new one, and a file made anew under the old name begins there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileHistory {
    /// The path at the tip.
    pub path: String,
    /// Commits that touched it, under this name or an earlier one.
    pub commits: u64,
    /// Lines that they added; binary versions have none.
    pub added: u64,
    /// Lines that they deleted.
    pub deleted: u64,
    /// Lines at the tip, 0 where it is binary; null where its content is not in this clone.
    pub lines: Option<u64>,
    /// Relative churn (Nagappan and Ball 2005, M1): lines added and deleted, each by `lines`; null
    /// where it has none.
    pub relative_churn: Option<f64>,
    /// Days from the first commit that counts to the tip's time; null where none counts.
    pub age_days: Option<f64>,
    /// Days from the last commit that counts to the tip's time; null where none counts.
    pub last_change_days: Option<f64>,
    /// Distinct authors: signatures with, after `.mailmap`, a common e-mail address or full name.
    pub authors: u64,
    /// Authors with less than 5 % of its commits (Bird et al. 2011: minor contributors).
    pub minor_authors: u64,
    /// The share of its commits that its main author made, 0 to 1 (Bird et al. 2011: ownership).
    pub ownership: f64,
    /// Who made most of its commits, of equals the one with the most changed lines; null where none counts.
    pub main_author: Option<String>,
    /// The main author's e-mail address, in lower case.
    pub main_author_email: Option<String>,
    /// The fewest authors who together made more than half of `weighted_commits`: a definition of
    /// our own, after the truck factor; 0 where no commit counts.
    pub bus_factor: u64,
    /// Its commits, each weighted 2^(-age / half-life), age in days before the tip's time.
    pub weighted_commits: f64,
    /// Commits among them whose message says that they are a fix.
    pub fixes: u64,
    /// Days from the last fix to the tip's time; null where there was none.
    pub last_fix_days: Option<f64>,
    /// Whether a tool writes it: by its name or `.gitattributes` of the tip.
    pub generated: bool,
    /// Whether it is somebody else's code: by its folder or `.gitattributes` of the tip.
    pub vendored: bool,
    /// What its changes weigh beside others: 1, or 0.1 where it is generated or vendored.
    pub weight: f64,
}

/// What history says about files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileHistories {
    /// Every file of the tip that `paths` selects, sorted by path.
    pub files: Vec<FileHistory>,
    /// Which commits count.
    pub basis: CountedHistory,
}

/// Arguments of `git.coupling`; the limits are those of code-maat, and so are their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CouplingArgs {
    /// Which commits count: `A..B`, or a revision for everything reachable from it; the files are
    /// those of its tip. Default `HEAD`.
    pub range: Option<String>,
    /// Only pairs with one of these files: folders, files, or patterns as in `.gitignore`; none: all.
    pub paths: Vec<String>,
    /// Only commits from this time on: RFC 3339, or a date for its beginning in UTC.
    pub since: Option<String>,
    /// Only commits before this time: RFC 3339, or a date for its beginning in UTC.
    pub until: Option<String>,
    /// Whether commits of bots count.
    pub bots: bool,
    /// The least average of the two files' revisions.
    pub min_revisions: u64,
    /// The least number of revisions that touched both.
    pub min_shared: u64,
    /// The least degree of coupling, percent.
    pub min_coupling: f64,
    /// The greatest degree of coupling, percent; the degree is cut to whole percent for this.
    pub max_coupling: f64,
    /// Commits that touched more files than this do not count at all.
    pub max_changes: u64,
    /// Whether renames are followed and deleted files left out; without, every name ever used is a
    /// file of its own, as code-maat sees it.
    pub renames: bool,
    /// Whether generated and vendored files take part.
    pub include_generated: bool,
}

impl Default for CouplingArgs {
    fn default() -> Self {
        CouplingArgs {
            range: None,
            paths: Vec::new(),
            since: None,
            until: None,
            bots: false,
            min_revisions: 5,
            min_shared: 5,
            min_coupling: 30.0,
            max_coupling: 100.0,
            max_changes: 30,
            renames: true,
            include_generated: false,
        }
    }
}

/// Two files that change together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoupledFiles {
    /// The first of the two by path.
    pub path: String,
    /// The other.
    pub coupled: String,
    /// Degree of coupling: `shared` / `average_revisions`, percent, above 0 to 100.
    pub degree: f64,
    /// Revisions that touched both.
    pub shared: u64,
    /// Revisions that touched the first.
    pub revisions: u64,
    /// Revisions that touched the other.
    pub coupled_revisions: u64,
    /// The mean of `revisions` and `coupled_revisions`.
    pub average_revisions: f64,
    /// Days from the last shared revision to the tip's time.
    pub last_shared_days: f64,
    /// Whether both stand in the same folder.
    pub same_folder: bool,
}

/// Files that change together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileCoupling {
    /// The pairs within the limits, the highest degree first, of equals the one with more revisions.
    pub pairs: Vec<CoupledFiles>,
    /// Commits that did not count as they touched more than `max_changes` files.
    pub too_large: u64,
    /// Which commits count, those too large included.
    pub basis: CountedHistory,
}

/// Arguments of `git.owners`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnersArgs {
    /// Which commits count: `A..B`, or a revision for everything reachable from it; the files are
    /// those of its tip. Default `HEAD`.
    pub range: Option<String>,
    /// Only these files: folders, files, or patterns as in `.gitignore`; none: all.
    pub paths: Vec<String>,
    /// Only the files that these commits touched, `A..B` or one revision for that commit alone; who
    /// owned them before: the commits themselves do not count.
    pub change: Option<String>,
    /// Only commits from this time on: RFC 3339, or a date for its beginning in UTC.
    pub since: Option<String>,
    /// Only commits before this time: RFC 3339, or a date for its beginning in UTC.
    pub until: Option<String>,
    /// Whether commits of bots count.
    pub bots: bool,
    /// Whom the owners are listed for.
    pub by: OwnedBy,
    /// Folders at most this deep, from 1; 0: however deep.
    pub depth: u64,
    /// At most this many owners for each path; 0: all.
    pub limit: u64,
    /// After this many days a commit weighs half, for `weighted_commits` and `bus_factor`; more than 0.
    pub half_life_days: f64,
}

impl Default for OwnersArgs {
    fn default() -> Self {
        OwnersArgs {
            range: None,
            paths: Vec::new(),
            change: None,
            since: None,
            until: None,
            bots: false,
            by: OwnedBy::Folder,
            depth: 0,
            limit: 10,
            half_life_days: 180.0,
        }
    }
}

/// What owners are listed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OwnedBy {
    /// The selection as a whole, and every folder that holds some of it.
    #[default]
    Folder,
    /// The selection as a whole, and every file of it.
    File,
    /// The selection as a whole only.
    Whole,
}

/// An author of a file or folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// Name after `.mailmap`, as in the newest of the author's commits; signatures with a common e-mail
    /// address or full name (two words or more) are one author's.
    pub name: String,
    /// E-mail address, after `.mailmap`, in lower case.
    pub email: String,
    /// Commits that touched it.
    pub commits: u64,
    /// The share of its commits, 0 to 1.
    pub share: f64,
    /// Its commits, each weighted 2^(-age / half-life), age in days before the tip's time.
    pub weighted_commits: f64,
    /// Lines added.
    pub added: u64,
    /// Lines deleted.
    pub deleted: u64,
    /// Committer time of the author's last commit that touched it, RFC 3339.
    pub last_active: String,
}

/// A file or folder and its authors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedPath {
    /// The file, or the folder with a `/` behind it; empty for the whole selection.
    pub path: String,
    /// Files of the selection in it.
    pub files: u64,
    /// Commits that touched any of them.
    pub commits: u64,
    /// Distinct authors.
    pub authors: u64,
    /// The fewest authors who together made more than half of its weighted commits: a definition of
    /// our own; 0 where no commit counts.
    pub bus_factor: u64,
    /// Truck factor (Avelino et al. 2016): how many authors, those of most files first, must leave
    /// until more than half of the files have no author; an author of a file has at least 3.293, and
    /// more than 0.75 of the greatest, in 3.293 + 1.098 first + 0.164 own - 0.321 ln(1 + others).
    /// 0 where no file has an author.
    pub truck_factor: u64,
    /// Its authors, most commits first; of equals the one with more changed lines, then by e-mail address.
    pub owners: Vec<Owner>,
}

/// Who made what, by path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ownership {
    /// The whole selection first, then folders or files by path.
    pub paths: Vec<OwnedPath>,
    /// Which commits count.
    pub basis: CountedHistory,
}

/// Arguments of `git.hotspots`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HotspotsArgs {
    /// Which commits count: `A..B`, or a revision for everything reachable from it; the files are
    /// those of its tip. Default `HEAD`.
    pub range: Option<String>,
    /// Only these files: folders, files, or patterns as in `.gitignore`; none: all. Scores stay those
    /// among all files.
    pub paths: Vec<String>,
    /// Only commits from this time on: RFC 3339, or a date for its beginning in UTC.
    pub since: Option<String>,
    /// Only commits before this time: RFC 3339, or a date for its beginning in UTC.
    pub until: Option<String>,
    /// Whether commits of bots count.
    pub bots: bool,
    /// After this many days a commit weighs half; more than 0.
    pub half_life_days: f64,
    /// Length of the two periods that the trend compares, in days, more than 0.
    pub period_days: f64,
    /// Whether generated and vendored files take part, with a tenth of their score.
    pub include_generated: bool,
    /// At most this many files; 0: all.
    pub limit: u64,
}

impl Default for HotspotsArgs {
    fn default() -> Self {
        HotspotsArgs {
            range: None,
            paths: Vec::new(),
            since: None,
            until: None,
            bots: false,
            half_life_days: 180.0,
            period_days: 90.0,
            include_generated: false,
            limit: 50,
        }
    }
}

/// What a file's complexity was measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComplexityBasis {
    /// Cognitive complexity, the functions' and the rest's (SonarSource white paper 1.5).
    Cognitive,
    /// Levels of indentation over the lines, summed (Hindle et al. 2008), as this build has no grammar
    /// of the language or the file could not be parsed.
    #[default]
    Indentation,
}

impl ComplexityBasis {
    /// The name as it stands in answers.
    pub fn name(self) -> &'static str {
        match self {
            ComplexityBasis::Cognitive => "cognitive",
            ComplexityBasis::Indentation => "indentation",
        }
    }
}

/// Where a file's rate of change goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeTrend {
    /// At least 2 commits and half of the period before more than then.
    Rising,
    /// Neither of the two.
    #[default]
    Stable,
    /// At least 2 commits fewer, and at most two thirds of the period before.
    Falling,
}

impl ChangeTrend {
    /// The name as it stands in answers.
    pub fn name(self) -> &'static str {
        match self {
            ChangeTrend::Rising => "rising",
            ChangeTrend::Stable => "stable",
            ChangeTrend::Falling => "falling",
        }
    }
}

/// A file that is complex and changes often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hotspot {
    /// The path at the tip.
    pub path: String,
    /// 0 to 1: the share of the other files that change less (by `weighted_commits`) times the share
    /// of those that are less complex. Complexity is ranked among files of the same basis.
    pub score: f64,
    /// Commits that touched it.
    pub commits: u64,
    /// Its commits, each weighted 2^(-age / half-life), age in days before the tip's time.
    pub weighted_commits: f64,
    /// Its complexity at the tip.
    pub complexity: f64,
    /// What the complexity is.
    pub complexity_basis: ComplexityBasis,
    /// Lines of code at the tip, blank ones left out.
    pub lines: u64,
    /// Commits in the last period.
    pub recent_commits: u64,
    /// Commits in the period before that.
    pub earlier_commits: u64,
    /// The two compared.
    pub trend: ChangeTrend,
    /// Lines added less lines deleted in the last period.
    pub growth: i64,
    /// Commits whose message says that they are a fix.
    pub fixes: u64,
    /// Distinct authors.
    pub authors: u64,
    /// Why it is one, in one sentence.
    pub reason: String,
}

/// Files that are complex and change often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hotspots {
    /// The highest score first; of equals the one with more weighted commits, then by path.
    pub files: Vec<Hotspot>,
    /// How many files were compared.
    pub compared: u64,
    /// Files of code whose content could not be read or measured.
    pub unmeasured: u64,
    /// Which commits count.
    pub basis: CountedHistory,
}
