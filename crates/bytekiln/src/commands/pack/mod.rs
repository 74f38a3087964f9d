//! `bytekiln pack`: release artifacts. `target` and `gather` say for what and of what, `select` and
//! `choose` what of it, `compile` compiles, `assembled`, `blob`, `wheel` and `site` put things together,
//! `write` and `check` make them and look at them, `provenance` says where they came from, `human` and
//! `json` tell.

mod assembled;
mod blob;
mod check;
mod choose;
mod compile;
mod dependencies;
mod gather;
mod human;
mod json;
mod ours;
mod outcome;
pub(crate) mod provenance;
mod rules;
mod select;
mod site;
mod target;
mod wheel;
mod write;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::PendingFile;
use bytekiln_project::{ArtifactKind, ArtifactRule, PathGlobs, Workspace, absolute, normalize};

use crate::arguments::{PackArguments, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::terminal::Terminal;
use crate::session::Session;
use assembled::Made;
use gather::Home;
use outcome::Packed;
use provenance::{Material, Subject};
pub(super) use write::DEFAULT_TIME;
use write::{Pending, published};

/// What all artifacts of one run share.
struct Packing<'a> {
    arguments: &'a PackArguments,
    session: &'a Session<'a>,
    workspace: &'a Workspace,
    environment: &'a Environment,
    terminal: &'a Terminal,
    /// Seconds since 1970 of everything that is written.
    modified: i64,
    timeout: Duration,
    /// Sources that may fail to compile.
    allowances: PathGlobs,
    reasons: Vec<&'a str>,
    started: Instant,
}

/// Runs the command.
pub(crate) fn run(
    arguments: &PackArguments,
    session: &Session<'_>,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let workspace = &session.settings().workspace;
    let rules = rules::chosen(arguments, workspace)?;
    if arguments.list {
        human::list(&rules, terminal);
        return Ok(ExitStatus::Success);
    }
    interrupt::watch(terminal);
    let in_force: Vec<_> = workspace
        .allowances
        .iter()
        .filter(|allowance| allowance.expires >= session.settings().today)
        .collect();
    let allowances = PathGlobs::new(in_force.iter().map(|allowance| allowance.glob.as_str()))
        .map_err(|error| CommandFailure::usage(format!("bad glob `{}`", error.glob)))?;
    let modified = modified(environment)?;
    let mut all = Vec::new();
    for rule in &rules {
        let packing = Packing {
            arguments,
            session,
            workspace,
            environment,
            terminal,
            modified,
            timeout: Duration::from_secs(arguments.timeout),
            reasons: in_force.iter().map(|allowance| allowance.reason.as_str()).collect(),
            allowances: allowances.clone(),
            started: Instant::now(),
        };
        let mut done = Vec::new();
        let mut push = |packed| done.push(timed(&packing, packed));
        let outcome = match rule.kind {
            ArtifactKind::Wheel => wheel::pack(&packing, rule, &mut done),
            ArtifactKind::Site => site::pack(&packing, rule).map(&mut push),
            _ => assembled::pack(&packing, rule).map(&mut push),
        };
        // What was published before something failed is there, and is told.
        for packed in done {
            if arguments.format == PlanFormat::Human {
                human::report(&packed, terminal);
            }
            all.push(packed);
        }
        if let Err(failure) = outcome {
            if arguments.format == PlanFormat::Json && !all.is_empty() {
                terminal.data(&json::render(&all));
            }
            return Err(failure);
        }
    }
    if arguments.format == PlanFormat::Json {
        terminal.data(&json::render(&all));
    }
    session.trim_cache();
    Ok(ExitStatus::Success)
}

fn timed(packing: &Packing<'_>, packed: Packed) -> Packed {
    Packed { elapsed: packing.started.elapsed(), ..packed }
}

