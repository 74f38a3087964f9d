//! From an assembly to a finished container under a temporary name. Knows nothing of how its parts were
//! chosen.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{
    DeflateLevel, Entries, ImageOptions, Links, Owner, PendingFile, PendingFolder, Placement,
    PublishError, TarCompression, TarOptions, TreeOptions, WriteError, WrittenImage,
    ZipCompression, ZipFolders, ZipOptions, ZstdLevel, lay_out, write_image, write_tree, write_zip,
};
use bytekiln_project::{ArtifactKind, ArtifactRule, CompressionSetting};

use super::target::Target;
use crate::failure::CommandFailure;

/// 1980-01-01: the first time that a zip knows.
pub(in crate::commands) const DEFAULT_TIME: i64 = 315_532_800;

/// How it is written.
pub(super) struct Writing<'a> {
    pub(super) rule: &'a ArtifactRule,
    pub(super) targets: &'a [Target],
    /// Where it will be.
    pub(super) out: &'a Path,
    /// Seconds since 1970, of everything in it.
    pub(super) modified: i64,
    pub(super) jobs: NonZeroUsize,
}

/// What was written, and not published yet.
pub(super) enum Pending {
    File(PendingFile, Digest),
    Folder(PendingFolder),
    Image(PendingFolder, WrittenImage),
}

impl Pending {
    /// Where it can be read now.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Pending::File(file, _) => file.path().to_owned(),
            Pending::Folder(folder) => folder.path().to_owned(),
            Pending::Image(folder, image) => {
                let layer = image.layers.first().map(|layer| layer.digest.to_hex());
                folder.path().join("blobs/sha256").join(layer.unwrap_or_default())
            }
        }
    }

    /// Gives it its name.
    pub(super) fn publish(self) -> Result<(), CommandFailure> {
        match self {
            Pending::File(file, _) => file.publish(),
            Pending::Folder(folder) | Pending::Image(folder, _) => folder.publish(),
        }
        .map_err(|error| published(&error))
    }
}

pub(super) fn published(error: &PublishError) -> CommandFailure {
    CommandFailure::failure(error)
}

fn written(error: &WriteError) -> CommandFailure {
    CommandFailure::failure(error)
}

impl Writing<'_> {
    /// Writes entries into a container of the rule's kind.
    pub(super) fn write(&self, entries: &Entries) -> Result<Pending, CommandFailure> {
        if let Some(parent) = self.out.parent() {
            std::fs::create_dir_all(parent).map_err(|error| {
                CommandFailure::failure(format!("could not make `{}`: {error}", parent.display()))
            })?;
        }
        match self.rule.kind {
            ArtifactKind::Tree => self.tree(entries),
            ArtifactKind::Layer => self.image(entries),
            _ => self.zip(entries, None),
        }
    }

    /// Which links a container of this kind may hold.
    pub(super) fn links(&self) -> Links {
        if self.rule.kind == ArtifactKind::Layer { Links::Rooted } else { Links::Relative }
    }

    /// Puts items in order.
    pub(super) fn lay_out(
        &self,
        items: Vec<bytekiln_artifact::Item>,
    ) -> Result<Entries, CommandFailure> {
        lay_out(items, self.links()).map_err(|error| {
            CommandFailure::failure(format!("`{}`: {error}", self.rule.name))
                .hint("leave one of them out with `exclude`")
        })
    }

    fn tree(&self, entries: &Entries) -> Result<Pending, CommandFailure> {
        let folder = PendingFolder::create(self.out).map_err(|error| published(&error))?;
        let options = TreeOptions {
            placement: Placement::Link,
            modified: Some(self.modified),
            jobs: self.jobs,
        };
        write_tree(folder.output(), entries, &options).map_err(|error| written(&error))?;
        Ok(Pending::Folder(folder))
    }

    /// A zip; what lies in the folder `last` comes at its end.
    pub(super) fn zip(
        &self,
        entries: &Entries,
        last: Option<RepoPath>,
    ) -> Result<Pending, CommandFailure> {
        let file = PendingFile::create(self.out).map_err(|error| published(&error))?;
        let is_wheel = self.rule.kind == ArtifactKind::Wheel;
        let shebang = self.rule.shebang.as_deref().unwrap_or("/usr/bin/env python3");
        let is_program = self.rule.kind == ArtifactKind::Zipapp;
        let options = ZipOptions {
            compression: match self.rule.compression {
                Some(CompressionSetting::None) => ZipCompression::Stored,
                _ => ZipCompression::Deflated(self.deflate()?),
            },
            preamble: is_program.then(|| format!("#!{shebang}\n").into_bytes()),
            modified: self.modified,
            // `zipimport` reads it since 3.13; what installs wheels always did.
            zip64: is_wheel
                || self.targets.iter().all(|one| one.compiler.toolchain.release.minor() >= 13),
            folders: if is_wheel { ZipFolders::Empty } else { ZipFolders::All },
            last,
            jobs: self.jobs,
        };
        let done = write_zip(file.output(), entries, &options).map_err(|error| written(&error))?;
        if is_program {
            file.make_executable().map_err(|error| published(&error))?;
        }
        Ok(Pending::File(file, done.digest))
    }

    fn image(&self, entries: &Entries) -> Result<Pending, CommandFailure> {
        let folder = PendingFolder::create(self.out).map_err(|error| published(&error))?;
        let level = self.rule.compression_level.and_then(|level| u8::try_from(level).ok());
        let compression = match self.rule.compression {
            Some(CompressionSetting::None) => TarCompression::None,
            Some(CompressionSetting::Zstd) => {
                let level = level.map_or(Some(ZstdLevel::DEFAULT), ZstdLevel::new);
                TarCompression::Zstd(level.ok_or_else(|| self.no_level("1 to 19"))?)
            }
            _ => TarCompression::Gzip(self.deflate()?),
        };
        let (user, group) = self.rule.owner;
        let tar = TarOptions {
            compression,
            modified: self.modified,
            owner: Owner { user, group },
            jobs: self.jobs,
        };
        let machine = self.targets.first().map(|one| one.compiler.toolchain.platform.as_str());
        let image = ImageOptions {
            architecture: architecture(machine.unwrap_or_default()),
            variant: None,
            system: "linux".to_owned(),
            created: self.modified,
            reference: self.rule.tag.clone(),
            entrypoint: Vec::new(),
            command: Vec::new(),
            environment: Vec::new(),
            working_folder: None,
            user: None,
            labels: std::collections::BTreeMap::new(),
        };
        let done = write_image(folder.output(), std::slice::from_ref(entries), &tar, &image)
            .map_err(|error| written(&error))?;
        Ok(Pending::Image(folder, done))
    }

    fn deflate(&self) -> Result<DeflateLevel, CommandFailure> {
        let Some(level) = self.rule.compression_level else { return Ok(DeflateLevel::DEFAULT) };
        let level = u8::try_from(level).ok().and_then(DeflateLevel::new);
        level.ok_or_else(|| self.no_level("1 to 9"))
    }

    fn no_level(&self, levels: &str) -> CommandFailure {
        let level = self.rule.compression_level.unwrap_or_default();
        let (name, place) = (&self.rule.name, &self.rule.place);
        CommandFailure::usage(format!("{place}: `{name}` has no `compression-level` {level}"))
            .hint(format!("it has {levels}"))
    }
}

/// As Go names it, from a toolchain's platform.
fn architecture(platform: &str) -> String {
    // `linux-x86_64-x86_64-linux-gnu`: the system, its machine, and more.
    let machine = platform.split('-').nth(1).unwrap_or_default();
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i686" | "i386" => "386",
        other => other,
    }
    .to_owned()
}
