//! What is wrong with a workspace's manifests, each problem with its place, and a plain rendering.
//! Knows nothing of terminals or colours.

use std::path::PathBuf;

/// Why a workspace cannot be loaded: everything that was found wrong, at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceError {
    problems: Vec<LocatedProblem>,
}

/// One thing wrong with a file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedProblem {
    /// The file (or folder) it is about.
    pub path: PathBuf,
    /// Where in the file, if it is about a part of it.
    pub place: Option<Place>,
    /// A lower-case fragment without a period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Part of a line of a text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In characters, at least 1, not beyond the end of the line.
    pub width: usize,
    /// The line without its end; control characters other than tabs are replaced.
    pub line_text: String,
}

impl WorkspaceError {
    /// One problem that is not about a place in a file.
    pub(crate) fn of(path: impl Into<PathBuf>, message: String, hint: Option<String>) -> Self {
        LocatedProblem { path: path.into(), place: None, message, hint }.into()
    }

    /// All problems, in the order in which they were met; `None` if there are none.
    pub(crate) fn from_all(problems: Vec<LocatedProblem>) -> Option<WorkspaceError> {
        (!problems.is_empty()).then_some(WorkspaceError { problems })
    }

    /// The problems, in the order in which they were met; at least one.
    pub fn problems(&self) -> &[LocatedProblem] {
        &self.problems
    }
}

impl From<LocatedProblem> for WorkspaceError {
    fn from(problem: LocatedProblem) -> Self {
        WorkspaceError { problems: vec![problem] }
    }
}

/// Every problem with its source line and a caret, one blank line between two.
impl std::fmt::Display for WorkspaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for WorkspaceError {}

impl std::fmt::Display for LocatedProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)?;
        let Some(place) = &self.place else {
            write!(f, "\n --> {}", self.path.display())?;
            if let Some(hint) = &self.hint {
                write!(f, "\n  = help: {hint}")?;
            }
            return Ok(());
        };
        let margin = " ".repeat(place.line.to_string().len());
        // Tabs stay tabs, so that the caret stands under what it means whatever their width.
        let before: String = place
            .line_text
            .chars()
            .take(place.column.saturating_sub(1))
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        write!(f, "\n{margin}--> {}:{}:{}", self.path.display(), place.line, place.column)?;
        write!(f, "\n{margin} |\n{} | {}", place.line, place.line_text)?;
        write!(f, "\n{margin} | {before}{}", "^".repeat(place.width))?;
        if let Some(hint) = &self.hint {
            write!(f, "\n{margin} = help: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LocatedProblem {}
