//! What came of a rule of the ratchet, in words and as JSON. Knows nothing of how it came about.

use std::collections::BTreeSet;
use std::time::Duration;

use bytekiln_project::StartupRule;
use serde_json::{Value, json};

use super::BUDGET_RUNS;
use crate::commands::importtime::human::tenths;
use crate::report::diagnostic::harmless;
use crate::report::tally::plural;
use crate::report::terminal::Terminal;

/// More chains say less.
const MOST_CHAINS: usize = 10;

/// One step of a chain.
pub(super) struct Step {
    pub(super) module: String,
    /// The statement that imports it, where it is known: file, line and text.
    pub(super) statement: Option<(String, u32, String)>,
    /// It is the package around the one before it.
    pub(super) package: bool,
}

/// A module that may not be loaded, and that no other such module brought.
pub(super) struct New {
    pub(super) module: String,
    /// Others that came with it.
    pub(super) with_it: usize,
    pub(super) chain: Vec<Step>,
}

/// What came of a rule.
pub(super) struct Checked<'a> {
    pub(super) rule: &'a StartupRule,
    /// What is run, as it would be typed.
    pub(super) title: String,
    /// Besides those of the interpreter itself.
    pub(super) loaded: BTreeSet<String>,
    pub(super) new: Vec<New>,
    /// All that are new.
    pub(super) count_new: usize,
    pub(super) unused: Vec<String>,
    pub(super) fastest: Option<Duration>,
    pub(super) failure: Option<String>,
}

impl Checked<'_> {
    /// Says what came of it; whether all is well.
    pub(super) fn say(&self, updated: bool, terminal: &Terminal) -> bool {
        let rule = self.rule;
        let name = &rule.name;
        if let Some(failure) = &self.failure {
            terminal.error(format!("`startup.{name}` ({}): {failure}", rule.place));
            return false;
        }
        let mut well = true;
        if self.count_new > 0 && !updated {
            well = false;
            for new in self.new.iter().take(MOST_CHAINS) {
                say_new(name, &self.title, new, terminal);
            }
            let more = self.new.len().saturating_sub(MOST_CHAINS);
            if more > 0 {
                terminal.error(format!("and {more} more chains; `--format json` has all"));
            }
            terminal.help(format!(
                "`bytekiln importtime --check {name} --update` allows what is loaded now"
            ));
        }
        if !self.unused.is_empty() && !updated {
            let (count, shown) = (self.unused.len(), &self.unused);
            let shown: Vec<&str> = shown.iter().take(5).map(String::as_str).collect();
            let more = if count > shown.len() { ", …" } else { "" };
            terminal.warning(format!(
                "`startup.{name}` allows {count} {} loaded any more: {}{more}",
                plural(count, "module that is not", "modules that are not"),
                harmless(&shown.join(", "))
            ));
            terminal.help("`--update` takes them out, so that they cannot come back unseen");
        }
        let count = self.loaded.len();
        if let Some(most) = rule.max_modules.filter(|most| count > *most) {
            well = false;
            terminal.error(format!(
                "`startup.{name}` ({}) loads {count} modules, and at most {most} are allowed",
                rule.place
            ));
        }
        if let (Some(budget), Some(fastest)) = (rule.budget_milliseconds, self.fastest)
            && fastest > Duration::from_millis(budget)
        {
            well = false;
            terminal.error(format!(
                "`startup.{name}` ({}) takes {} ms in the fastest of {BUDGET_RUNS} runs, and the \
                 budget is {budget} ms",
                rule.place,
                tenths(micros(fastest))
            ));
        }
        if well {
            let time = self.fastest.map_or(String::new(), |fastest| {
                format!(", {} ms in the fastest of {BUDGET_RUNS} runs", tenths(micros(fastest)))
            });
            let modules = plural(count, "module", "modules");
            terminal.status("Finished", format!("`startup.{name}`: {count} {modules}{time}"));
        }
        well
    }

    pub(super) fn json(&self) -> Value {
        let step = |step: &Step| {
            let statement = step.statement.as_ref();
            json!({
                "module": step.module,
                "file": statement.map(|(file, _, _)| file),
                "line": statement.map(|(_, line, _)| line),
                "package": step.package,
            })
        };
        let new = |new: &New| {
            json!({
                "module": new.module,
                "brings": new.with_it,
                "chain": new.chain.iter().map(step).collect::<Vec<_>>(),
            })
        };
        json!({
            "name": self.rule.name,
            "failure": self.failure,
            "modules": self.loaded,
            "new": self.new.iter().map(new).collect::<Vec<_>>(),
            "unused": self.unused,
            "max_modules": self.rule.max_modules,
            "budget": self.rule.budget_milliseconds.map(|budget| budget.saturating_mul(1000)),
            "fastest": self.fastest.map(micros),
        })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn say_new(name: &str, title: &str, new: &New, terminal: &Terminal) {
    let more = match new.with_it {
        0 => String::new(),
        count => format!(", and {count} more with it"),
    };
    let module = harmless(&new.module);
    let mut text = format!("`startup.{name}` loads `{module}`{more}, which is not allowed");
    if new.chain.is_empty() {
        text.push_str("\n  by code that does not go through `import`");
    }
    for (number, step) in new.chain.iter().enumerate() {
        match &step.statement {
            Some((file, line, source)) => {
                text.push_str(&format!("\n    {}:{line}: {}", harmless(file), harmless(source)));
            }
            None if number == 0 => text.push_str(&format!("\n    {title}")),
            None if step.package => text.push_str("\n    its package"),
            None => text.push_str("\n    imports, at a place that is not known"),
        }
        let module = match &*step.module {
            "" => "(an import that never ended)".to_owned(),
            module => harmless(module),
        };
        text.push_str(&format!("\n  {module}"));
    }
    terminal.error(text);
}
