//! Third-party libraries: who may name which, where versions are stated, and how many there are.

use super::model::{Dependency, Finding, Package, Repository};

/// A library, the packages that may name it (without `bytekiln-`), and why.
struct Library {
    name: &'static str,
    /// May name it in `[dependencies]`.
    users: &'static [&'static str],
    /// Whether any package may name it in `[dev-dependencies]`.
    dev: bool,
    reason: &'static str,
}

/// Every third-party library that is named anywhere. One that is not listed fails until it is.
const LIBRARIES: &[Library] = &[
    library("anyhow", &["xtask"], false, "errors that only a person reads"),
    library(
        "bytes",
        &["cache", "remote"],
        false,
        "blobs, shared with the message that they came in",
    ),
    library("cargo_metadata", &["project"], false, "Python packages inside Cargo workspaces"),
    library("clap", &["bytekiln"], false, "arguments stop at the command"),
    library("clap_complete", &["bytekiln"], false, "shell completions"),
    library("ctrlc", &["bytekiln"], false, "an interrupt leaves the tree whole"),
    library("expect-test", &[], true, "inline snapshots"),
    library("flate2", &["artifact"], false, "deflate and gzip streams"),
    library(
        "foldhash",
        &["graph", "project"],
        false,
        "keys are short and many; seeded against hostile ones",
    ),
    library("futures-util", &["remote"], false, "many requests at once, answers in order"),
    library("globset", &["project"], false, "member, include and exclude patterns"),
    library("h2", &[], true, "scripted servers"),
    library("http", &["remote"], false, "requests and answers"),
    library("http-body-util", &["remote"], false, "bodies of requests and answers"),
    library("hyper", &["remote"], false, "HTTP/1 and HTTP/2"),
    library("hyper-rustls", &["remote"], false, "TLS below HTTP"),
    library("hyper-util", &["remote"], false, "the pool of connections"),
    library("http-body", &["remote"], false, "bodies of requests and answers"),
    library("ignore", &["project"], false, ".gitignore semantics"),
    library("indicatif", &["bytekiln"], false, "progress bars are one of the reporters"),
    library("memchr", &["syntax"], false, "the next quote or keyword, by vectors"),
    library("pep440_rs", &["bytekiln"], false, "`Requires-Python` of wheels"),
    library("prost", &["remote"], false, "messages of the Remote Execution API"),
    library("proptest", &[], true, "properties"),
    library(
        "rustix",
        &["artifact", "bytekiln", "cache", "executor", "project", "test-support", "tests", "xtask"],
        true,
        "system calls that std has not: openat, flock, getrusage, setresuid",
    ),
    library("rustls", &["remote"], false, "whom to trust"),
    library("rustls-native-certs", &["remote"], false, "whom this machine trusts"),
    library("serde", &["bytekiln"], false, "formats live at the edges"),
    library("serde_json", &["bytekiln", "tests", "xtask"], true, "machine-readable output"),
    library("sha2", &["action", "artifact"], false, "the one digest; of streams in archives"),
    library("strsim", &["project"], false, "the nearest right key"),
    library("tar", &["artifact"], false, "tars and their extensions"),
    library(
        "tempfile",
        &["artifact", "bytekiln", "cache", "executor", "project", "test-support", "tests", "xtask"],
        true,
        "whole files or none: written beside, then renamed",
    ),
    library("tokio", &["remote"], true, "the one asynchronous runtime"),
    library("toml_edit", &["project"], false, "manifests keep their formatting"),
    library(
        "twox-hash",
        &["project"],
        false,
        "contents told apart, where nothing is keyed on them",
    ),
    library("tonic", &["remote"], false, "framing and status codes of gRPC"),
    library("tonic-prost", &["remote"], false, "messages in that framing"),
    library("tower-service", &["remote"], false, "the face that tonic wants of a connection"),
    library("unicode-ident", &["python"], false, "what a Python identifier is"),
    library("unicode-width", &["bytekiln"], false, "carets under wide characters"),
    library("zstd", &["artifact", "remote"], false, "zstd streams; compressed blobs"),
];

