//! Names in one folder that differ in case only: two files here, one on macOS and Windows. Knows
//! nothing of what the names stand for.

use bytekiln_action::RepoPath;
use bytekiln_planner::{Problem, Severity};

/// A warning for each pair of `names` in `folder` that a case-insensitive file system takes for
/// one.
pub(crate) fn case_clashes(folder: &RepoPath, names: &[&[u8]], problems: &mut Vec<Problem>) {
    if !names.iter().any(|name| may_fold(name)) {
        return;
    }
    let mut folded: Vec<(Vec<u8>, &[u8])> = names.iter().map(|name| (fold(name), *name)).collect();
    folded.sort();
    for pair in folded.windows(2) {
        let [(first_folded, first), (second_folded, second)] = pair else { continue };
        if first_folded == second_folded {
            let other = RepoPath::new(second).unwrap_or_default();
            problems.push(Problem {
                severity: Severity::Warning,
                path: Some(folder.join(first)),
                message: format!("its name differs from `{other}` in case only"),
                hint: Some("on a case-insensitive file system one hides the other".to_owned()),
            });
        }
    }
}

/// Whether a name, or one of several that were put together, could be spelled otherwise. In most folders none
/// can.
pub(crate) fn may_fold(name: &[u8]) -> bool {
    name.iter().any(|byte| !matches!(byte, 0..b'A' | b'['..=0x7f))
}

fn fold(name: &[u8]) -> Vec<u8> {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    match std::str::from_utf8(name) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => name.to_ascii_lowercase(),
    }
}
