//! What canonical caches cost those who load them: `marshal.loads` of raw and canonical payloads in
//! the interpreter that made them, turn by turn in one process, and their sizes.

use anyhow::{Context, Result};
use serde_json::Value;

use super::contender::{Workplace, copy_tree};
use super::corpora::RawCaches;
use super::measure;
use crate::shell;

/// Loads all payloads of both folders, by turns file by file, so that what disturbs one side disturbs
/// the other. Prints the sum of the best time of each file, and the median of the turns.
const LOAD: &str = "
import gc, json, marshal, os, statistics, sys, time
def payloads(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith('.pyc'):
                path = os.path.join(folder, name)
                with open(path, 'rb') as file:
                    found[os.path.relpath(path, root)] = file.read()[16:]
    return found
sides = [payloads(root) for root in sys.argv[1:3]]
assert sides[0].keys() == sides[1].keys() and sides[0]
lists = [[side[name] for name in sorted(side)] for side in sides]
clock = time.perf_counter
totals = [[], []]
best = [[1e9] * len(lists[0]) for _ in lists]
gc.disable()
for turn in range(int(sys.argv[3])):
    spent = [0, 0]
    for at in range(len(lists[0])):
        for side in ((0, 1), (1, 0))[(turn + at) % 2]:
            payload = lists[side][at]
            start = clock()
            marshal.loads(payload)
            took = clock() - start
            spent[side] += took
            best[side][at] = min(best[side][at], took)
    for side in 0, 1:
        totals[side].append(spent[side])
print(json.dumps({'best': [sum(b) for b in best], 'median': [statistics.median(t) for t in totals],
                  'bytes': [sum(map(len, side)) for side in lists], 'files': len(lists[0])}))
";

/// Turns of one process for each run.
const TURNS: usize = 5;

/// Measures, and writes the section.
pub(super) fn measure(raw: &RawCaches, workplace: &Workplace, runs: usize) -> Result<String> {
    workplace.remove("loaded")?;
    let canonical = workplace.path("loaded");
    copy_tree(&raw.folder, &canonical)?;
    measure::run(&mut workplace.canonicalise(&canonical), measure::Ends::Well)?;
    let turns = (runs * TURNS).to_string();
    let arguments = [raw.folder.as_path(), canonical.as_path(), turns.as_ref()];
    let printed = shell::read(&mut workplace.script(&raw.python, LOAD, &arguments))?;
    section(&serde_json::from_str(&printed)?)
}

fn section(printed: &Value) -> Result<String> {
    let pair = |key: &str| -> Result<(f64, f64)> {
        let side = |at: usize| printed[key][at].as_f64().with_context(|| format!("no `{key}`"));
        Ok((side(0)?, side(1)?))
    };
    let (best, median, bytes) = (pair("best")?, pair("median")?, pair("bytes")?);
    let ratio = |(raw, canonical): (f64, f64)| canonical / raw;
    let met = |met: bool| if met { "met" } else { "missed" };
    Ok(format!(
        "| | raw | canonical | ratio |\n|---|---|---|---|\n\
         | `marshal.loads`, each file's best | {:.4} s | {:.4} s | {:.3} |\n\
         | `marshal.loads`, median turn | {:.4} s | {:.4} s | {:.3} |\n\
         | payload bytes | {:.0} | {:.0} | {:.4} |\n\n\
         Goal: load time at most 1.02 (each file's best): {}. Size at most 1.00: {}.\n",
        best.0,
        best.1,
        ratio(best),
        median.0,
        median.1,
        ratio(median),
        bytes.0,
        bytes.1,
        ratio(bytes),
        met(ratio(best) <= 1.02),
        met(ratio(bytes) <= 1.0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_decide() {
        let text = |best: f64, bytes: u64| {
            let printed = serde_json::json!({
                "best": [1.0, best], "median": [1.0, 1.5], "bytes": [100, bytes], "files": 1,
            });
            section(&printed).unwrap_or_default()
        };
        assert!(text(1.02, 100).ends_with("(each file's best): met. Size at most 1.00: met.\n"));
        assert!(
            text(1.03, 101).ends_with("(each file's best): missed. Size at most 1.00: missed.\n")
        );
        assert!(section(&Value::Null).is_err());
    }
}
