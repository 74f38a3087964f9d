//! An executor on another machine: uploads what an action reads, has it executed, and fetches what
//! it wrote, each within a bounded time and bounded in size. Once something lasting has gone wrong
//! it executes nothing more, so that a dead or slow server costs its time once. Knows nothing of what
//! the commands do.
//!
//! Actions may be cached by the server, and a cached result is taken (`do_not_cache` and
//! `skip_cache_lookup` are false): an action's digest is over the program, its arguments and its
//! inputs. Callers whose action depends on something of the worker's have to name it in the arguments
//! and to have it proved in an output.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use futures_util::future::{Either, select};
use prost::Message as _;
use tokio::runtime::Runtime;

use crate::attempt::{Found, Trouble};
use crate::backend::Backend;
use crate::connection::ConnectError;
use crate::execution::{Execution, Running};
use crate::execution_protocol::{
    DurationMessage, ExecutableAction, ExecutableCommand, ExecutedResult, PlatformMessage,
    PlatformProperty,
};
use crate::grpc::GrpcCache;
use crate::input_tree::InputTree;
use crate::protocol::DigestMessage;
use crate::store::RemoteOptions;

/// No output is larger…
const LARGEST_OUTPUT: u64 = 64 << 20;
/// …nor are all of one action.
const LARGEST_ANSWER: u64 = 256 << 20;
/// What a command says is read up to here.
const LARGEST_STDERR: u64 = 16 << 10;
/// What a server has to deliver to be of use, beyond the time for one operation…
const BYTES_A_SECOND: u64 = 256 << 10;
/// …which never becomes longer than by so much.
const LONGEST_TRANSFER: Duration = Duration::from_secs(120);
/// How often somebody who waits looks whether the caller has interrupted.
const ATTENTION: Duration = Duration::from_millis(50);

/// The time to tell a server that nobody waits any more.
const CANCELLING: Duration = Duration::from_millis(500);

/// How an executor is reached, and what its workers have to be.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// The server, which is a cache of blobs as well; its time is that of uploads and fetches.
    pub remote: RemoteOptions,
    /// Name and value, as the server's operator defines them.
    pub platform: Vec<(String, String)>,
    /// The time for one action from its place in the queue to its end.
    pub limit: Duration,
}

/// Something to execute.
#[derive(Debug, Clone)]
pub struct RemoteAction {
    /// The program, relative to the root of the inputs, and its arguments.
    pub arguments: Vec<String>,
    /// What it reads.
    pub inputs: InputTree,
    /// Files that it may write, relative to the root.
    pub outputs: Vec<String>,
    /// Those of them that the server should send with its answer, if it can.
    pub inline: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Executed {
    /// Of the command.
    pub exit_code: i32,
    /// What it said, up to some size; read only where it did not end with 0.
    pub stderr: String,
    /// Outputs that were written, checked by digest.
    pub outputs: BTreeMap<String, Blob>,
}

/// An action was not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecuteError {
    /// The server does not do what it should; nothing more is asked of it.
    Trouble(String),
    /// The caller has interrupted.
    Interrupted,
}

impl std::fmt::Display for ExecuteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExecuteError::Trouble(why) => f.write_str(why),
            ExecuteError::Interrupted => f.write_str("it was interrupted"),
        }
    }
}

impl std::error::Error for ExecuteError {}

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExecutorStats {
    /// Requests that were sent, retries included.
    pub requests: u64,
    /// Actions that were executed, or whose result the server knew.
    pub actions: u64,
    /// Bytes of their outputs.
    pub bytes_read: u64,
}

/// See the module. Connects at the first action, not before.
pub struct RemoteExecutor {
    description: String,
    timeout: Duration,
    limit: Duration,
    platform: Option<PlatformMessage>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    grpc: GrpcCache,
    /// Why nothing is executed any more.
    down: OnceLock<String>,
    /// Blobs that the server has from us. Empty until the first upload has ended, which has the large
    /// ones and so goes alone.
    kept: tokio::sync::Mutex<BTreeSet<Digest>>,
    actions: AtomicU64,
    bytes_read: AtomicU64,
}