/// `SOURCE_DATE_EPOCH`, else the first time that a zip knows.
fn modified(environment: &Environment) -> Result<i64, CommandFailure> {
    let Some(text) = &environment.source_date_epoch else { return Ok(write::DEFAULT_TIME) };
    let seconds = text.to_str().and_then(|text| text.trim().parse().ok());
    seconds.filter(|seconds| *seconds >= 0).ok_or_else(|| {
        CommandFailure::usage(format!("SOURCE_DATE_EPOCH is `{}`", text.display()))
            .hint("set it to seconds since 1970, or unset it")
    })
}

impl Packing<'_> {
    /// Where an artifact goes, absolute.
    fn out(&self, rule: &ArtifactRule) -> Result<PathBuf, CommandFailure> {
        let out = self.out_path(rule);
        let out =
            out.ok_or_else(|| CommandFailure::usage("what is changed in place has no `out`"))?;
        let is_folder = matches!(rule.kind, ArtifactKind::Tree | ArtifactKind::Layer);
        if is_folder {
            self.check_holds_no_source(&out)?;
            ours::check(&out, self.session.state_dir(), self.arguments.force)?;
        } else if out.is_dir() {
            return Err(CommandFailure::usage(format!("`{}` is a folder", out.display()))
                .hint("name a file with `out`"));
        }
        Ok(out)
    }

    /// As typed, or as the rule says.
    fn out_path(&self, rule: &ArtifactRule) -> Option<PathBuf> {
        let start = &self.session.settings().start;
        let typed = self.arguments.out.as_ref().map(|out| normalize(start, out));
        typed.or_else(|| rule.out(&self.workspace.root))
    }

    /// A folder is replaced with all that is in it: not even --force may mean the workspace.
    fn check_holds_no_source(&self, out: &Path) -> Result<(), CommandFailure> {
        let members = self.workspace.members.iter();
        let members = members.map(|member| absolute(&self.workspace.root, &member.path));
        let others = [self.workspace.root.clone(), self.session.state_dir().to_owned()];
        match others.into_iter().chain(members).find(|folder| folder.starts_with(out)) {
            None => Ok(()),
            Some(inside) => Err(CommandFailure::usage(format!(
                "`{}` would be replaced, and `{}` is in it",
                out.display(),
                inside.display()
            ))
            .hint("name a folder of its own with `out`")),
        }
    }

    /// The folder that wheels go into.
    fn out_folder(&self, rule: &ArtifactRule) -> Result<PathBuf, CommandFailure> {
        let folder = self.out_path(rule).unwrap_or_default();
        if folder.extension().is_some_and(|suffix| suffix == "whl") {
            return Err(CommandFailure::usage(format!("`{}` names a wheel", folder.display()))
                .hint("`out` is a folder: the name of a wheel says what is in it"));
        }
        if folder.exists() && !folder.is_dir() {
            return Err(CommandFailure::usage(format!("`{}` is no folder", folder.display()))
                .hint("`out` is the folder that wheels go into"));
        }
        Ok(folder)
    }

    /// A path as messages have it: below the folder that the command was started in, if it is.
    fn shown(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.session.settings().start) {
            Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
            Ok(below) => below.to_owned(),
            Err(_) => path.to_owned(),
        }
    }

    /// Why a source may fail to compile. Installed code is nobody's here: what does not compile there
    /// stays as it is.
    fn may_fail(&self, home: &Home) -> Option<String> {
        match home {
            Home::Member(_, path) => {
                let first = self.allowances.matches(path).first().copied()?;
                Some(self.reasons.get(first).copied().unwrap_or_default().to_owned())
            }
            Home::Installed(..) => Some("installed".to_owned()),
            Home::Made => None,
        }
    }

    /// Gives a finished thing its name, with the statement beside it if one is wanted. `files` are the
    /// files of a folder.
    fn publish(
        &self,
        made: &Made<'_>,
        out: &Path,
        files: Vec<(RepoPath, Option<Digest>)>,
        pending: Pending,
        mut packed: Packed,
    ) -> Result<Packed, CommandFailure> {
        if matches!(pending, Pending::Folder(_)) {
            let digests = files.iter().filter_map(|(path, digest)| Some((path, digest.as_ref()?)));
            packed.digest = provenance::folder_digest(digests);
        }
        let materials = materials(made);
        self.publish_file(made.rule, &made.targets.all, out, &materials, pending, packed)
    }

    /// As [`Packing::publish`], for what was not gathered here.
    fn publish_file(
        &self,
        rule: &ArtifactRule,
        targets: &[target::Target],
        out: &Path,
        materials: &[Material],
        pending: Pending,
        mut packed: Packed,
    ) -> Result<Packed, CommandFailure> {
        match &pending {
            Pending::File(_, digest) => packed.digest = *digest,
            Pending::Folder(_) => {}
            Pending::Image(_, image) => {
                packed.digest = image.manifest;
                packed.image = Some(image.clone());
            }
        }
        let statement = self.statement(rule, targets, &packed, out, materials)?;
        if interrupt::is_interrupted() {
            return Err(CommandFailure::interrupted("nothing was published"));
        }
        let is_same = matches!(&pending, Pending::File(_, digest)
            if bytekiln_artifact::digest_file(out).is_ok_and(|there| there == *digest));
        if is_same {
            packed.unchanged = true;
        } else {
            pending.publish()?;
        }
        ours::remember(out, self.session.state_dir());
        if let Some(statement) = statement {
            statement.publish().map_err(|error| published(&error))?;
            packed.provenance = Some(self.shown(&provenance::path_of(out)));
        }
        Ok(packed)
    }

    /// The statement beside an artifact, written and not published, if it is wanted.
    fn statement(
        &self,
        rule: &ArtifactRule,
        targets: &[target::Target],
        packed: &Packed,
        out: &Path,
        materials: &[Material],
    ) -> Result<Option<PendingFile>, CommandFailure> {
        if !rule.provenance && !self.arguments.provenance {
            return Ok(None);
        }
        let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digest = packed.digest;
        let subject = match (&packed.image, rule.kind) {
            (Some(image), _) => Subject::Image {
                name,
                manifest: image.manifest,
                layers: image.layers.iter().map(|layer| layer.digest).collect(),
            },
            (None, ArtifactKind::Tree | ArtifactKind::Site) => Subject::Folder { name, digest },
            (None, _) => Subject::File { name, digest },
        };
        let text = provenance::statement(&subject, rule, targets, self.modified, materials);
        let file =
            PendingFile::create(&provenance::path_of(out)).map_err(|error| published(&error))?;
        std::io::Write::write_all(&mut file.output().file, text.as_bytes()).map_err(|error| {
            CommandFailure::failure(format!(
                "`{}` could not be written: {error}",
                provenance::path_of(out).display()
            ))
        })?;
        Ok(Some(file))
    }
}

/// Every file that went in or was compiled, with its digest.
fn materials(made: &Made<'_>) -> Vec<Material> {
    let root = &made.workspace.root;
    // Below the workspace, so that it is the same everywhere; else as it is.
    let below =
        |folder: &PathBuf| folder.strip_prefix(root).unwrap_or(folder).display().to_string();
    let folders: Vec<String> = made.dependencies.iter().map(below).collect();
    let candidates = made.gathered.candidates.iter();
    let mut materials: Vec<Material> = candidates
        .filter_map(|candidate| {
            let (origin, path, folder) = match &candidate.home {
                Home::Member(_, path) => ("workspace", path, None),
                Home::Installed(folder, path) => {
                    ("dependency", path, folders.get(*folder).cloned())
                }
                Home::Made => return None,
            };
            let (name, digest) = (path.to_string(), candidate.on_disk);
            Some(Material { origin, folder, name, digest })
        })
        .collect();
    materials.sort_by(|a, b| {
        (a.origin != "workspace", &a.folder, &a.name).cmp(&(
            b.origin != "workspace",
            &b.folder,
            &b.name,
        ))
    });
    materials
}
