//! A measurement for other tools: profiles for speedscope, trace events for Perfetto and Chrome. Both show
//! medians, laid out as if imports followed each other without a gap.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::document::Document;

/// From where to where an import goes, in microseconds; none where a variant does not have it.
type Span = Option<(u64, u64)>;

/// Medians of parts need not add up to that of the whole: an importer is at least as wide as what it imports.
fn layout(document: &Document, variant: usize) -> Vec<Span> {
    let count = document.imports.len();
    let mut widths = vec![0_u64; count];
    let mut inside = vec![0_u64; count];
    for (at, import) in document.imports.iter().enumerate().rev() {
        let median = import.times.get(variant).copied().flatten();
        let median = median.map_or(0, |times| times.cumulative.median);
        let width = median.max(inside.get(at).copied().unwrap_or(0));
        if let Some(place) = widths.get_mut(at) {
            *place = width;
        }
        if let Some(sum) = import.parent.and_then(|parent| inside.get_mut(parent)) {
            *sum = sum.saturating_add(width);
        }
    }
    // The place of the next child of each, and of the next root.
    let mut next = vec![0_u64; count];
    let mut end = 0_u64;
    let mut spans = Vec::with_capacity(count);
    for (at, import) in document.imports.iter().enumerate() {
        let width = widths.get(at).copied().unwrap_or(0);
        let cursor = match import.parent.and_then(|parent| next.get_mut(parent)) {
            Some(cursor) => cursor,
            None => &mut end,
        };
        let start = *cursor;
        *cursor = cursor.saturating_add(width);
        if let Some(place) = next.get_mut(at) {
            *place = start;
        }
        let there = import.times.get(variant).is_some_and(Option::is_some) || width > 0;
        spans.push(there.then(|| (start, start.saturating_add(width))));
    }
    spans
}

fn name(document: &Document, at: usize) -> &str {
    let import = document.imports.get(at);
    import.and_then(|import| import.name.as_deref()).unwrap_or("(never ended)")
}

/// <https://www.speedscope.app/file-format-schema.json>: one profile a variant.
pub(super) fn speedscope(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let frame = |(at, import): (usize, &super::document::ImportInfo)| {
        let mut frame = json!({"name": name(document, at)});
        if let Some(file) = &import.file {
            frame["file"] = file.as_str().into();
        }
        frame
    };
    let frames: Vec<Value> = document.imports.iter().enumerate().map(frame).collect();
    let profiles: Vec<Value> = document
        .variants
        .iter()
        .enumerate()
        .map(|(at, variant)| {
            let (events, end) = events(document, &layout(document, at));
            json!({
                "type": "evented", "name": variant.title, "unit": "microseconds",
                "startValue": 0, "endValue": end, "events": events,
            })
        })
        .collect();
    let value = json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": format!("bytekiln {}", document.version),
        "name": document.program.title,
        "activeProfileIndex": document.pair().1.unwrap_or(0),
        "shared": {"frames": frames},
        "profiles": profiles,
    });
    serde_json::to_writer(&mut *out, &value)?;
    out.write_all(b"\n")
}

/// Opening and closing, properly nested, and the end of all.
fn events(document: &Document, spans: &[Span]) -> (Vec<Value>, u64) {
    let mut events = Vec::new();
    let mut open: Vec<(usize, u64)> = Vec::new();
    let mut last = 0;
    for (at, span) in spans.iter().enumerate() {
        let Some((start, end)) = *span else { continue };
        let depth = document.imports.get(at).map_or(0, |import| import.depth);
        let is_done = |(other, _): &(usize, u64)| {
            document.imports.get(*other).is_none_or(|import| import.depth >= depth)
        };
        while let Some((other, end)) = open.pop_if(|one| is_done(one)) {
            events.push(json!({"type": "C", "frame": other, "at": end}));
        }
        events.push(json!({"type": "O", "frame": at, "at": start}));
        open.push((at, end));
        last = last.max(end);
    }
    while let Some((other, end)) = open.pop() {
        events.push(json!({"type": "C", "frame": other, "at": end}));
    }
    (events, last)
}

/// The Trace Event Format: one thread a variant.
pub(super) fn chrome(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let mut events = vec![json!({
        "name": "process_name", "ph": "M", "pid": 1, "tid": 0,
        "args": {"name": document.program.title},
    })];
    for (number, variant) in document.variants.iter().enumerate() {
        let thread = number.saturating_add(1);
        events.push(json!({
            "name": "thread_name", "ph": "M", "pid": 1, "tid": thread,
            "args": {"name": variant.title},
        }));
        for (at, span) in layout(document, number).into_iter().enumerate() {
            let (Some((start, end)), Some(import)) = (span, document.imports.get(at)) else {
                continue;
            };
            let times = import.times.get(number).copied().flatten();
            events.push(json!({
                "name": name(document, at), "cat": import.phase, "ph": "X", "pid": 1, "tid": thread,
                "ts": start, "dur": end.saturating_sub(start),
                "args": {
                    "self_us": times.map(|times| times.own.median),
                    "origin": import.origins.get(number),
                    "file": import.file,
                },
            }));
        }
    }
    serde_json::to_writer(&mut *out, &json!({"traceEvents": events, "displayTimeUnit": "ms"}))?;
    out.write_all(b"\n")
}
