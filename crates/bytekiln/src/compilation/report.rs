//! `--out-report`: who compiled, and how each source ended. Written for whoever has a compilation done
//! by somebody else, and read back by remote execution. Knows nothing of files.

use std::path::Path;

use bytekiln_action::{Diagnostic, DiagnosticKind, Position, Toolchain};
use bytekiln_executor::JobEnd;
use serde::{Deserialize, Serialize};

use super::identity::{compiler_identity, python_digest};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CompileReport {
    /// Of the compiler, as in `--print-identity`.
    pub(crate) compiler: String,
    /// Digest of the interpreter's identity, as there.
    pub(crate) python: String,
    /// Its name, for people.
    pub(crate) label: String,
    /// Its `sys.version`.
    pub(crate) build: String,
    /// In the order in which they were named; none, if the interpreter was refused.
    pub(crate) sources: Vec<SourceReport>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceReport {
    /// As named.
    pub(crate) source: String,
    /// As named, or below the tree of outputs.
    pub(crate) output: String,
    pub(crate) outcome: SourceOutcome,
    pub(crate) compile_micros: u64,
    pub(crate) warnings: Vec<WarningReport>,
}

/// How a source ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SourceOutcome {
    /// Its output is there.
    Compiled,
    /// It does not compile.
    Rejected,
    /// It could not be read, or its output not be written, or the compiler failed on it.
    Failed,
}

/// What the compiler warned of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WarningReport {
    category: String,
    message: String,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    text: Option<String>,
}

impl CompileReport {
    pub(crate) fn new(toolchain: &Toolchain, sources: Vec<SourceReport>) -> CompileReport {
        CompileReport {
            compiler: compiler_identity(),
            python: python_digest(toolchain),
            label: toolchain.label(),
            build: toolchain.build.clone(),
            sources,
        }
    }

    pub(crate) fn render(&self) -> String {
        match serde_json::to_string_pretty(self) {
            Ok(text) => format!("{text}\n"),
            Err(error) => unreachable!("text and numbers are JSON: {error}"),
        }
    }
}

impl SourceReport {
    pub(crate) fn new(
        source: &Path,
        output: &Path,
        end: Option<&JobEnd>,
        compile_micros: u64,
    ) -> SourceReport {
        let (outcome, warnings): (_, &[Diagnostic]) = match end {
            Some(JobEnd::Compiled { warnings, .. } | JobEnd::Cached { warnings, .. }) => {
                (SourceOutcome::Compiled, warnings)
            }
            Some(JobEnd::Rejected { warnings, .. }) => (SourceOutcome::Rejected, warnings),
            Some(JobEnd::Failed(_)) | None => (SourceOutcome::Failed, &[]),
        };
        SourceReport {
            source: source.display().to_string(),
            output: output.display().to_string(),
            outcome,
            compile_micros,
            warnings: warnings.iter().map(WarningReport::from).collect(),
        }
    }
}

impl From<&Diagnostic> for WarningReport {
    fn from(warning: &Diagnostic) -> WarningReport {
        WarningReport {
            category: warning.category.clone(),
            message: warning.message.clone(),
            line: warning.start.map(|start| start.line),
            column: warning.start.and_then(|start| start.column),
            end_line: warning.end.map(|end| end.line),
            end_column: warning.end.and_then(|end| end.column),
            text: warning.line_text.clone(),
        }
    }
}

impl From<&WarningReport> for Diagnostic {
    fn from(report: &WarningReport) -> Diagnostic {
        let position = |line: Option<u32>, column| line.map(|line| Position { line, column });
        Diagnostic {
            kind: DiagnosticKind::Warning,
            category: report.category.clone(),
            message: report.message.clone(),
            start: position(report.line, report.column),
            end: position(report.end_line, report.end_column),
            line_text: report.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_survive() {
        let place = |line, column| Some(Position { line, column });
        for (start, end) in [(None, None), (place(3, Some(5)), place(4, None))] {
            let warning = Diagnostic {
                kind: DiagnosticKind::Warning,
                category: "SyntaxWarning".to_owned(),
                message: "invalid escape sequence".to_owned(),
                start,
                end,
                line_text: Some("'\\d'".to_owned()),
            };
            let text = serde_json::to_string(&WarningReport::from(&warning)).unwrap();
            let report: WarningReport = serde_json::from_str(&text).unwrap();
            assert_eq!(Diagnostic::from(&report), warning);
        }
    }
}
