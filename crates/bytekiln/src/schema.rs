//! The plan as JSON: the schema of `docs/plan.md`, both ways. Everything that carrying a plan out
//! needs is in it; reasons are for readers and ignored when it is read back.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytekiln_action::{
    Action, CompileFlags, Digest, RecordedPath, RepoPath, Toolchain, ToolchainDigest,
};
use bytekiln_executor::{Compiler, Job, Work};
use bytekiln_planner::{OutputPath, Plan, Problem, RootId, Severity, Target};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};
use serde::{Deserialize, Serialize};

use crate::report::reasons;

/// Name and version of the schema. A reader refuses other versions; new optional fields do not
/// change it.
pub const PLAN_SCHEMA: &str = "bytekiln-plan/1";

/// A plan file.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile {
    /// [`PLAN_SCHEMA`].
    pub schema: String,
    /// Version of the canonical form that the keys were made for.
    pub canonical_form: u32,
    /// The profile it was made for.
    pub profile: String,
    /// Folders of outputs; the first is the workspace. Absolute.
    pub roots: Vec<String>,
    /// Interpreter × level × mode.
    pub targets: Vec<TargetRow>,
    /// Members of the workspace, with what artifacts made of them can be keyed on.
    #[serde(default)]
    pub members: Vec<MemberRow>,
    /// Compilations.
    pub steps: Vec<StepRow>,
    /// Outputs to remove.
    pub removals: Vec<RemovalRow>,
    /// How many sources × targets need nothing.
    pub fresh: usize,
    /// Caches of other tools whose source is gone.
    pub orphans: Vec<OutputRow>,
    /// Files passed over.
    pub skipped: Vec<SkippedRow>,
    /// What is wrong.
    pub problems: Vec<ProblemRow>,
}

/// One target.
#[derive(Debug, Serialize, Deserialize)]
pub struct TargetRow {
    /// Absolute path of the interpreter.
    pub executable: String,
    /// Who it must say it is.
    pub interpreter: InterpreterRow,
    /// 0, 1 or 2.
    pub optimize: u8,
    /// `checked-hash` or `unchecked-hash`.
    pub invalidation_mode: String,
    /// PEP 657 positions.
    pub debug_ranges: bool,
}

/// The identity of an interpreter.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of bytekiln_action::Toolchain")]
pub struct InterpreterRow {
    pub implementation: String,
    pub version: String,
    pub build: String,
    pub magic: u16,
    pub cache_tag: String,
    pub platform: String,
    pub free_threaded: bool,
    pub debug: bool,
}

/// One member.
#[derive(Debug, Serialize, Deserialize)]
pub struct MemberRow {
    /// Its name.
    pub name: String,
    /// Its folder, below the workspace.
    pub path: String,
    /// Over its sources and all that they import; `null` if it has none.
    pub fingerprint: Option<String>,
}

/// One compilation.
#[derive(Debug, Serialize, Deserialize)]
pub struct StepRow {
    /// Below the workspace.
    pub source: String,
    /// Index into the targets.
    pub target: usize,
    /// `SHA-256/SIZE` of the source.
    pub content: String,
    /// What `co_filename` will say.
    pub recorded_path: String,
    /// The action digest.
    pub key: String,
    /// `null`: only checked.
    pub output: Option<OutputRow>,
    /// Why.
    #[serde(default)]
    pub reasons: Vec<ReasonRow>,
    /// It may fail, for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_fail: Option<String>,
}

/// A place of an output.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutputRow {
    /// Index into the roots.
    pub root: u16,
    /// Below that root.
    pub path: String,
}

/// Why.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReasonRow {
    /// A word that programs may depend on.
    pub kind: String,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// The sentence for people.
    pub text: String,
}

/// One removal.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemovalRow {
    /// Which.
    #[serde(flatten)]
    pub output: OutputRow,
    /// Why, for people.
    pub reason: String,
}

/// A file passed over.
#[derive(Debug, Serialize, Deserialize)]
pub struct SkippedRow {
    /// Which.
    pub path: String,
    /// A word that programs may depend on.
    pub kind: String,
    /// For people.
    pub reason: String,
}

/// Something wrong.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProblemRow {
    /// `error` or `warning`.
    pub severity: String,
    /// The file, if there is one.
    pub path: Option<String>,
    /// What.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What a plan file lacks or has wrong.
