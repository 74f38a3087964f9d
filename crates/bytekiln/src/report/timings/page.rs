//! Puts data into the page's template, so that no name in the data can become markup or code.
//! Knows nothing of what the data means, but for the sentence that stands where scripts do not run.

use std::fmt::Write as _;

use super::data::Data;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn page(data: &Data) -> String {
    let json = embedded(data);
    let (title, summary) = (escaped(&data.title), escaped(&summary(data)));
    // Cut once, so that what is put in is not searched for places to put things in.
    let mut out = String::with_capacity(json.len() + TEMPLATE.len() + STYLE.len() + SCRIPT.len());
    for (number, part) in TEMPLATE.split("{{").enumerate() {
        let (name, text) = match part.split_once("}}") {
            Some((name, text)) if number > 0 => (name, text),
            Some(_) | None => ("", part),
        };
        out.push_str(match name {
            "title" => &title,
            "summary" => &summary,
            "style" => STYLE,
            "script" => SCRIPT,
            "data" => &json,
            _ => "",
        });
        out.push_str(text);
    }
    out
}

/// JSON that may stand in a `script` element: in JSON these characters occur in strings only, so
/// each can be an escape of its string.
fn embedded(data: &Data) -> String {
    // Strings and numbers only: this serializes always.
    let json = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if character.is_control() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
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