impl std::fmt::Debug for RemoteExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RemoteExecutor").field(&self.description).finish()
    }
}

impl RemoteExecutor {
    /// Makes the executor. Sends nothing yet.
    ///
    /// # Errors
    /// Where the address is none of gRPC, certificates cannot be read, or threads not be started.
    pub fn new(options: ExecutorOptions) -> Result<RemoteExecutor, ConnectError> {
        let ExecutorOptions { remote, mut platform, limit } = options;
        let RemoteOptions { address, headers, ca_file, timeout } = remote;
        let backend = Backend::new(&address, ca_file.as_deref(), headers.0, timeout)?;
        let Backend::Grpc(grpc) = backend else {
            let error = std::io::Error::other("an executor is reached by grpc:// or grpcs://");
            return Err(ConnectError::Runtime(error));
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bytekiln-executor")
            .enable_all()
            .build()
            .map_err(ConnectError::Runtime)?;
        platform.sort();
        let properties = platform.into_iter();
        let properties: Vec<PlatformProperty> =
            properties.map(|(name, value)| PlatformProperty { name, value }).collect();
        Ok(RemoteExecutor {
            description: format!("remote executor at {address}"),
            timeout,
            limit,
            platform: (!properties.is_empty()).then_some(PlatformMessage { properties }),
            runtime: Some(runtime),
            grpc,
            down: OnceLock::new(),
            kept: tokio::sync::Mutex::default(),
            actions: AtomicU64::new(0),
            bytes_read: AtomicU64::new(0),
        })
    }

    /// Which one this is.
    pub fn describe(&self) -> &str {
        &self.description
    }

    /// What went over the wire so far.
    pub fn stats(&self) -> ExecutorStats {
        ExecutorStats {
            requests: self.grpc.requests.load(Ordering::Relaxed),
            actions: self.actions.load(Ordering::Relaxed),
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
        }
    }

    /// Executes one action. May be called from several threads.
    ///
    /// # Errors
    /// Where the server does not answer in time, says something wrong, or the caller interrupts.
    pub fn execute(
        &self,
        action: &RemoteAction,
        interrupted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Executed, ExecuteError> {
        let (key, inputs) = self.encode(action);
        let bytes = inputs.iter().map(|blob| blob.digest.size).sum();
        // By itself, so that a silent server does not get the time for large inputs.
        self.within(self.timeout, interrupted, self.introduce())?;
        self.within(self.transfer(bytes), interrupted, self.upload(&inputs))?;
        let mut ran = self.run(&key, action, interrupted)?;
        if let Execution::InputsMissing(_) = ran {
            self.within(self.transfer(bytes), interrupted, self.upload_again(&inputs))?;
            ran = self.run(&key, action, interrupted)?;
        }
        let response = match ran {
            Execution::Ended(response) => response,
            Execution::InputsMissing(why) => {
                return Err(self.give_up(format!("it does not keep what it was sent: {why}")));
            }
        };
        let result = response.result.unwrap_or_default();
        let (wanted, bytes) = self.wanted(action, &result)?;
        let fetched = self.within(self.transfer(bytes), interrupted, self.fetch(wanted, &result));
        let (outputs, stderr) = fetched?;
        self.actions.fetch_add(1, Ordering::Relaxed);
        let read = outputs.values().map(|blob| blob.digest.size).sum();
        self.bytes_read.fetch_add(read, Ordering::Relaxed);
        Ok(Executed { exit_code: result.exit_code, stderr, outputs })
    }

    /// The action's digest, and everything that the server has to have for it.
    fn encode(&self, action: &RemoteAction) -> (Digest, Vec<Blob>) {
        let (root, mut blobs) = action.inputs.encode();
        let output_paths: BTreeSet<String> = action.outputs.iter().cloned().collect();
        let command = Blob::of(
            ExecutableCommand {
                arguments: action.arguments.clone(),
                platform: self.platform.clone(),
                output_paths: output_paths.into_iter().collect(),
            }
            .encode_to_vec(),
        );
        let message = ExecutableAction {
            command_digest: Some((&command.digest).into()),
            input_root_digest: Some((&root).into()),
            timeout: Some(DurationMessage {
                seconds: i64::try_from(self.limit.as_secs()).unwrap_or(i64::MAX),
            }),
            do_not_cache: false,
            platform: self.platform.clone(),
        };
        let message = Blob::of(message.encode_to_vec());
        let key = message.digest;
        blobs.extend([command, message]);
        (key, blobs)
    }

    async fn introduce(&self) -> Result<(), Trouble> {
        if !self.grpc.capabilities().await?.executes {
            return Err(Trouble::Lasting("it executes nothing: it is a cache only".to_owned()));
        }
        Ok(())
    }

    async fn upload(&self, inputs: &[Blob]) -> Result<(), Trouble> {
        let mut kept = self.kept.lock().await;
        let is_new = |blob: &&Blob| blob.digest.size > 0 && !kept.contains(&blob.digest);
        let new: Vec<Blob> = inputs.iter().filter(is_new).cloned().collect();
        if kept.is_empty() {
            self.send(&new).await?;
        } else {
            drop(kept);
            self.send(&new).await?;
            kept = self.kept.lock().await;
        }
        kept.extend(new.iter().map(|blob| blob.digest));
        Ok(())
    }

    /// The time for large inputs is given only where they have to be sent, so that a server that
    /// falls silent does not get it.
    async fn send(&self, blobs: &[Blob]) -> Result<(), Trouble> {
        let (unknown, refused) = in_time(self.timeout, self.grpc.unknown(blobs)).await?;
        if let Some(refused) = refused.first() {
            let size = refused.size;
            return Err(Trouble::Lasting(format!("it takes no blob of {size} bytes")));
        }
        let bytes = unknown.iter().map(|blob| blob.digest.size).sum();
        in_time(self.transfer(bytes), self.grpc.send(&unknown)).await
    }

    /// The server has forgotten something: nothing is taken for granted.
    async fn upload_again(&self, inputs: &[Blob]) -> Result<(), Trouble> {
        self.kept.lock().await.clear();
        self.upload(inputs).await
    }

    /// What nobody waits for any more is cancelled.
    fn run(
        &self,
        key: &Digest,
        action: &RemoteAction,
        interrupted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Execution, ExecuteError> {
        let running = Running::default();
        let execution = self.grpc.execute(key, &action.inline, &running);
        let ran = self.within(self.limit, interrupted, execution);
        if let (Err(_), Some(runtime), Some(name)) = (&ran, &self.runtime, running.left()) {
            // A server that has no time for this either goes without.
            let _ = runtime
                .block_on(async { tokio::time::timeout(CANCELLING, self.grpc.cancel(name)).await });
        }
        ran
    }

    /// Digests of the outputs, by path, and what is to be fetched in bytes.
    fn wanted(
        &self,
        action: &RemoteAction,
        result: &ExecutedResult,
    ) -> Result<(BTreeMap<String, Digest>, u64), ExecuteError> {
        let asked: BTreeSet<&String> = action.outputs.iter().collect();
        let (mut wanted, mut bytes) = (BTreeMap::new(), 0_u64);
        for file in result.output_files.iter().filter(|file| asked.contains(&file.path)) {
            let Some(digest) = file.digest.as_ref().and_then(DigestMessage::to_digest) else {
                return Err(self.give_up(format!("its output `{}` has no digest", file.path)));
            };
            bytes = bytes.saturating_add(digest.size);
            if digest.size > LARGEST_OUTPUT || bytes > LARGEST_ANSWER {
                return Err(self.give_up(format!("its output `{}` is too large", file.path)));
            }
            wanted.insert(file.path.clone(), digest);
        }
        Ok((wanted, bytes))
    }

    /// Outputs with their bytes, and what the command said if it failed.
    async fn fetch(
        &self,
        wanted: BTreeMap<String, Digest>,
        result: &ExecutedResult,
    ) -> Result<(BTreeMap<String, Blob>, String), Trouble> {
        let mut known: BTreeMap<Digest, Blob> = BTreeMap::new();
        known.insert(Digest::of(b""), Blob::of(&b""[..]));
        let raw = result.output_files.iter().map(|file| &file.contents);
        for contents in raw.filter(|contents| !contents.is_empty()) {
            let blob = Blob::of(contents.clone());
            known.insert(blob.digest, blob);
        }
        let mut missing: BTreeSet<Digest> =
            wanted.values().filter(|digest| !known.contains_key(*digest)).copied().collect();
        let said = (result.exit_code != 0).then_some(result.stderr_digest.as_ref()).flatten();
        let said = said.filter(|_| result.stderr_raw.is_empty());
        let said = said.and_then(DigestMessage::to_digest);
        let said = said.filter(|digest| digest.size <= LARGEST_STDERR);
        missing.extend(said.filter(|digest| !known.contains_key(digest)));
        let missing: Vec<Digest> = missing.into_iter().collect();
        let found = match missing.is_empty() {
            true => Vec::new(),
            false => self.grpc.read(&missing).await?,
        };
        for (digest, found) in missing.iter().zip(found) {
            if let Found::Bytes(bytes) = found {
                let blob = Blob::of(bytes);
                if blob.digest != *digest {
                    let message = format!("it gave a wrong blob `{digest}`: its bytes have digest");
                    return Err(Trouble::Lasting(format!("{message} `{}`", blob.digest)));
                }
                known.insert(*digest, blob);
            }
        }
        let mut outputs = BTreeMap::new();
        for (path, digest) in wanted {
            match known.get(&digest) {
                Some(blob) => outputs.insert(path, blob.clone()),
                None => return Err(Trouble::Lasting(format!("it has lost its output `{path}`"))),
            };
        }
        let stderr = match said.and_then(|digest| known.get(&digest)) {
            Some(blob) => blob.bytes.to_vec(),
            None => result.stderr_raw.clone(),
        };
        let shown = stderr.get(..stderr.len().min(LARGEST_STDERR as usize)).unwrap_or_default();
        Ok((outputs, String::from_utf8_lossy(shown).into_owned()))
    }

    /// The time for so many bytes.
    fn transfer(&self, bytes: u64) -> Duration {
        self.timeout + Duration::from_secs(bytes / BYTES_A_SECOND).min(LONGEST_TRANSFER)
    }

    fn within<T>(
        &self,
        limit: Duration,
        interrupted: &(dyn Fn() -> bool + Sync),
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, ExecuteError> {
        if let Some(why) = self.down.get() {
            return Err(ExecuteError::Trouble(why.clone()));
        }
        let Some(runtime) = &self.runtime else {
            return Err(ExecuteError::Trouble("it is closed".to_owned()));
        };
        let watch = async {
            // Also when another thread has found out that nothing is to be had here.
            while !interrupted() && self.down.get().is_none() {
                tokio::time::sleep(ATTENTION).await;
            }
        };
        let ended = runtime.block_on(async {
            let (work, watch) = (pin!(in_time(limit, work)), pin!(watch));
            match select(work, watch).await {
                Either::Left((ended, _)) => Some(ended),
                Either::Right(((), _)) => None,
            }
        });
        match ended {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(Trouble::Lasting(why) | Trouble::Exhausted(why) | Trouble::Passing(why))) => {
                Err(self.give_up(why))
            }
            None => Err(match self.down.get() {
                Some(why) => ExecuteError::Trouble(why.clone()),
                None => ExecuteError::Interrupted,
            }),
        }
    }

    fn give_up(&self, why: String) -> ExecuteError {
        let why = self.down.get_or_init(|| why);
        ExecuteError::Trouble(why.clone())
    }
}

/// What takes longer is lasting trouble.
async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Trouble::Lasting(format!("no answer within {} s", limit.as_secs_f32())))
    })
}

/// Closes connections without waiting for them.
impl Drop for RemoteExecutor {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
