//! `--message-format json`: one object a line on standard output, documented in
//! `docs/messages.md`. Programs may depend on every field here; new ones may come.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytekiln_action::{Diagnostic, DiagnosticKind};
use bytekiln_executor::{CacheOrigin, CompiledBy, Event, Failure, JobEnd, Work};
use bytekiln_planner::OutputPath;
use serde_json::{Value, json};

use super::diagnostic::{Style, render};
use super::human::failure_text;
use super::tally::Tally;
use super::terminal::Terminal;
use super::{BuildNames, Reporter};

/// Name and version of the messages.
pub const MESSAGES_SCHEMA: &str = "bytekiln-messages/1";

/// Subscriber for programs.
pub struct JsonReporter<'a> {
    terminal: &'a Terminal,
    work: &'a Work,
    names: &'a BuildNames,
    tally: Mutex<Tally>,
}

impl<'a> JsonReporter<'a> {
    /// For one build.
    pub fn new(terminal: &'a Terminal, work: &'a Work, names: &'a BuildNames) -> JsonReporter<'a> {
        JsonReporter { terminal, work, names, tally: Mutex::default() }
    }

    fn job_ended(&self, index: usize, end: &JobEnd, compile: Duration) {
        let Some(job) = self.work.jobs.get(index) else { return };
        let may_fail = self.names.may_fail(index);
        if let Ok(mut tally) = self.tally.lock() {
            tally.count(end, may_fail);
        }
        let (result, digest, warnings, error) = match end {
            JobEnd::Compiled { output, warnings, .. } => {
                ("compiled", Some(output), warnings.as_slice(), None)
            }
            JobEnd::Cached { origin, output, warnings } => {
                let result = match origin {
                    CacheOrigin::Store | CacheOrigin::Remote => "restored",
                    CacheOrigin::Output => "unchanged",
                };
                (result, Some(output), warnings.as_slice(), None)
            }
            JobEnd::Rejected { error, warnings, .. } => {
                let result = if may_fail { "allowed" } else { "rejected" };
                (result, None, warnings.as_slice(), Some(error))
            }
            JobEnd::Failed(Failure::NotTried) => ("not-tried", None, &[][..], None),
            JobEnd::Failed(_) => ("failed", None, &[][..], None),
        };
        for diagnostic in warnings.iter().chain(error) {
            self.diagnostic(index, diagnostic);
        }
        let failure = match end {
            JobEnd::Failed(failure) => Some(failure_text(failure)),
            _ => None,
        };
        line(
            self.terminal,
            &json!({
                "reason": "file-finished",
                "source": job.source.to_string(),
                "output": job.output.as_ref().map(|output| self.output(output)),
                "target": self.names.target(index),
                "key": job.action.digest().to_string(),
                "result": result,
                "digest": digest.map(ToString::to_string),
                "remote": matches!(
                    end,
                    JobEnd::Cached { origin: CacheOrigin::Remote, .. }
                        | JobEnd::Compiled { by: CompiledBy::Executor, .. }
                ),
                "failure": failure,
                "compile_micros": u64::try_from(compile.as_micros()).unwrap_or(u64::MAX),
            }),
        );
    }

    fn diagnostic(&self, index: usize, diagnostic: &Diagnostic) {
        let Some(job) = self.work.jobs.get(index) else { return };
        let target = self.names.target(index);
        let rendered = render(
            diagnostic,
            &job.source,
            std::slice::from_ref(&target),
            &Style { color: false, width: None },
        );
        line(
            self.terminal,
            &json!({
                "reason": "diagnostic",
                "severity": match diagnostic.kind {
                    DiagnosticKind::Error => "error",
                    DiagnosticKind::Warning => "warning",
                },
                "category": diagnostic.category,
                "message": diagnostic.message,
                "source": job.source.to_string(),
                "line": diagnostic.start.map(|start| start.line),
                "column": diagnostic.start.and_then(|start| start.column),
                "end_line": diagnostic.end.map(|end| end.line),
                "end_column": diagnostic.end.and_then(|end| end.column),
                "text": diagnostic.line_text,
                "target": target,
                "rendered": rendered,
            }),
        );
    }

    fn output(&self, output: &OutputPath) -> String {
        match self.work.roots.get(usize::from(output.root.0)) {
            Some(root) if output.root.0 > 0 => {
                format!("{}/{}", crate::schema::path_text(root), output.path)
            }
            _ => output.path.to_string(),
        }
    }
}

impl Reporter for JsonReporter<'_> {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::LookedUp { hits, misses } => {
                line(
                    self.terminal,
                    &json!({"reason": "looked-up", "hits": hits, "misses": misses}),
                );
            }
            Event::JobEnded { job, end, compile, .. } => self.job_ended(*job, end, *compile),
            Event::Removed { removal } => {
                if let Ok(mut tally) = self.tally.lock() {
                    tally.removed += 1;
                }
                if let Some(output) = self.work.removals.get(*removal) {
                    let output = self.output(output);
                    line(self.terminal, &json!({"reason": "output-removed", "output": output}));
                }
            }
            Event::WorkerLost { job, reason, retry, .. } => {
                let source = job.and_then(|job| self.work.jobs.get(job));
                line(
                    self.terminal,
                    &json!({
                        "reason": "compiler-lost",
                        "source": source.map(|job| job.source.to_string()),
                        "why": reason,
                        "retry": retry,
                    }),
                );
            }
            Event::ExecutorTrouble { message } => {
                line(self.terminal, &json!({"reason": "executor-trouble", "message": message}));
            }
            Event::StoreTrouble { message }
            | Event::StoreWarning { message }
            | Event::EntryDiscarded { message, .. } => {
                line(self.terminal, &json!({"reason": "cache-trouble", "message": message}));
            }
            Event::Uploaded { results, missed, .. } => line(
                self.terminal,
                &json!({"reason": "uploaded", "results": results, "missed": missed}),
            ),
            Event::Interrupted => line(self.terminal, &json!({"reason": "interrupted"})),
            _ => {}
        }
    }

    fn finish(&self) -> Tally {
        self.tally.lock().map(|tally| *tally).unwrap_or_default()
    }
}

/// The first message.
pub fn started(terminal: &Terminal, profile: &str, workspace: &str, steps: usize, removals: usize) {
    line(
        terminal,
        &json!({
            "reason": "build-started",
            "schema": MESSAGES_SCHEMA,
            "version": env!("CARGO_PKG_VERSION"),
            "workspace": workspace,
            "profile": profile,
            "steps": steps,
            "removals": removals,
        }),
    );
}

/// The last message.
pub fn finished(terminal: &Terminal, success: bool, tally: &Tally, started: Instant) {
    line(
        terminal,
        &json!({
            "reason": "build-finished",
            "success": success,
            "fresh": tally.fresh,
            "compiled": tally.compiled + tally.executed,
            "compiled_remotely": tally.executed,
            "restored": tally.restored + tally.remote,
            "restored_remotely": tally.remote,
            "unchanged": tally.unchanged,
            "rejected": tally.rejected,
            "allowed": tally.allowed,
            "failed": tally.failed,
            "not_tried": tally.not_tried,
            "removed": tally.removed,
            "warnings": tally.warnings,
            "elapsed_seconds": started.elapsed().as_secs_f64(),
        }),
    );
}

/// One message.
pub fn line(terminal: &Terminal, value: &Value) {
    terminal.data(&format!("{value}\n"));
}
