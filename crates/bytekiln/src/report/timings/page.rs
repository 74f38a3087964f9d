//! Puts data into the page's template. Knows nothing of what the data means, but for the sentence that
//! stands where scripts do not run.

use std::io::Write as _;

use super::data::Data;
use crate::report::page;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn page(data: &Data) -> String {
    let mut out = Vec::with_capacity(TEMPLATE.len() + STYLE.len() + SCRIPT.len());
    let filled = page::fill(TEMPLATE, &mut out, |name, out| match name {
        "title" => out.write_all(page::escaped(&data.title).as_bytes()),
        "summary" => out.write_all(page::escaped(&summary(data)).as_bytes()),
        "style" => {
            out.write_all(page::LOOK.as_bytes())?;
            out.write_all(STYLE.as_bytes())
        }
        "script" => out.write_all(SCRIPT.as_bytes()),
        "data" => page::data(data, out),
        _ => Ok(()),
    });
    // Strings and numbers written to memory: this cannot fail.
    debug_assert!(filled.is_ok());
    String::from_utf8_lossy(&out).into_owned()
}

/// `40 compiled, 2 rejected in 1.25 s with 4 workers`.
fn summary(data: &Data) -> String {
    let counts: Vec<String> = data
        .outcomes
        .iter()
        .zip(data.counts)
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    let wall = data.wall.saturating_add(5_000) / 10_000;
    let (seconds, hundredths) = (wall / 100, wall % 100);
    let (jobs, version) = (data.workers_at_most, data.version);
    let workers = if jobs == 1 { "worker" } else { "workers" };
    format!(
        "{counts} in {seconds}.{hundredths:02} s with at most {jobs} {workers}, by Bytekiln {version}"
    )
}
