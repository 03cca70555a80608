//! Instruction counts that are kept in the repository: they do not depend on the machine, only on the compilers.

use serde_json::{Map, Value};
use std::path::PathBuf;

/// How much more than was kept is a regression, in percent.
pub const TOLERANCE: u64 = 3;

/// Set by `cargo xtask counts --save`: counts are kept instead of compared.
pub const SAVE: &str = "SIDETONE_SAVE_COUNTS";

/// Instructions by what was done.
pub type Counts = Vec<(&'static str, u64)>;

/// What a comparison came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All within the tolerance, or better; lines for people.
    Kept(Vec<String>),
    /// Nothing is kept for these compilers, but for those.
    Unknown(Vec<String>),
    /// Lines of what takes more, is not kept, or is kept and no longer done.
    Worse(Vec<String>),
}

/// Compares with what is kept under the compilers' names.
#[must_use]
pub fn compare(kept: &Value, compilers: &str, now: &Counts) -> Verdict {
    let Some(kept) = kept[compilers].as_object() else {
        return Verdict::Unknown(kept.as_object().into_iter().flat_map(Map::keys).cloned().collect());
    };
    let (mut lines, mut worse) = (Vec::new(), Vec::new());
    for (name, count) in now {
        match kept.get(*name).and_then(Value::as_u64) {
            None => worse.push(format!("{name}: {count}, and no count is kept")),
            Some(before) => {
                let change = *count as f64 / before as f64 - 1.0;
                let line = format!("{name}: {before} -> {count} ({:+.2} %)", change * 100.0);
                if count * 100 > before * (100 + TOLERANCE) { &mut worse } else { &mut lines }.push(line);
            }
        }
    }
    let gone = kept.keys().filter(|name| !now.iter().any(|(there, _)| there == name));
    worse.extend(gone.map(|name| format!("{name} is kept, and no longer counted")));
    if worse.is_empty() { Verdict::Kept(lines) } else { Verdict::Worse(worse) }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden")).join(name)
}

/// Compares `now` with the file of this name in `tests/golden`, or keeps it there where [`SAVE`] is set.
///
/// # Panics
/// Where something takes more instructions than was kept, and where the file is no JSON.
pub fn check(name: &str, compilers: &str, now: &Counts) {
    let path = file(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut kept: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if std::env::var_os(SAVE).is_some() {
        kept[compilers] = now.iter().map(|(name, count)| ((*name).to_owned(), Value::from(*count))).collect();
        std::fs::write(&path, format!("{kept:#}\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("kept in {}, for {compilers}", path.display());
        return;
    }
    match compare(&kept, compilers, now) {
        Verdict::Kept(lines) => lines.iter().for_each(|line| println!("{line}")),
        Verdict::Unknown(known) => {
            println!(
                "not compared: {name} has counts for {}, not for {compilers}: `cargo xtask counts --save` adds them",
                known.join("; ")
            );
            now.iter().for_each(|(name, count)| println!("{name}: {count}"));
        }
        Verdict::Worse(lines) => panic!(
            "more instructions than {name} keeps for {compilers}: {}. Where that is meant, `cargo xtask counts --save` \
             keeps the new ones",
            lines.join("; ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn three_percent_more_is_a_regression_and_less_never_is() {
        let kept = json!({"clang 19": {"encode": 1000, "decode": 1000}});
        let verdict = |counts: &[(&'static str, u64)]| compare(&kept, "clang 19", &counts.to_vec());
        assert_eq!(
            verdict(&[("encode", 1030), ("decode", 500)]),
            Verdict::Kept(vec!["encode: 1000 -> 1030 (+3.00 %)".into(), "decode: 1000 -> 500 (-50.00 %)".into()])
        );
        assert_eq!(
            verdict(&[("encode", 1031), ("seal", 7)]),
            Verdict::Worse(vec![
                "encode: 1000 -> 1031 (+3.10 %)".into(),
                "seal: 7, and no count is kept".into(),
                "decode is kept, and no longer counted".into()
            ])
        );
        assert_eq!(compare(&kept, "clang 14", &vec![("encode", 1)]), Verdict::Unknown(vec!["clang 19".into()]));
    }
}
