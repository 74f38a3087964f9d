//! A real interpreter: what it says of itself, and what its importers do with cases.

use std::collections::BTreeMap;
use std::process::Command;

use bytekiln_loader::{HashCheck, Launch};
use bytekiln_python::Release;
use bytekiln_test_support::Scratch;
use bytekiln_test_support::pythons::Python;

use crate::world::Case;

const ORACLE: &str = include_str!("oracle.py");
const FACTS: &str = "
import importlib.machinery, marshal, sys
code = compile('MARK = 1\\ndef f():\\n    return {\"some\": 2.5}\\n', '/elsewhere/m.py', 'exec')
print(sys.implementation.cache_tag)
print(' '.join(importlib.machinery.EXTENSION_SUFFIXES))
print(marshal.dumps(code).hex())
";

pub(crate) struct Interpreter<'a> {
    python: &'a Python,
    pub(crate) launch: Launch,
    /// A marshalled code object.
    pub(crate) payload: Vec<u8>,
}

impl<'a> Interpreter<'a> {
    pub(crate) fn new(python: &'a Python) -> Interpreter<'a> {
        let output = Command::new(&python.path).args(["-I", "-S", "-c", FACTS]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines();
        let cache_tag = lines.next().unwrap().to_owned();
        let extension_suffixes = lines.next().unwrap().split(' ').map(str::to_owned).collect();
        let hex = lines.next().unwrap();
        let payload = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        let launch = Launch {
            release: Release::from_minor(python.version.1).unwrap(),
            cache_tag: Some(cache_tag),
            optimize: 0,
            hash_check: HashCheck::Default,
            extension_suffixes,
            earlier: BTreeMap::new(),
        };
        Interpreter { python, launch, payload }
    }

    /// Expects the importers to do with every module of every case what the simulation says.
    /// Local time is so many seconds ahead of UTC. How many modules were compared.
    pub(crate) fn check(&self, cases: &[Case], optimize: u8, ahead: i64) -> usize {
        let launch = Launch { optimize, ..self.launch.clone() };
        let scratch = Scratch::new();
        let base = std::fs::canonicalize(scratch.path()).unwrap();
        let base = base.to_str().unwrap();
        let literals: Vec<String> =
            cases.iter().enumerate().map(|(number, case)| case.literal(base, number)).collect();
        let (script, file) = (scratch.join("oracle.py"), scratch.join("cases"));
        std::fs::write(&script, ORACLE).unwrap();
        std::fs::write(&file, format!("[{}]", literals.join(",\n"))).unwrap();
        let mut command = Command::new(&self.python.path);
        if optimize > 0 {
            command.arg(format!("-{}", "O".repeat(optimize.into())));
        }
        // The sign of POSIX time zones is that of the way back to UTC.
        command.env("TZ", format!("XXX{:+}:{:02}", -ahead / 3600, ahead.abs() / 60 % 60));
        let output = command.args(["-I", "-S"]).arg(&script).arg(base).arg(&file).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", self.python.name());
        let stdout = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<&str> = stdout.split("case ").skip(1).collect();
        assert_eq!(answers.len(), cases.len());
        let mut compared = 0;
        for (number, (case, answer)) in cases.iter().zip(answers).enumerate() {
            let (tree, reports) = case.simulate(base, number, &launch, ahead);
            let mut expected = case.expected(&tree, &reports);
            let mut found: BTreeMap<String, String> = BTreeMap::new();
            for line in answer.lines().skip(1) {
                let (name, rest) = line.split_once('\t').unwrap();
                found.insert(name.to_owned(), rest.to_owned());
            }
            // What is below a package that cannot be imported cannot either.
            let failed: Vec<String> = found
                .iter()
                .filter(|(_, text)| text.ends_with("\t-"))
                .map(|(name, _)| format!("{name}."))
                .collect();
            let below = |name: &str| failed.iter().any(|package| name.starts_with(&package[..]));
            expected.retain(|name, _| !below(name));
            found.retain(|name, _| !below(name));
            for (name, text) in &mut expected {
                // Which exception a damaged file raises is not said; that it raises one is.
                if text == "?"
                    && let Some(found) = found.get(name)
                {
                    assert!(found.ends_with("\t-"), "{name}: {found}");
                    text.clone_from(found);
                }
            }
            compared += expected.len();
            assert!(
                expected == found,
                "CPython {} -O{optimize}, case {number}:\n{case:#?}\nsimulated {expected:#?}\n\
                 it did {found:#?}",
                self.python.name()
            );
        }
        compared
    }
}
