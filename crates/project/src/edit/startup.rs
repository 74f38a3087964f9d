//! The modules that a start may load, written into the manifest or into the file that it names, with
//! formatting and comments kept. Knows nothing of how they are found out.

use std::collections::BTreeSet;
use std::path::PathBuf;

use toml_edit::{Array, Item, Value};

use super::array;
use super::change::Manifest;
use super::write::write_atomically;
use crate::manifest::{WorkspaceError, read_if_there};
use crate::model::{AllowedModules, StartupRule, Workspace};

/// Makes `names` what a rule allows: those that are there stay where they are with their comments, others
/// go, and new ones are added: at the end of a list, in a file where their order puts them. Gives back the file that was written, if it had to be.
///
/// # Errors
/// The manifest or the file cannot be read or written.
pub fn set_startup_allowed(
    workspace: &Workspace,
    rule: &StartupRule,
    names: &[String],
) -> Result<Option<PathBuf>, WorkspaceError> {
    if let Some(AllowedModules::File(file)) = &rule.allowed {
        let path = workspace.root.join(file);
        let before = read_if_there(&path)?.unwrap_or_default();
        let text = changed_lines(&before, names);
        if text == before {
            return Ok(None);
        }
        return write_atomically(&path, &text).map(|()| Some(path));
    }
    if let Some(AllowedModules::Listed(listed)) = &rule.allowed {
        let (old, new): (BTreeSet<&String>, BTreeSet<&String>) =
            (listed.iter().collect(), names.iter().collect());
        if old == new {
            return Ok(None);
        }
    }
    let mut manifest = Manifest::open(workspace)?;
    let path = workspace.manifest.clone().unwrap_or_else(|| workspace.root.join("bytekiln.toml"));
    let keys = manifest.keys(&["startup", &rule.name]);
    let allowed = manifest.table(&keys).and_then(|table| {
        let item = table.entry("allowed").or_insert_with(|| Item::Value(Array::new().into()));
        item.as_array_mut()
    });
    let Some(allowed) = allowed else {
        let message = format!("`startup.{}.allowed` is not an array", rule.name);
        return Err(WorkspaceError::of(path, message, None));
    };
    change(allowed, names);
    manifest.save()?;
    Ok(Some(path))
}

/// Lines of names; comments and empty lines stay.
fn changed_lines(before: &str, names: &[String]) -> String {
    let mut missing: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut lines: Vec<String> = Vec::new();
    for line in before.lines() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() || missing.remove(name) {
            lines.push(line.to_owned());
        }
    }
    for name in missing {
        // Before the first name that is greater, so that sorted files stay sorted.
        let is_greater = |line: &String| {
            let other = line.split('#').next().unwrap_or_default().trim();
            !other.is_empty() && other > name
        };
        let at = lines.iter().position(is_greater).unwrap_or(lines.len());
        lines.insert(at, name.to_owned());
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn change(allowed: &mut Array, names: &[String]) {
    let mut missing: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for at in (0..allowed.len()).rev() {
        let kept = allowed.get(at).and_then(Value::as_str).is_some_and(|name| missing.remove(name));
        if !kept {
            array::remove(allowed, at);
        }
    }
    // One name a line reads well and merges well.
    let was_empty = allowed.is_empty();
    if was_empty
        && !missing.is_empty()
        && !allowed.trailing().as_str().is_some_and(|text| text.contains('\n'))
    {
        allowed.set_trailing("\n");
    }
    for name in missing {
        array::push(allowed, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, names: &[&str], expected: &str) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(changed_lines(before, &names), expected);
        assert_eq!(changed_lines(expected, &names), expected, "a second time changes nothing");
    }

    #[test]
    fn files_of_names() {
        check("", &["b", "a"], "a\nb\n");
        check(
            "# ours\na\nc  # why\n\n# theirs\nz\n",
            &["a", "b", "c"],
            "# ours\na\nb\nc  # why\n\n# theirs\n",
        );
        check("z\ny\n", &["y", "z"], "z\ny\n");
    }
}