/// Packages in Cargo.lock. Raise it in the change that needs more, and say there what for.
/// Raised from 132 for `remote`: HTTP/2, TLS and gRPC, of which a dozen are for other systems only.
const LOCKED_PACKAGES_CEILING: usize = 216;

const fn library(
    name: &'static str,
    users: &'static [&'static str],
    dev: bool,
    reason: &'static str,
) -> Library {
    Library { name, users, dev, reason }
}

pub(crate) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    for package in &repository.packages {
        for dependency in &package.dependencies {
            if !repository.packages.iter().any(|other| other.name == dependency.name) {
                check_named(repository, package, dependency, findings);
            }
        }
        check_versions(repository, package, findings);
    }
    check_root(repository, findings);
    check_lock(repository, findings);
}

fn check_named(
    repository: &Repository,
    package: &Package,
    dependency: &Dependency,
    findings: &mut Vec<Finding>,
) {
    let name = &dependency.name;
    let path = package.manifest();
    let line = repository
        .file(&path)
        .map_or(1, |file| file.line_where(|line| line.trim_start().starts_with(name.as_str())));
    let Some(library) = LIBRARIES.iter().find(|library| library.name == name) else {
        findings.push(Finding {
            path,
            line,
            message: format!("third-party library `{name}` is not listed"),
            remedy: "do without it, or list it in `LIBRARIES` (xtask/src/tidy/dependencies.rs) \
                     with its users and its reason"
                .to_owned(),
        });
        return;
    };
    let may = library.users.contains(&package.short_name()) || (dependency.dev && library.dev);
    if !may {
        let users = match (library.users, library.dev) {
            ([], _) => "tests".to_owned(),
            (users, _) => users.join(", "),
        };
        findings.push(Finding {
            path,
            line,
            message: format!(
                "`{}` may not name `{name}` ({}); only: {users}",
                package.name, library.reason
            ),
            remedy: "go through the crate that owns the library".to_owned(),
        });
    }
}

/// Whether a section of a manifest lists dependencies.
fn is_dependency_section(section: &str) -> bool {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .any(|kind| section == *kind || section.ends_with(&format!(".{kind}")))
}

fn check_versions(repository: &Repository, package: &Package, findings: &mut Vec<Finding>) {
    let Some(manifest) = repository.file(&package.manifest()) else { return };
    let mut inside = false;
    for (number, line) in manifest.lines() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = is_dependency_section(section);
        } else if inside
            && !line.is_empty()
            && !line.starts_with('#')
            && !line.contains("workspace = true")
        {
            findings.push(manifest.finding(
                number,
                "a version outside the root manifest",
                "state it in [workspace.dependencies] and write `NAME.workspace = true` here",
            ));
        }
    }
}

/// Entries of [workspace.dependencies] that nobody inherits.
fn check_root(repository: &Repository, findings: &mut Vec<Finding>) {
    let Some(root) = repository.file("Cargo.toml") else { return };
    let mut inside = false;
    for (number, line) in root.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once('=')) {
            let name = name.trim();
            let used = name.starts_with('#')
                || repository.packages.iter().any(|package| {
                    package.name == name
                        || package.dependencies.iter().any(|dependency| dependency.name == name)
                });
            if !used {
                findings.push(root.finding(
                    number,
                    format!("`{name}` is listed but no package uses it"),
                    "remove the line",
                ));
            }
        }
    }
}

fn check_lock(repository: &Repository, findings: &mut Vec<Finding>) {
    let Some(lock) = repository.file("Cargo.lock") else {
        findings.push(Finding {
            path: "Cargo.lock".to_owned(),
            line: 1,
            message: "no lock file under version control".to_owned(),
            remedy: "commit Cargo.lock: a command is built from one set of versions".to_owned(),
        });
        return;
    };
    let count = lock.lines().filter(|(_, line)| *line == "[[package]]").count();
    if count > LOCKED_PACKAGES_CEILING {
        findings.push(lock.finding(
            1,
            format!("{count} packages, the ceiling is {LOCKED_PACKAGES_CEILING}"),
            "do without the new library or its default features, or raise \
             `LOCKED_PACKAGES_CEILING` (xtask/src/tidy/dependencies.rs) in the same change",
        ));
    }
}
