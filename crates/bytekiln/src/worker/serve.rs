//! The loop: a thread reads requests, others answer them, cancellations find those that are under way.
//! Ends when the input ends, or when this worker is not who a request expects.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytekiln_executor::InterpreterPool;

use super::protocol::{Protocol, WorkRequest, WorkResponse, read_frame};
use super::request::{Answer, Workshop};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;

/// Requests that wait at once; then reading waits. Bazel sends eight.
const MOST_WAITING: usize = 256;

/// How to serve.
pub(crate) struct WorkerOptions {
    pub(crate) protocol: Protocol,
    /// Requests at once.
    pub(crate) jobs: NonZeroUsize,
    /// The folder that paths of requests are relative to.
    pub(crate) folder: PathBuf,
    /// The cache of requests that name none.
    pub(crate) cache_dir: Option<PathBuf>,
}

/// What threads share.
struct Shared {
    protocol: Protocol,
    workshop: Workshop,
    output: Mutex<Box<dyn Write + Send>>,
    under_way: Mutex<UnderWay>,
}

/// Requests that were read and not answered.
#[derive(Default)]
struct UnderWay {
    /// By number; of two of one number, the later one.
    cancels: BTreeMap<i32, Arc<AtomicBool>>,
    /// Taken by a thread.
    at_work: usize,
    /// Nothing new is begun.
    refused: bool,
}

struct Item {
    request: WorkRequest,
    cancel: Arc<AtomicBool>,
}

/// Why serving ends.
enum End {
    /// All that was asked is answered.
    InputEnded,
    /// This is not the worker that was expected; that was answered.
    Refused,
    /// What was read is no request, or nobody takes responses.
    Broken(String),
}

/// Answers requests until there are no more.
///
/// # Errors
/// What came in was none.
pub(crate) fn serve(
    options: WorkerOptions,
    pool: InterpreterPool,
    input: Box<dyn BufRead + Send>,
    output: Box<dyn Write + Send>,
) -> Result<ExitStatus, CommandFailure> {
    let shared = Arc::new(Shared {
        protocol: options.protocol,
        workshop: Workshop {
            folder: options.folder,
            pool,
            interpreters: Default::default(),
            cache_dir: options.cache_dir,
            stores: Mutex::default(),
            is_sha256: AtomicBool::new(false),
        },
        output: Mutex::new(output),
        under_way: Mutex::default(),
    });
    let (items, waiting) = sync_channel(MOST_WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    let (end, ends) = channel();
    for _ in 0..options.jobs.get() {
        let (shared, waiting, end) = (Arc::clone(&shared), Arc::clone(&waiting), end.clone());
        std::thread::spawn(move || work(&shared, &waiting, &end));
    }
    let reader = Arc::clone(&shared);
    std::thread::spawn(move || read(&reader, input, &items, &end));
    // Threads that still read or work when the first refusal arrives end with the process.
    let mut broken = None;
    for end in ends {
        match end {
            End::InputEnded => {}
            End::Refused => return Ok(ExitStatus::Environment),
            End::Broken(message) => broken = Some(message),
        }
    }
    match broken {
        None => Ok(ExitStatus::Success),
        Some(message) => Err(CommandFailure::usage(message)
            .hint("is --protocol the one that the build tool speaks?")),
    }
}

fn read(
    shared: &Shared,
    mut input: Box<dyn BufRead + Send>,
    items: &SyncSender<Item>,
    ends: &Sender<End>,
) {
    let end = loop {
        let frame = match read_frame(&mut *input, shared.protocol) {
            Ok(Some(frame)) => frame,
            Ok(None) => break End::InputEnded,
            Err(error) => break End::Broken(error.to_string()),
        };
        let request = match shared.protocol.parse(&frame) {
            Ok(request) => request,
            Err(malformed) => {
                let Some(request_id) = malformed.request_id else {
                    break End::Broken(malformed.message);
                };
                let response = WorkResponse {
                    exit_code: ExitStatus::Usage.code().into(),
                    output: format!("error: {}\n", malformed.message),
                    request_id,
                    was_cancelled: false,
                };
                if let Err(error) = shared.respond(&response) {
                    break End::Broken(error);
                }
                continue;
            }
        };
        if request.cancel {
            // One that is not under way has been answered already, or never was.
            if let Some(cancel) = shared.lock().cancels.get(&request.request_id) {
                cancel.store(true, Ordering::Relaxed);
            }
            continue;
        }
        let cancel = Arc::new(AtomicBool::new(false));
        shared.lock().cancels.insert(request.request_id, Arc::clone(&cancel));
        if items.send(Item { request, cancel }).is_err() {
            break End::InputEnded; // nobody works any more, and has said why
        }
    };
    // A main thread that has gone does not listen.
    let _ = ends.send(end);
}

fn work(shared: &Shared, waiting: &Mutex<Receiver<Item>>, ends: &Sender<End>) {
    loop {
        let received = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Item { request, cancel }) = received else { return };
        {
            let mut under_way = shared.lock();
            if under_way.refused {
                return;
            }
            under_way.at_work += 1;
        }
        let answered = catch_unwind(AssertUnwindSafe(|| shared.workshop.answer(&request, &cancel)));
        let answer = answered.unwrap_or_else(|_| Answer {
            response: WorkResponse {
                exit_code: ExitStatus::Internal.code().into(),
                output: "error: a fault of bytekiln itself; please report it\n".to_owned(),
                request_id: request.request_id,
                was_cancelled: false,
            },
            refused: false,
        });
        let is_last_after_refusal = {
            let mut under_way = shared.lock();
            under_way.at_work -= 1;
            under_way.refused |= answer.refused;
            let is_own = under_way
                .cancels
                .get(&request.request_id)
                .is_some_and(|known| Arc::ptr_eq(known, &cancel));
            if is_own {
                under_way.cancels.remove(&request.request_id);
            }
            under_way.refused && under_way.at_work == 0
        };
        if let Err(error) = shared.respond(&answer.response) {
            let _ = ends.send(End::Broken(error));
            return;
        }
        if is_last_after_refusal {
            let _ = ends.send(End::Refused);
            return;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, response: &WorkResponse) -> Result<(), String> {
        let bytes = self.protocol.render(response);
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let written = output.write_all(&bytes).and_then(|()| output.flush());
        written.map_err(|error| format!("could not write a response: {error}"))
    }
}
