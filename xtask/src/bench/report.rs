//! Results as Markdown: ratios first, absolute figures beside them, command lines below.

use std::fmt;

use super::measure::median;
use super::scenario::{Goal, Measured};

/// The document, section by section.
pub(crate) struct Report {
    machine: String,
    sections: Vec<(String, Goal, Vec<Measured>)>,
}

impl Report {
    pub(crate) fn new(machine: String) -> Self {
        Self { machine, sections: Vec::new() }
    }

    pub(crate) fn add(&mut self, title: &str, goal: Goal, results: Vec<Measured>) {
        self.sections.push((title.to_owned(), goal, results));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.machine)?;
        for (title, goal, results) in &self.sections {
            writeln!(formatter, "## {title}\n")?;
            write_section(formatter, *goal, results)?;
        }
        Ok(())
    }
}

fn write_section(
    formatter: &mut fmt::Formatter<'_>,
    goal: Goal,
    results: &[Measured],
) -> fmt::Result {
    let Some((own, others)) = results.split_first() else { return Ok(()) };
    let own_median = median(&own.times).as_secs_f64();
    if let Goal::Memory(sources) = goal {
        let peak = megabytes(own.peak);
        let allowed = 100.0 + megabytes(u64::try_from(sources).unwrap_or(u64::MAX) * 1024);
        let verdict = if own.peak > 0 && peak <= allowed { "met" } else { "missed" };
        writeln!(formatter, "Goal: at most {allowed:.0} MB. Peak: {peak:.1} MB: {verdict}.\n")?;
        return writeln!(formatter, "- `{}`\n", own.shown);
    }
    writeln!(formatter, "| | median | fastest to slowest | bytekiln takes |")?;
    writeln!(formatter, "|---|---|---|---|")?;
    for result in results {
        let times = || result.times.iter().map(std::time::Duration::as_secs_f64);
        let fastest = times().fold(f64::INFINITY, f64::min);
        let slowest = times().fold(0.0, f64::max);
        let middle = median(&result.times).as_secs_f64();
        writeln!(
            formatter,
            "| {} | {middle:.3} s | {fastest:.3} to {slowest:.3} s | {:.3} of it |",
            result.name,
            own_median / middle
        )?;
    }
    let best = others.iter().map(|other| median(&other.times).as_secs_f64());
    let best = best.fold(f64::INFINITY, f64::min);
    let (wanted, reached, met) = match goal {
        Goal::TimesFaster(times) => {
            let reached = best / own_median;
            (format!("{times:.0} times faster"), format!("{reached:.1} times"), reached >= times)
        }
        Goal::AtMost(share) => {
            let reached = own_median / best;
            (format!("at most {share:.2} of it"), format!("{reached:.3}"), reached <= share)
        }
        Goal::Memory(_) => return Ok(()),
    };
    let verdict = if met { "met" } else { "missed" };
    writeln!(
        formatter,
        "\nGoal, against the faster other: {wanted}. Reached: {reached}: {verdict}.\n"
    )?;
    for result in results {
        writeln!(formatter, "- {}: `{}`", result.name, result.shown)?;
    }
    writeln!(formatter)
}

fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1024.0
}
