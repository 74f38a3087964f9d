//! Many results under one key, so that who asks for twenty thousand actions sends a hundred requests:
//! where a list of actions is cut, and the results of a piece as bytes. Single results stay the truth;
//! a bundle that is missing, old or broken costs one request. Pure; knows no transport.
//!
//! A cut depends on the actions next to it and on nothing else, so that two trees which differ in
//! one folder have all other bundles in common.
//!
//! Version 1, integers little-endian:
//!
//! ```text
//! u8  version = 1
//! u32 number of results, then for each, in the order of the actions that were asked for:
//!     32 bytes action digest, u32 length, the result (`crates/cache/src/encoding.rs`)
//! ```

use std::collections::BTreeMap;
use std::ops::Range;

use bytekiln_action::{ActionDigest, ActionResult};
use bytekiln_cache::{decode_result, encode_result};

const VERSION: u8 = 1;
/// Fewer actions are asked for one by one.
const FEWEST: usize = 64;
const MOST: usize = 1024;
/// One that is larger is not kept: its diagnostics are no small change any more.
const LARGEST: usize = 1 << 20;

/// Cuts actions into pieces that are worth a bundle. What lies outside of all is asked for alone.
pub(crate) fn cut(actions: &[ActionDigest]) -> Vec<Range<usize>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for (index, action) in actions.iter().enumerate() {
        let length = index + 1 - start;
        // One action in 256 ends a piece, wherever it stands.
        let ends = action.0.first() == Some(&0) && length >= FEWEST;
        if ends || length == MOST || index + 1 == actions.len() {
            if length >= FEWEST {
                pieces.push(start..index + 1);
            }
            start = index + 1;
        }
    }
    pieces
}

/// What is known of the actions of one piece.
#[derive(Debug)]
pub(crate) struct Bundle {
    actions: Vec<ActionDigest>,
    results: BTreeMap<ActionDigest, ActionResult>,
    /// The server has it otherwise, or not at all.
    changed: bool,
}

impl Bundle {
    /// Of these actions, with what a server has kept of them.
    pub(crate) fn new(actions: &[ActionDigest], kept: Option<&[u8]>) -> Bundle {
        let results = kept.and_then(|bytes| decode(bytes, actions)).unwrap_or_default();
        Bundle { actions: actions.to_vec(), results, changed: false }
    }

    pub(crate) fn actions(&self) -> &[ActionDigest] {
        &self.actions
    }

    /// Whether it has been learned from since it came, and no server has that yet.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    pub(crate) fn result(&self, action: &ActionDigest) -> Option<&ActionResult> {
        self.results.get(action)
    }

    /// Learns a result that the server has under the action's own key.
    pub(crate) fn learn(&mut self, action: ActionDigest, result: &ActionResult) {
        if self.results.get(&action) != Some(result) {
            self.results.insert(action, result.clone());
            self.changed = true;
        }
    }

    /// What a server is to keep; `None` if it has it, or if that is not worth it.
    pub(crate) fn to_keep(&self) -> Option<Vec<u8>> {
        if !self.changed || self.results.len() * 2 < self.actions.len() {
            return None;
        }
        let known = self.actions.iter().filter_map(|action| Some((action, self.result(action)?)));
        let bytes = encode(&known.collect::<Vec<_>>());
        (bytes.len() <= LARGEST).then_some(bytes)
    }
}

fn encode(results: &[(&ActionDigest, &ActionResult)]) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&length(results.len()));
    for (action, result) in results {
        let result = encode_result(result);
        out.extend_from_slice(&action.0);
        out.extend_from_slice(&length(result.len()));
        out.extend_from_slice(&result);
    }
    out
}

/// What does not fit comes out as a number that `decode` refuses.
fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// Reads what [`encode`] gave for some of these actions; `None` for anything else, also if it names
/// an action that was not asked for, or one twice.
fn decode(bytes: &[u8], asked: &[ActionDigest]) -> Option<BTreeMap<ActionDigest, ActionResult>> {
    if bytes.len() > LARGEST {
        return None;
    }
    let (version, rest) = bytes.split_first_chunk::<1>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    if *version != [VERSION] {
        return None;
    }
    let (mut results, mut asked) = (BTreeMap::new(), asked.iter());
    for _ in 0..u32::from_le_bytes(*count) {
        let (action, after) = rest.split_first_chunk::<32>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (result, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let action = ActionDigest(*action);
        asked.find(|one| **one == action)?;
        results.insert(action, decode_result(result)?);
        rest = after;
    }
    rest.is_empty().then_some(results)
}

#[cfg(test)]
mod tests;
