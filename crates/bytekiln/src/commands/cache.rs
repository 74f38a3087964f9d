//! `bytekiln cache stats|gc|clear|dir`: the user's cache.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytekiln_cache::{DiskOptions, DiskStats, DiskStore, GcOptions, StoreError};
use bytekiln_project::CacheSettings;
use serde_json::json;

use crate::arguments::{CacheArguments, CacheCommand, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;

/// What a cache may grow to where nobody says otherwise.
pub(crate) const DEFAULT_MAX_BYTES: u64 = 10_000_000_000;

/// Runs the command. `configured` is what the manifest says, if there is one.
pub(crate) fn run(
    arguments: &CacheArguments,
    configured: &CacheSettings,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let dir = folder(arguments.cache_dir.as_ref(), configured.dir.as_ref(), environment)?;
    if matches!(arguments.command, CacheCommand::Dir) {
        terminal.data(&format!("{}\n", dir.display()));
        return Ok(ExitStatus::Success);
    }
    if !dir.exists() {
        terminal.status("Cache", format!("`{}` does not exist yet", dir.display()));
        return Ok(ExitStatus::Success);
    }
    let store = DiskStore::open(&dir, DiskOptions::default()).map_err(failed)?;
    match &arguments.command {
        CacheCommand::Stats { format } => {
            let stats = store.stats().map_err(failed)?;
            let typed = arguments.remote_cache.as_deref().filter(|text| !text.is_empty());
            let remote = typed.or(configured.remote.as_deref());
            terminal.data(&match format {
                PlanFormat::Human => stats_text(&dir, remote, &stats),
                PlanFormat::Json => stats_json(&dir, remote, &stats),
            });
        }
        CacheCommand::Gc { max_size, max_age_days } => {
            let max_bytes = match max_size {
                Some(text) => CacheSettings::parse_size(text).ok_or_else(|| {
                    CommandFailure::usage(format!("`{text}` is not a size"))
                        .hint("write a number with B, KB, MB, GB or KiB, MiB, GiB, e.g. `5GB`")
                })?,
                None => configured.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
            };
            let max_age = max_age_days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
            let report =
                store.gc(&GcOptions { max_bytes: Some(max_bytes), max_age }).map_err(failed)?;
            terminal.status(
                "Removed",
                format!(
                    "{} of {} objects ({} of {}), {} freed on disk",
                    report.removed_objects,
                    report.objects_before,
                    size(report.removed_bytes),
                    size(report.bytes_before),
                    size(report.freed_bytes)
                ),
            );
        }
        CacheCommand::Clear => {
            let report = store.clear().map_err(failed)?;
            let (objects, bytes) = (report.removed_objects, size(report.removed_bytes));
            terminal.status("Removed", format!("{objects} objects, {bytes}"));
        }
        CacheCommand::Dir => {}
    }
    for warning in bytekiln_cache::Store::take_warnings(&store) {
        terminal.warning(warning);
    }
    Ok(ExitStatus::Success)
}

/// Command line, then environment (both by clap), then manifest, then the user's default.
pub(crate) fn folder(
    typed: Option<&PathBuf>,
    configured: Option<&PathBuf>,
    environment: &Environment,
) -> Result<PathBuf, CommandFailure> {
    let dir = typed.or(configured).cloned().or_else(|| environment.default_cache_dir());
    let dir = dir.ok_or_else(|| {
        CommandFailure::environment(
            "there is no place for a cache: neither HOME nor XDG_CACHE_HOME is set",
        )
        .hint("name a folder with --cache-dir, or build with --no-cache")
    })?;
    match &environment.current_dir {
        Some(current) => Ok(current.join(dir)),
        None => Ok(dir),
    }
}

fn failed(error: StoreError) -> CommandFailure {
    CommandFailure::failure(error)
}

fn stats_text(dir: &std::path::Path, remote: Option<&str>, stats: &DiskStats) -> String {
    let ago = |when: Option<SystemTime>| {
        when.and_then(|when| SystemTime::now().duration_since(when).ok())
            .map_or_else(|| "never".to_owned(), |age| format!("{} ago", age_text(age)))
    };
    format!(
        "folder        {}\nremote cache  {}\nobjects       {} ({})\nin checkouts  {} ({}) as hard links\nresults       {} ({}, {} unmerged journals)\nlast used     {} (least recently {})\n",
        dir.display(),
        remote.unwrap_or("none"),
        stats.objects,
        size(stats.bytes),
        stats.shared_objects,
        size(stats.shared_bytes),
        stats.results,
        size(stats.result_bytes),
        stats.journals,
        ago(stats.newest_use),
        ago(stats.oldest_use),
    )
}

fn stats_json(dir: &std::path::Path, remote: Option<&str>, stats: &DiskStats) -> String {
    let seconds = |when: Option<SystemTime>| {
        when.and_then(|when| when.duration_since(SystemTime::UNIX_EPOCH).ok())
            .map(|since| since.as_secs())
    };
    let value = json!({
        "schema": "bytekiln-cache-stats/1",
        "folder": dir.display().to_string(),
        "remote": remote,
        "objects": stats.objects,
        "bytes": stats.bytes,
        "shared_objects": stats.shared_objects,
        "shared_bytes": stats.shared_bytes,
        "results": stats.results,
        "result_bytes": stats.result_bytes,
        "journals": stats.journals,
        "oldest_use": seconds(stats.oldest_use),
        "newest_use": seconds(stats.newest_use),
    });
    format!("{value:#}\n")
}

fn age_text(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `1.5 MB`: powers of 1000, as disks are sold.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}
