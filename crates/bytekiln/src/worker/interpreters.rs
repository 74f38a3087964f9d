//! Which interpreter an executable is, remembered between requests, and asked again when it may be
//! another one.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytekiln_executor::{Compiler, InterpreterPool};

use crate::compilation::{CompileOrder, Mismatch};

/// More executables than any build has.
const MOST: usize = 32;

/// Interpreters that have said who they are.
#[derive(Default)]
pub(super) struct Interpreters(Mutex<BTreeMap<PathBuf, Known>>);

struct Known {
    stamp: Option<Stamp>,
    compiler: Compiler,
}

/// Of a file, through links: another interpreter has another one.
type Stamp = (u64, u64, u64, i64, i64, i64, i64);

/// Why there is no interpreter.
pub(super) enum NoInterpreter {
    /// It does not work.
    Unusable(String),
    /// It is another than was expected, also after it was asked anew.
    Other(Mismatch),
}

impl Interpreters {
    /// The interpreter of an order, who is whom the order expects.
    pub(super) fn find(
        &self,
        order: &CompileOrder,
        pool: &InterpreterPool,
    ) -> Result<Compiler, NoInterpreter> {
        let stamp = stamp(&order.python);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&order.python)
            && known.stamp == stamp
            && order.expectation.check_python(&known.compiler.toolchain).is_ok()
        {
            return Ok(known.compiler.clone());
        }
        // Those that run may be of an executable that was replaced.
        pool.forget(&order.python);
        known.remove(&order.python);
        let introduced = pool.introduce(&order.python, order.flags);
        let compiler = introduced.map_err(|error| NoInterpreter::Unusable(error.message))?;
        order.expectation.check_python(&compiler.toolchain).map_err(NoInterpreter::Other)?;
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(order.python.clone(), Known { stamp, compiler: compiler.clone() });
        Ok(compiler)
    }
}

fn stamp(executable: &Path) -> Option<Stamp> {
    let it = std::fs::metadata(executable).ok()?;
    Some((it.dev(), it.ino(), it.size(), it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()))
}
