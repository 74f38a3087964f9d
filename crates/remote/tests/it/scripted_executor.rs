//! A scripted gRPC server that keeps blobs as it should, so that a test says only what its executions
//! do; and the messages of executions. Has its own field numbers, so that a wrong one here or there
//! is seen. Executes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use bytekiln_remote::{ExecutorOptions, InputKind, InputTree, RemoteAction, RemoteExecutor};

use crate::scripted_grpc::{Answer, ScriptedGrpc, field, number};
use crate::stores::options;

/// Blobs by the hexadecimal form of their digest.
type Kept = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The server.
pub(crate) struct ScriptedExecutor {
    pub(crate) server: ScriptedGrpc,
    kept: Kept,
}

impl ScriptedExecutor {
    /// `script` gets the method and how often it was called before; what it leaves is answered as a
    /// server should that has these outputs.
    pub(crate) fn start(
        outputs: &[&[u8]],
        script: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> ScriptedExecutor {
        let kept = outputs.iter().map(|bytes| (Digest::of(bytes).to_hex(), bytes.to_vec()));
        let kept: Kept = Arc::new(Mutex::new(kept.collect()));
        let blobs = Arc::clone(&kept);
        let server = ScriptedGrpc::start(move |method, request, before| {
            script(method, before).unwrap_or_else(|| serve(method, request, &blobs))
        });
        ScriptedExecutor { server, kept }
    }

    /// A client with so much patience, and as much again for executions.
    pub(crate) fn client(&self, patience: Duration, platform: &[(&str, &str)]) -> RemoteExecutor {
        let mut remote = options(&self.server.address);
        remote.timeout = patience;
        let platform = platform.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let limit = 2 * patience;
        RemoteExecutor::new(ExecutorOptions { remote, platform: platform.collect(), limit })
            .unwrap()
    }

    /// What was uploaded or is an output.
    pub(crate) fn kept(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap().values().cloned().collect()
    }

    /// What is under the digest in a message.
    pub(crate) fn blob(&self, digest: &[u8]) -> Vec<u8> {
        self.kept.lock().unwrap()[&hash(digest)].clone()
    }
}

fn serve(method: &str, request: &[u8], kept: &Kept) -> Answer {
    let mut kept = kept.lock().unwrap();
    let parts = fields(request).unwrap();
    let parts = parts.iter().filter(|(field, _)| *field == 2).map(|(_, bytes)| bytes.as_slice());
    let answers: Vec<Vec<u8>> = match method {
        "GetCapabilities" => {
            let cache = field(1, &number(1, 1));
            vec![cache, field(2, &[number(1, 1), number(2, 1)].concat())]
        }
        "FindMissingBlobs" => parts
            .filter(|digest| !kept.contains_key(&hash(digest)))
            .map(|digest| field(2, digest))
            .collect(),
        "BatchUpdateBlobs" => {
            for part in parts {
                let digest = part_of(part, 1);
                kept.insert(hash(&digest), part_of(part, 2));
            }
            Vec::new()
        }
        "BatchReadBlobs" => {
            let found = parts.filter_map(|digest| Some((digest, kept.get(&hash(digest))?)));
            found.map(|(of, bytes)| field(1, &[field(1, of), field(2, bytes)].concat())).collect()
        }
        _ => return Answer::status(12),
    };
    Answer::message(answers.concat())
}

/// The hash of a `Digest`.
fn hash(digest: &[u8]) -> String {
    String::from_utf8(part_of(digest, 1)).unwrap()
}

/// The first field of this number that has bytes; empty if there is none.
pub(crate) fn part_of(message: &[u8], wanted: u64) -> Vec<u8> {
    let fields = fields(message).unwrap();
    fields.into_iter().find(|(field, _)| *field == wanted).unwrap_or_default().1
}

/// Fields with bytes, in their order; `None` if this is no message.
pub(crate) fn fields(mut message: &[u8]) -> Option<Vec<(u64, Vec<u8>)>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let (tag, value) = (varint(&mut message)?, varint(&mut message)?);
        match tag & 7 {
            0 => {}
            2 => {
                let (bytes, rest) = message.split_at_checked(usize::try_from(value).ok()?)?;
                found.push((tag >> 3, bytes.to_vec()));
                message = rest;
            }
            _ => return None,
        }
    }
    Some(found)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// `./program`, which reads `input` and writes `out`.
pub(crate) fn action() -> RemoteAction {
    let mut inputs = InputTree::default();
    inputs.add_file("program", Blob::of(&b"a program"[..]), InputKind::Executable);
    inputs.add_file("folder/input", Blob::of(&b"an input"[..]), InputKind::Data);
    RemoteAction {
        arguments: vec!["./program".to_owned()],
        inputs,
        outputs: vec!["out".to_owned()],
        inline: Vec::new(),
    }
}

/// An `OutputFile` without its bytes.
pub(crate) fn output(path: &str, of: &Digest) -> Vec<u8> {
    let digest = [field(1, of.to_hex().as_bytes()), number(2, of.size)].concat();
    field(2, &[field(1, path.as_bytes()), field(2, &digest)].concat())
}

/// An `ExecuteResponse` with this `ActionResult`.
pub(crate) fn response(result: &[Vec<u8>]) -> Vec<u8> {
    field(1, &result.concat())
}

/// An `ExecuteResponse` with this status.
pub(crate) fn failed(code: u32) -> Vec<u8> {
    field(3, &[number(1, code.into()), field(2, b"so it is")].concat())
}

/// An `Operation` that goes on.
pub(crate) fn going_on() -> Vec<u8> {
    field(1, b"operations/1")
}

/// An `Operation` that has ended with a message of this type.
pub(crate) fn done_as(kind: &str, response: &[u8]) -> Vec<u8> {
    let kind = format!("type.googleapis.com/build.bazel.remote.execution.v2.{kind}");
    let any = [field(1, kind.as_bytes()), field(2, response)].concat();
    [going_on(), number(3, 1), field(5, &any)].concat()
}

/// An `Operation` that has ended.
pub(crate) fn done(response: &[u8]) -> Vec<u8> {
    done_as("ExecuteResponse", response)
}
