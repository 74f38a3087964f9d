//! A batch as an action and its outputs as replies. The action is our own binary with `compile`, told
//! whom to expect; its report has to say that compiler and interpreter on the worker are those of the
//! keys, or nothing of it is taken. Not trusted further: the executor of builds checks every file.
//!
//! One worker process has one compiler (`--jobs 1`): an executor counts an action as one.

use std::collections::BTreeMap;
use std::time::Duration;

use bytekiln_action::Diagnostic;
use bytekiln_cache::Blob;
use bytekiln_executor::{BatchCompiler, BatchError, BatchOptions, BatchReply, Compiler, Request};
use bytekiln_remote::{
    ExecuteError, Executed, ExecutorStats, InputKind, RemoteAction, RemoteExecutor,
};
use serde_json::json;

use super::program::{BINARY, Program};
use crate::compilation::{CompileReport, SourceOutcome, compiler_identity, python_digest};

const MANIFEST: &str = "manifest.json";
const REPORT: &str = "report.json";

/// See the module.
#[derive(Debug)]
pub(super) struct RemoteCompiler {
    executor: RemoteExecutor,
    program: Program,
}

impl RemoteCompiler {
    pub(super) fn new(executor: RemoteExecutor, program: Program) -> RemoteCompiler {
        RemoteCompiler { executor, program }
    }

    pub(super) fn stats(&self) -> ExecutorStats {
        self.executor.stats()
    }

    fn action(
        &self,
        compiler: &Compiler,
        options: BatchOptions,
        requests: &[&Request],
    ) -> Result<RemoteAction, BatchError> {
        let mut inputs = self.program.inputs().map_err(BatchError::Trouble)?;
        let Some(python) = self.program.python(compiler) else {
            let label = compiler.toolchain.label();
            let message =
                format!("where {label} is there is not known: say it with --remote-python");
            return Err(BatchError::Trouble(message));
        };
        let (mut rows, mut outputs) = (Vec::new(), vec![REPORT.to_owned()]);
        for (number, request) in requests.iter().enumerate() {
            let (source, output) = (source_name(number), output_name(number));
            let recorded =
                std::str::from_utf8(request.recorded_path.as_bytes()).unwrap_or_default();
            rows.push(json!({"source": source, "recorded": recorded, "output": output}));
            inputs.add_file(&source, Blob::of(request.source.to_vec()), InputKind::Data);
            outputs.push(output);
        }
        let manifest = serde_json::Value::Array(rows).to_string();
        inputs.add_file(MANIFEST, Blob::of(manifest.into_bytes()), InputKind::Data);
        let level = (options.level as u8).to_string();
        let (expected_compiler, expected_python) =
            (compiler_identity(), python_digest(&compiler.toolchain));
        let timeout = self.program.limit.as_secs().to_string();
        let program = format!("./{BINARY}");
        let arguments = [
            program.as_str(),
            "compile",
            "--python",
            &python,
            "--expect-compiler",
            &expected_compiler,
            "--expect-python",
            &expected_python,
            "--optimize",
            &level,
            "--invalidation-mode",
            "unchecked-hash",
            "--manifest",
            MANIFEST,
            "--out-report",
            REPORT,
            "--jobs",
            "1",
            "--timeout",
            &timeout,
        ];
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        if !options.flags.debug_ranges {
            arguments.push("--no-debug-ranges".to_owned());
        }
        Ok(RemoteAction { arguments, inputs, outputs, inline: vec![REPORT.to_owned()] })
    }
}

impl BatchCompiler for RemoteCompiler {
    fn describe(&self) -> String {
        self.executor.describe().to_owned()
    }

    fn compile(
        &self,
        compiler: &Compiler,
        options: BatchOptions,
        requests: &[Request],
        interrupted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<BatchReply>, BatchError> {
        // JSON has no bytes: what is no text is compiled here.
        let is_text =
            |request: &&Request| std::str::from_utf8(request.recorded_path.as_bytes()).is_ok();
        let requests: Vec<&Request> = requests.iter().filter(is_text).collect();
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let action = self.action(compiler, options, &requests)?;
        let executed =
            self.executor.execute(&action, interrupted).map_err(|error| match error {
                ExecuteError::Trouble(why) => BatchError::Trouble(why),
                ExecuteError::Interrupted => BatchError::Interrupted,
            })?;
        let report = proved(&executed, compiler).map_err(BatchError::Trouble)?;
        replies(executed, &report, &requests).map_err(BatchError::Trouble)
    }
}

fn source_name(number: usize) -> String {
    format!("sources/{number:05}.py")
}

fn output_name(number: usize) -> String {
    format!("outputs/{number:05}.pyc")
}

/// The report, if it says that the right ones have compiled.
fn proved(executed: &Executed, compiler: &Compiler) -> Result<CompileReport, String> {
    let Some(report) = executed.outputs.get(REPORT) else {
        let first = executed.stderr.lines().find(|line| !line.trim().is_empty());
        let first: String = first.unwrap_or_default().chars().take(300).collect();
        let (code, said) = (executed.exit_code, first.replace(char::is_control, " "));
        return Err(format!("its worker ended with exit status {code} and no report: {said}"));
    };
    let report: CompileReport = serde_json::from_slice(&report.bytes)
        .map_err(|error| format!("the report of its worker cannot be read: {error}"))?;
    let text = |text: &str| -> String {
        text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
    };
    if report.compiler != compiler_identity() {
        let (found, own) = (text(&report.compiler), compiler_identity());
        return Err(format!("its worker ran {found}, and this is {own}"));
    }
    let (toolchain, expected) = (&compiler.toolchain, python_digest(&compiler.toolchain));
    if report.python != expected {
        return Err(format!(
            "the interpreter of its worker is {} (`{}`) with the identity {}, and {} (`{}`) with the \
             identity {expected} was expected",
            text(&report.label),
            text(&report.build),
            text(&report.python),
            toolchain.label(),
            toolchain.build,
        ));
    }
    match executed.exit_code {
        // 1: some source was not compiled, which its row says.
        0 | 1 => Ok(report),
        code => Err(format!("its worker ended with exit status {code}")),
    }
}

/// What was compiled. A source that is said to be compiled and has no output is a lie.
fn replies(
    executed: Executed,
    report: &CompileReport,
    requests: &[&Request],
) -> Result<Vec<BatchReply>, String> {
    let rows: BTreeMap<&str, _> =
        report.sources.iter().map(|row| (row.source.as_str(), row)).collect();
    let mut replies = Vec::with_capacity(requests.len());
    for (number, request) in requests.iter().enumerate() {
        let Some(row) = rows.get(source_name(number).as_str()) else {
            return Err("its worker says nothing of a source".to_owned());
        };
        match row.outcome {
            SourceOutcome::Compiled => {}
            SourceOutcome::Rejected | SourceOutcome::Failed => continue,
        }
        let Some(output) = executed.outputs.get(&output_name(number)) else {
            return Err("an output of its worker is missing".to_owned());
        };
        replies.push(BatchReply {
            id: request.id,
            pyc: output.bytes.to_vec(),
            warnings: row.warnings.iter().map(Diagnostic::from).collect(),
            compile: Duration::from_micros(row.compile_micros),
        });
    }
    Ok(replies)
}
