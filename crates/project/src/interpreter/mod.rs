//! Finding the interpreters that a profile asks for, and asking each who it is. Answers are kept
//! by the stamps of the files that gave them, so that a no-op starts none.

mod all;
mod error;
mod find;
mod identities;
mod probe;
mod shims;

use std::path::PathBuf;
use std::sync::Arc;

use bytekiln_action::Toolchain;

use crate::index::Watch;

pub use all::{Survey, find_all_interpreters};
pub use error::{InterpreterError, InterpreterFault};
pub use find::{SearchPath, find_interpreters, find_interpreters_unkept};

/// An interpreter that can compile.
#[derive(Debug, Clone)]
pub struct Interpreter {
    /// Absolute path at which to start it.
    pub executable: PathBuf,
    /// Who it is.
    pub toolchain: Arc<Toolchain>,
    /// Files whose change may lead to another interpreter, or another identity of this one.
    pub(crate) evidence: Vec<Watch>,
}

impl Interpreter {
    /// An interpreter whose identity the caller answers for.
    pub fn new(executable: PathBuf, toolchain: Arc<Toolchain>) -> Interpreter {
        let evidence = vec![Watch::take(executable.clone())];
        Interpreter { executable, toolchain, evidence }
    }
}

#[cfg(test)]
mod tests;
