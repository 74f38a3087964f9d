//! How long the missing caches will take at start: a sample of their sources is compiled, and
//! the rest is extrapolated by bytes. Compiling executes nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytekiln_action::{CompileFlags, RecordedPath};
use bytekiln_executor::{
    Compiler, Engine, InterpreterEngine, InterpreterOptions, Request, Verdict,
};
use bytekiln_loader::{Contents, Effect, ModuleReport};
use bytekiln_project::Interpreter;
use bytekiln_python::OptimizationLevel;

use super::artifacts::Artifacts;
use crate::environment::Environment;

/// So long is compiled.
const BUDGET: Duration = Duration::from_millis(300);
/// So many at most, of any size.
const SAMPLE: usize = 200;
/// An interpreter that has not answered after this long is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the misses cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    /// Of all misses.
    pub(super) seconds: f64,
    /// Bytes of source a second.
    pub(super) bytes_per_second: f64,
    /// Sources that were compiled to find that out.
    pub(super) sample: usize,
}

/// Measures; `None` where nothing is compiled at start, or nothing of it compiles.
pub(super) fn estimate(
    reports: &[ModuleReport],
    artifacts: &Artifacts,
    interpreter: &Interpreter,
    optimize: u8,
    environment: &Environment,
) -> Result<Option<Estimate>, String> {
    let misses: Vec<&ModuleReport> =
        reports.iter().filter(|report| report.effect == Effect::Compiles).collect();
    let total: u64 = misses.iter().map(|report| report.compiled_bytes).sum();
    if total == 0 {
        return Ok(None);
    }
    let engine = InterpreterEngine::new(InterpreterOptions {
        start_timeout: PATIENCE,
        environment: environment.for_interpreters.clone(),
    });
    let compiler = Compiler {
        toolchain: Arc::clone(&interpreter.toolchain),
        executable: interpreter.executable.clone(),
    };
    let flags = CompileFlags { debug_ranges: true };
    let mut session = engine.open(&compiler, flags).map_err(|error| error.to_string())?;
    if !session.ready(PATIENCE).map_err(|error| error.to_string())? {
        return Err("the interpreter did not start in time".to_owned());
    }
    let level = OptimizationLevel::from_u8(optimize.min(2)).unwrap_or(OptimizationLevel::Two);
    let started = Instant::now();
    let (mut spent, mut bytes, mut sample) = (Duration::ZERO, 0_u64, 0);
    for (id, report) in spread(&misses).take(SAMPLE).enumerate() {
        if spent >= BUDGET || started.elapsed() >= 3 * BUDGET {
            break;
        }
        let Ok(source) = artifacts.read(report.file) else { continue };
        let length = source.len() as u64;
        let request = Request {
            id: id as u64,
            level,
            recorded_path: RecordedPath::from_file_system(&report.name),
            source: source.into(),
        };
        session.submit(request).map_err(|lost| lost.reason)?;
        let Some(reply) = session.receive(PATIENCE).map_err(|lost| lost.reason)? else { break };
        if matches!(reply.verdict, Verdict::Compiled { .. }) {
            spent += reply.compile;
            bytes += length;
            sample += 1;
        }
    }
    if bytes == 0 || spent.is_zero() {
        return Ok(None);
    }
    let bytes_per_second = bytes as f64 / spent.as_secs_f64();
    Ok(Some(Estimate { seconds: total as f64 / bytes_per_second, bytes_per_second, sample }))
}

/// All, in an order in which the first [`SAMPLE`] are spread over the whole.
fn spread<'a>(misses: &'a [&'a ModuleReport]) -> impl Iterator<Item = &'a ModuleReport> {
    let step = misses.len().div_ceil(SAMPLE).max(1);
    (0..step).flat_map(move |first| misses.iter().skip(first).step_by(step).copied())
}
