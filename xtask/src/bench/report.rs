//! Results as Markdown: ratios first, absolute figures beside them, command lines below.

use std::fmt;
use std::time::Duration;

use super::measure::median;
use super::scenario::{Goal, Measured};

/// The document, section by section.
pub(crate) struct Report {
    machine: String,
    sections: Vec<(String, Goal, Vec<Measured>)>,
    texts: Vec<(String, String)>,
}

impl Report {
    pub(crate) fn new(machine: String) -> Self {
        Self { machine, sections: Vec::new(), texts: Vec::new() }
    }

    pub(crate) fn add(&mut self, title: &str, goal: Goal, results: Vec<Measured>) {
        self.sections.push((title.to_owned(), goal, results));
    }

    /// A section that is written already.
    pub(crate) fn add_text(&mut self, title: &str, text: String) {
        self.texts.push((title.to_owned(), text));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.machine)?;
        for (title, goal, results) in &self.sections {
            writeln!(formatter, "## {title}\n")?;
            write_section(formatter, *goal, results)?;
        }
        for (title, text) in &self.texts {
            writeln!(formatter, "## {title}\n\n{text}")?;
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
    if let Goal::Peak(allowed) = goal {
        let peak = megabytes(own.peak);
        let verdict = if own.peak > 0 && peak < f64::from(allowed) { "met" } else { "missed" };
        writeln!(formatter, "Goal: less than {allowed} MB. Peak: {peak:.1} MB: {verdict}.\n")?;
        for result in results {
            let peak = megabytes(result.peak);
            writeln!(formatter, "- {}, {peak:.1} MB: `{}`", result.name, result.shown)?;
        }
        return writeln!(formatter);
    }
    writeln!(formatter, "| | median | fastest to slowest | bytekiln takes |")?;
    writeln!(formatter, "|---|---|---|---|")?;
    for result in results {
        let times = || result.times.iter().map(Duration::as_secs_f64);
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
    if let Goal::Rewriting { times, files, bytes } = goal {
        let own = Duration::from_secs_f64(own_median.max(1e-9));
        let other = others.last().map_or(Duration::ZERO, |other| median(&other.times));
        writeln!(formatter, "\n{}", rewriting(own, other, times, (files, bytes)))?;
        for result in results {
            writeln!(formatter, "- {}: `{}`", result.name, result.shown)?;
        }
        return writeln!(formatter);
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
        Goal::TimesFasterThanSecond(times) => {
            let second = others.first().map_or(0.0, |other| median(&other.times).as_secs_f64());
            let reached = second / own_median;
            (format!("{times:.0} times faster"), format!("{reached:.1} times"), reached >= times)
        }
        Goal::Memory(_) | Goal::Peak(_) | Goal::Rewriting { .. } => return Ok(()),
    };
    let verdict = if met { "met" } else { "missed" };
    let against = match (goal, others.first()) {
        (Goal::TimesFasterThanSecond(_), Some(second)) => second.name,
        _ => "the faster other",
    };
    writeln!(formatter, "\nGoal, against {against}: {wanted}. Reached: {reached}: {verdict}.\n")?;
    for result in results {
        writeln!(formatter, "- {}: `{}`", result.name, result.shown)?;
    }
    writeln!(formatter)
}

/// How many times faster the first contender is than the last, and its rates.
fn rewriting(own: Duration, other: Duration, times: f64, (files, bytes): (usize, u64)) -> String {
    let seconds = own.as_secs_f64();
    let faster = other.as_secs_f64() / seconds;
    let count = f64::from(u32::try_from(files).unwrap_or(u32::MAX));
    let kilobytes = f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX));
    let (rate, megabytes) = (count / seconds, kilobytes / 1000.0 / seconds);
    let met = faster >= times && megabytes >= 60.0 && rate >= 4000.0;
    let verdict = if met { "met" } else { "missed" };
    format!(
        "Goal: 60 MB/s, 4000 files/s, {times:.0} times faster than the last. \
         Reached: {megabytes:.0} MB/s, {rate:.0} files/s, {faster:.1} times: {verdict}.\n"
    )
}

fn megabytes(bytes: u64) -> f64 {
    let kilobytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kilobytes) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_decide() {
        let second = Duration::from_secs(1);
        for (own, other, expect) in [
            (second, 15 * second, "60 MB/s, 4000 files/s, 15.0 times: met."),
            (second, 14 * second, "60 MB/s, 4000 files/s, 14.0 times: missed."),
            (2 * second, 40 * second, "30 MB/s, 2000 files/s, 20.0 times: missed."),
        ] {
            let text = rewriting(own, other, 15.0, (4000, 60_000_000));
            assert!(text.trim_end().ends_with(expect), "{text}");
        }
    }
}
