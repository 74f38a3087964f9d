//! A plan as a `build.ninja`: one edge a source and target, each a `bytekiln compile`. Knows nothing of
//! what is fresh: that is ninja's to know.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bytekiln_planner::{RootId, Step, Target};

use crate::failure::CommandFailure;
use crate::prepared::{Prepared, target_label};

/// The text of the file, from a plan in which every source is a step.
pub(super) fn render(prepared: &Prepared, bytekiln: &Path) -> Result<String, CommandFailure> {
    let inputs = prepared.loaded.inputs();
    let executables = prepared.executables();
    let mut out = String::from(
        "# Written by `bytekiln plan --format ninja`: write it again when sources come or go, or the\n\
         # interpreter changes. Run ninja in the workspace's folder.\nninja_required_version = 1.8\n",
    );
    let _ = writeln!(out, "bytekiln = {}\n", value(&quoted(utf8(bytekiln)?)));
    for (number, target) in inputs.targets.iter().enumerate() {
        let python = executables.get(&target.toolchain_digest).ok_or_else(|| {
            CommandFailure::environment(format!("{} is nowhere", target_label(target)))
        })?;
        rule(number, target, utf8(python)?, &mut out);
    }
    let mut left_out: BTreeMap<String, &str> = BTreeMap::new();
    for step in &prepared.plan.steps {
        let source = step.source.to_string();
        if let Some(allowance) = &step.allowance {
            left_out.insert(source, allowance.reason.as_str());
        } else if let Some(output) = &step.output {
            let root = prepared.loaded.roots().get(usize::from(output.root.0));
            let root = root.filter(|_| output.root != RootId::WORKSPACE);
            let relative = text(output.path.as_bytes())?;
            let output = match root {
                Some(root) => format!("{}/{relative}", utf8(root)?),
                None => relative.to_owned(),
            };
            edge(step, &output, &mut out)?;
        } else {
            left_out.insert(source, "a script: CPython reads no cache for it");
        }
    }
    for (source, why) in left_out {
        let line = format!("# not compiled: {source}: {why}");
        let _ = writeln!(out, "{}", line.replace(['\n', '\r'], " "));
    }
    Ok(out)
}

fn rule(number: usize, target: &Target, python: &str, out: &mut String) {
    let digest: String = target.toolchain_digest.0.iter().map(|b| format!("{b:02x}")).collect();
    let ranges = if target.flags.debug_ranges { "" } else { " --no-debug-ranges" };
    let command = format!(
        "--python {} --expect-python {digest} --optimize {} --invalidation-mode {}{ranges}",
        quoted(python),
        target.level,
        target.mode
    );
    let _ = writeln!(
        out,
        "rule compile{number}\n  command = $bytekiln compile {} --jobs 1 --depfile $depfile -- $entry\n  \
         depfile = $out.d\n  deps = gcc\n  restat = 1\n  description = Compiling $in for {}\n",
        value(&command),
        value(&target_label(target)),
    );
}

fn edge(step: &Step, output: &str, out: &mut String) -> Result<(), CommandFailure> {
    let source = text(step.source.as_bytes())?;
    let recorded = text(step.action.recorded_path.as_bytes())?;
    for path in [source, recorded, output] {
        if path.contains(['=', '\n', '\r']) {
            return Err(CommandFailure::usage(format!(
                "`{}` cannot be in a build.ninja: a path has a `=` or a line end",
                path.escape_debug()
            ))
            .hint("leave it out with `exclude` in the manifest, or rename it"));
        }
    }
    let entry = quoted(&format!("{source}={recorded}={output}"));
    let depfile = quoted(&format!("{output}.d"));
    let _ = writeln!(
        out,
        "build {}: compile{} {}\n  entry = {}\n  depfile = {}",
        path(output),
        step.target,
        path(source),
        value(&entry),
        value(&depfile)
    );
    Ok(())
}

fn text(bytes: &[u8]) -> Result<&str, CommandFailure> {
    std::str::from_utf8(bytes).map_err(|_| {
        let shown = String::from_utf8_lossy(bytes).into_owned();
        CommandFailure::usage(format!("`{shown}` cannot be in a build.ninja: it is no UTF-8"))
    })
}

fn utf8(path: &Path) -> Result<&str, CommandFailure> {
    use std::os::unix::ffi::OsStrExt as _;
    text(path.as_os_str().as_bytes())
}

/// One word of a shell.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Text in a ninja variable.
fn value(text: &str) -> String {
    text.replace('$', "$$")
}

/// A path in a ninja build line.
fn path(text: &str) -> String {
    text.replace('$', "$$").replace(' ', "$ ").replace(':', "$:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell_and_for_ninja() {
        assert_eq!(quoted("lib/a-b.py"), "lib/a-b.py");
        assert_eq!(quoted("it's $x"), r"'it'\''s $x'");
        assert_eq!(quoted(""), "''");
        assert_eq!(value("a $x"), "a $$x");
        assert_eq!(path("a $x:y"), "a$ $$x$:y");
    }
}