#[derive(Debug)]
pub struct PlanFileError(pub String);

impl std::fmt::Display for PlanFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Absolute path → text, with the escapes of `RepoPath`.
pub fn path_text(path: &Path) -> String {
    let below: Vec<&[u8]> = path
        .components()
        .filter_map(|component| match component {
            std::path::Component::Normal(name) => Some(name.as_bytes()),
            _ => None,
        })
        .collect();
    match RepoPath::new(&below.join(&b'/')) {
        Some(path) if !path.is_root() => format!("/{path}"),
        _ => "/".to_owned(),
    }
}

fn path_of(text: &str) -> Option<PathBuf> {
    let below = RepoPath::parse_display(text.strip_prefix('/')?)?;
    Some(Path::new("/").join(OsString::from_vec(below.as_bytes().to_vec())))
}

fn output_row(output: &OutputPath) -> OutputRow {
    OutputRow { root: output.root.0, path: output.path.to_string() }
}

impl ProblemRow {
    /// From the planner's form.
    pub fn new(problem: &Problem) -> ProblemRow {
        ProblemRow {
            severity: match problem.severity {
                Severity::Error => "error".to_owned(),
                Severity::Warning => "warning".to_owned(),
            },
            path: problem.path.as_ref().map(ToString::to_string),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}

impl InterpreterRow {
    /// From the vocabulary's form.
    pub fn new(toolchain: &Toolchain) -> InterpreterRow {
        InterpreterRow {
            implementation: toolchain.implementation.clone(),
            version: toolchain.version.clone(),
            build: toolchain.build.clone(),
            magic: toolchain.release.magic(),
            cache_tag: toolchain.cache_tag.clone(),
            platform: toolchain.platform.clone(),
            free_threaded: toolchain.free_threaded,
            debug: toolchain.debug,
        }
    }

    fn toolchain(&self) -> Option<Toolchain> {
        Some(Toolchain {
            release: Release::from_magic(self.magic)?,
            implementation: self.implementation.clone(),
            version: self.version.clone(),
            build: self.build.clone(),
            cache_tag: self.cache_tag.clone(),
            platform: self.platform.clone(),
            free_threaded: self.free_threaded,
            debug: self.debug,
        })
    }
}

impl PlanFile {
    /// A plan with what carrying it out needs.
    pub fn new(
        plan: &Plan,
        targets: &[Target],
        executables: &BTreeMap<ToolchainDigest, PathBuf>,
        roots: &[PathBuf],
        profile: &str,
        canonical_form: u32,
    ) -> PlanFile {
        PlanFile {
            schema: PLAN_SCHEMA.to_owned(),
            canonical_form,
            profile: profile.to_owned(),
            roots: roots.iter().map(|root| path_text(root)).collect(),
            targets: targets
                .iter()
                .map(|target| TargetRow {
                    executable: executables
                        .get(&target.toolchain_digest)
                        .map(|path| path_text(path))
                        .unwrap_or_default(),
                    interpreter: InterpreterRow::new(&target.toolchain),
                    optimize: target.level.as_u8(),
                    invalidation_mode: target.mode.to_string(),
                    debug_ranges: target.flags.debug_ranges,
                })
                .collect(),
            members: Vec::new(),
            steps: plan
                .steps
                .iter()
                .map(|step| StepRow {
                    source: step.source.to_string(),
                    target: step.target as usize,
                    content: step.action.source.to_string(),
                    recorded_path: step.action.recorded_path.to_string(),
                    key: step.action.digest().to_string(),
                    output: step.output.as_ref().map(output_row),
                    reasons: step.reasons.iter().map(ReasonRow::new).collect(),
                    may_fail: step.allowance.as_ref().map(|allowance| allowance.reason.clone()),
                })
                .collect(),
            removals: plan
                .removals
                .iter()
                .map(|removal| RemovalRow {
                    output: output_row(&removal.output),
                    reason: reasons::removal(&removal.reason),
                })
                .collect(),
            fresh: plan.fresh.len(),
            orphans: plan.orphans.iter().map(output_row).collect(),
            skipped: plan
                .skipped
                .iter()
                .map(|skipped| {
                    let (path, reason) = reasons::skipped(skipped);
                    let kind = reasons::skipped_kind(skipped).to_owned();
                    SkippedRow { path, kind, reason }
                })
                .collect(),
            problems: plan.problems.iter().map(ProblemRow::new).collect(),
        }
    }

    /// Says which members there are: folder and name, with fingerprints by name.
    pub fn add_members(
        &mut self,
        members: &[(RepoPath, String)],
        fingerprints: &BTreeMap<String, String>,
    ) {
        let rows = members.iter().map(|(path, name)| MemberRow {
            name: name.clone(),
            path: path.to_string(),
            fingerprint: fingerprints.get(name).cloned(),
        });
        self.members.extend(rows);
    }

    /// The work that the plan describes; every key is computed again and must agree.
    pub fn work(&self, canonical_form: u32) -> Result<Work, PlanFileError> {
        let wrong = |what: String| PlanFileError(what);
        if self.schema != PLAN_SCHEMA {
            return Err(wrong(format!("its schema is `{}`, not `{PLAN_SCHEMA}`", self.schema)));
        }
        if self.canonical_form != canonical_form {
            return Err(wrong(format!(
                "it was made for canonical form {}, and this Bytekiln writes form {canonical_form}",
                self.canonical_form
            )));
        }
        let mut roots = Vec::new();
        for root in &self.roots {
            let root =
                path_of(root).ok_or_else(|| wrong(format!("`{root}` is no absolute path")))?;
            roots.push(root);
        }
        let mut compilers = Vec::new();
        for (index, target) in self.targets.iter().enumerate() {
            let toolchain = target.interpreter.toolchain().ok_or_else(|| {
                let magic = target.interpreter.magic;
                wrong(format!("target {index} has the unknown magic number {magic}"))
            })?;
            let executable = path_of(&target.executable)
                .ok_or_else(|| wrong(format!("target {index} names no interpreter")))?;
            compilers.push(Compiler { toolchain: Arc::new(toolchain), executable });
        }
        let digests: Vec<ToolchainDigest> =
            compilers.iter().map(|compiler| compiler.toolchain.digest()).collect();
        let mut jobs = Vec::new();
        for step in &self.steps {
            let job = self.job(step, &compilers, &digests).ok_or_else(|| {
                wrong(format!("the step for `{}` has a field that makes no sense", step.source))
            })?;
            if job.action.digest().to_string() != step.key {
                return Err(wrong(format!(
                    "the key of the step for `{}` is not that of its fields",
                    step.source
                )));
            }
            jobs.push(job);
        }
        let removals = self
            .removals
            .iter()
            .map(|removal| {
                self.output(&removal.output).ok_or_else(|| {
                    wrong(format!("the removal of `{}` makes no sense", removal.output.path))
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Work { roots, compilers, jobs, removals })
    }

    fn output(&self, row: &OutputRow) -> Option<OutputPath> {
        let path = RepoPath::parse_display(&row.path).filter(|path| !path.is_root())?;
        (usize::from(row.root) < self.roots.len())
            .then_some(OutputPath { root: RootId(row.root), path })
    }

    fn job(
        &self,
        step: &StepRow,
        compilers: &[Compiler],
        digests: &[ToolchainDigest],
    ) -> Option<Job> {
        let target = self.targets.get(step.target)?;
        let output = match &step.output {
            Some(row) => Some(self.output(row)?),
            None => None,
        };
        Some(Job {
            source: RepoPath::parse_display(&step.source)?,
            action: Action {
                source: Digest::parse(&step.content).ok()?,
                recorded_path: RecordedPath::parse_display(&step.recorded_path)?,
                toolchain: compilers.get(step.target)?.toolchain.clone(),
                toolchain_digest: *digests.get(step.target)?,
                level: OptimizationLevel::from_u8(target.optimize)?,
                mode: InvalidationMode::parse(&target.invalidation_mode)?,
                flags: CompileFlags { debug_ranges: target.debug_ranges },
                canonical_form: self.canonical_form,
            },
            compiler: step.target,
            output,
        })
    }
}

impl ReasonRow {
    fn new(reason: &bytekiln_planner::Reason) -> ReasonRow {
        let (old, new) = reasons::old_and_new(reason);
        ReasonRow {
            kind: reasons::reason_kind(reason).to_owned(),
            old,
            new,
            text: reasons::reason(reason),
        }
    }
}
