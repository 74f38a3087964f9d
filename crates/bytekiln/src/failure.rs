//! How a command ends when it cannot go on: what to say, what to advise, with which status.

use bytekiln_artifact::ArtifactError;
use bytekiln_project::InterpreterError;

use crate::exit::ExitStatus;

/// The end of a command.
#[derive(Debug)]
pub struct CommandFailure {
    /// Exit status.
    pub status: ExitStatus,
    /// What went wrong: fragments, each naming the file it is about. Rendered after `error: `.
    pub messages: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for CommandFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.messages.join("; "))?;
        match &self.hint {
            Some(hint) => write!(f, " (help: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CommandFailure {}

impl CommandFailure {
    /// Wrong arguments or manifest.
    pub fn usage(message: impl std::fmt::Display) -> CommandFailure {
        CommandFailure::new(ExitStatus::Usage, message)
    }

    /// The environment lacks something.
    pub fn environment(message: impl std::fmt::Display) -> CommandFailure {
        CommandFailure::new(ExitStatus::Environment, message)
    }

    /// What was asked for could not be done.
    pub fn failure(message: impl std::fmt::Display) -> CommandFailure {
        CommandFailure::new(ExitStatus::Failure, message)
    }

    /// The user has interrupted; says what is left as it was.
    pub fn interrupted(message: impl std::fmt::Display) -> CommandFailure {
        CommandFailure::new(ExitStatus::Interrupted, message)
    }

    /// An interpreter that cannot be found or used, with the finder's advice.
    pub fn interpreter(error: &InterpreterError) -> CommandFailure {
        let failure = CommandFailure::environment(error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// A path that was typed and cannot be looked into: what is not there or no archive is a wrong
    /// argument, a damaged archive is a finding.
    pub fn artifact(error: &ArtifactError) -> CommandFailure {
        match error {
            ArtifactError::Io { .. } | ArtifactError::Unknown { .. } => {
                CommandFailure::usage(error)
            }
            _ => CommandFailure::failure(error),
        }
    }

    fn new(status: ExitStatus, message: impl std::fmt::Display) -> CommandFailure {
        CommandFailure { status, messages: vec![message.to_string()], hint: None }
    }

    /// With advice.
    pub fn hint(mut self, hint: impl std::fmt::Display) -> CommandFailure {
        self.hint = Some(hint.to_string());
        self
    }
}
