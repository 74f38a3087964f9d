//! From settings to values of the planner: targets, recorded paths, allowances. Pure; knows
//! nothing of what is on disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytekiln_action::{CompileFlags, RecordedPath, RepoPath};
use bytekiln_planner::{Allowance, Layout, Problem, RootId, Severity, Target};
use globset::GlobMatcher;

use crate::path::{below, bytes, from_bytes, normalize};
use crate::scan::{GlobError, compile};
use crate::{
    AllowanceRule, Date, Interpreter, LayoutSetting, Member, PrefixMap, Profile,
    RecordedPathPolicy, Workspace,
};

/// Where outputs may lie: the workspace, then the profile's own tree if it has one.
pub(crate) fn roots(root: &Path, layout: &LayoutSetting) -> Vec<PathBuf> {
    let mut roots = vec![root.to_owned()];
    roots.extend(out_tree(root, layout));
    roots
}

/// The tree that a layout writes into.
pub(crate) fn out_tree(root: &Path, layout: &LayoutSetting) -> Option<PathBuf> {
    match layout {
        LayoutSetting::Pycache | LayoutSetting::Legacy => None,
        LayoutSetting::Prefix { out, .. } | LayoutSetting::Sourceless { out } => {
            Some(normalize(root, out))
        }
    }
}

/// Nobody's sources: output trees of every profile and of `more`, what was packed, and the state.
pub(crate) fn closed_folders<'a>(
    workspace: &'a Workspace,
    more: impl IntoIterator<Item = &'a Profile>,
    state_dir: &Path,
) -> BTreeSet<RepoPath> {
    let root = &workspace.root;
    let trees = workspace.profiles.values().chain(more);
    trees
        .filter_map(|profile| out_tree(root, &profile.layout))
        .chain(workspace.artifacts.iter().filter_map(|artifact| artifact.out(root)))
        .chain([state_dir.to_owned()])
        .filter_map(|folder| below(root, &folder))
        .filter(|folder| !folder.is_root())
        .collect()
}

/// The planner's layout; `None` if the folder at run time is no absolute path.
pub(crate) fn layout(root: &Path, setting: &LayoutSetting) -> Option<Layout> {
    Some(match setting {
        LayoutSetting::Pycache => Layout::Pycache,
        LayoutSetting::Legacy => Layout::Legacy,
        LayoutSetting::Sourceless { .. } => Layout::Sourceless { root: RootId(1) },
        LayoutSetting::Prefix { deploy_root, .. } => {
            let at_run_time = deploy_root.as_deref().unwrap_or(root);
            if !at_run_time.is_absolute() {
                return None;
            }
            let at_run_time = normalize(Path::new("/"), at_run_time);
            let path = RepoPath::new(bytes(&at_run_time).strip_prefix(b"/")?)?;
            Layout::Prefix { root: RootId(1), workspace_at_run_time: path }
        }
    })
}

/// Interpreter × level.
pub(crate) fn targets(
    profile: &Profile,
    interpreters: &[Interpreter],
    layout: &Layout,
) -> Vec<Target> {
    let mut targets = Vec::new();
    for interpreter in interpreters {
        let toolchain_digest = interpreter.toolchain.digest();
        // Before 3.11 there are no positions to leave out; one key for one result.
        let has_positions = interpreter.toolchain.release.minor() >= 11;
        for level in &profile.levels {
            targets.push(Target {
                toolchain: interpreter.toolchain.clone(),
                toolchain_digest,
                level: *level,
                mode: profile.mode,
                flags: CompileFlags { debug_ranges: profile.debug_ranges || !has_positions },
                layout: layout.clone(),
            });
        }
    }
    targets
}

/// What `co_filename` is to say of a source.
pub(crate) fn recorded_path(
    path: &RepoPath,
    member: &Member,
    import_root: &RepoPath,
    policy: RecordedPathPolicy,
    map: &[PrefixMap],
) -> RecordedPath {
    let relative = match policy {
        RecordedPathPolicy::Workspace => None,
        RecordedPathPolicy::Member => path.strip_prefix(&member.path),
        RecordedPathPolicy::ImportRoot => path.strip_prefix(import_root),
    };
    let path = relative.as_ref().unwrap_or(path).as_bytes();
    for PrefixMap { from, to } in map {
        let rest = match path.strip_prefix(from.trim_end_matches('/').as_bytes()) {
            Some(rest) if from.is_empty() => rest,
            Some([]) => b"",
            Some([b'/', rest @ ..]) => rest,
            _ => continue,
        };
        let to = to.as_bytes();
        let separator: &[u8] =
            if to.is_empty() || rest.is_empty() || to.ends_with(b"/") { b"" } else { b"/" };
        return RecordedPath::from_file_system(&[to, separator, rest].concat());
    }
    RecordedPath::from_file_system(path)
}

/// The manifest's allowances, expired ones told apart.
pub(crate) struct Allowances<'a> {
    rules: Vec<(&'a AllowanceRule, GlobMatcher, bool)>,
    expired: Vec<&'a AllowanceRule>,
    /// First and last day on which the same rules hold as today.
    pub(crate) days: (Date, Date),
}

impl<'a> Allowances<'a> {
    pub(crate) fn new(
        rules: &'a [AllowanceRule],
        today: Date,
    ) -> Result<Allowances<'a>, GlobError> {
        let first = Date { year: 0, month: 1, day: 1 };
        let last = Date { year: u16::MAX, month: 12, day: 31 };
        let mut all = Allowances { rules: Vec::new(), expired: Vec::new(), days: (first, last) };
        for rule in rules {
            if rule.expires < today {
                // An expired rule was in force up to `expires`: today is the first day known.
                all.expired.push(rule);
                all.days.0 = today;
            } else {
                all.days.1 = all.days.1.min(rule.expires);
                all.rules.push((rule, compile(&rule.glob)?.compile_matcher(), false));
            }
        }
        Ok(all)
    }

    /// The allowance of a source.
    pub(crate) fn find(&mut self, path: &RepoPath) -> Option<Allowance> {
        if self.rules.is_empty() {
            return None;
        }
        let file = from_bytes(path.as_bytes());
        let mut found = None;
        for (rule, glob, used) in &mut self.rules {
            if glob.is_match(&file) {
                *used = true;
                found.get_or_insert_with(|| Allowance {
                    reason: rule.reason.clone(),
                    expires: rule.expires.to_string(),
                });
            }
        }
        found
    }

    /// What is wrong with the rules, once all sources were asked about.
    pub(crate) fn problems(&self, whole_workspace: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        for rule in &self.expired {
            problems.push(Problem {
                severity: Severity::Error,
                path: None,
                message: format!(
                    "{}: the allowance for `{}` has expired on {} ({})",
                    rule.place, rule.glob, rule.expires, rule.reason
                ),
                hint: Some("mend the file, or give the allowance a new date".to_owned()),
            });
        }
        for (rule, _, used) in &self.rules {
            if whole_workspace && !used {
                problems.push(Problem {
                    severity: Severity::Warning,
                    path: None,
                    message: format!(
                        "{}: the allowance for `{}` matches no source",
                        rule.place, rule.glob
                    ),
                    hint: Some("remove it".to_owned()),
                });
            }
        }
        problems
    }
}
