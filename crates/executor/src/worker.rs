//! One worker slot: starts a compiler, keeps it fed, watches it, replaces it. Knows nothing of how
//! a compiler works and what becomes of its results.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::execution::Execution;
use crate::outputs::LastFolder;
use crate::queue::{Joined, Queue, Task};
use crate::{Engine, Event, Failure, JobEnd, Reply, Request, Session, SessionLost};

/// Requests that a worker has at once: one being compiled, and enough behind it for the time that
/// we need for the result of the one before.
const PIPELINE: usize = 3;
/// Unless they are large.
const PIPELINE_BYTES: usize = 1 << 20;
/// How often an idle wait looks whether the caller has interrupted.
const ATTENTION: Duration = Duration::from_millis(50);
/// What has begun when the caller interrupts gets so long to finish.
const GRACE: Duration = Duration::from_millis(500);
/// A source of so many bytes gets a second more: a hundredth of the usual speed.
const BYTES_A_SECOND: u64 = 100 << 10;

/// A place in which workers run, one after the other.
pub(crate) struct Slot<'a> {
    execution: &'a Execution<'a>,
    queue: &'a Queue,
    engine: &'a dyn Engine,
    /// Number of the next worker, of all slots.
    numbers: &'a AtomicUsize,
    last: LastFolder,
}

struct Worker {
    number: usize,
    session: Box<dyn Session>,
    flight: VecDeque<InFlight>,
    requests: u64,
}

/// A task that a worker has.
struct InFlight {
    id: u64,
    task: Task,
    source: Arc<[u8]>,
    /// Since when it is the first in line.
    since: Option<Instant>,
}

/// How a worker's time ended.
enum Ended {
    /// Nothing is left to do, or nothing more is to be done.
    Idle,
    /// On this task.
    Lost(Task, Loss),
}

enum Loss {
    Died(String),
    Late(Duration),
}

impl<'a> Slot<'a> {
    pub(crate) fn new(
        execution: &'a Execution<'a>,
        queue: &'a Queue,
        engine: &'a dyn Engine,
        numbers: &'a AtomicUsize,
    ) -> Slot<'a> {
        Slot { execution, queue, engine, numbers, last: LastFolder::default() }
    }

    /// Serves whatever needs a worker most, until nothing does.
    pub(crate) fn run(mut self) {
        let mut avoid = Vec::new();
        while !self.execution.stopped() {
            let Some(joined) = self.queue.join(&avoid) else { return };
            let served = self.serve(joined);
            let others = self.queue.leave(joined);
            let Err(failure) = served else { continue };
            if others {
                // Fewer workers than wished for: there are those that could be started.
                avoid.push(joined);
                continue;
            }
            for task in self.queue.drain(joined) {
                self.execution.fail(&task, None, &failure);
            }
        }
    }

    /// Runs workers for one group; fails if the compiler is not usable.
    fn serve(&mut self, joined: Joined) -> Result<(), Failure> {
        let mut retry: Option<Task> = None;
        loop {
            let mut worker = match self.start(joined) {
                Ok(Some(worker)) => worker,
                Ok(None) => {
                    retry.into_iter().for_each(|task| self.queue.put_back(joined, task));
                    return Ok(());
                }
                Err(failure) => {
                    retry.into_iter().for_each(|task| self.queue.put_back(joined, task));
                    return Err(failure);
                }
            };
            let ended = self.drive(joined, &mut worker, retry.take());
            let number = worker.number;
            for unfinished in worker.flight.drain(..).rev() {
                self.queue.put_back(joined, unfinished.task);
            }
            drop(worker); // kills what still runs, before anything else is started
            let Ended::Lost(mut task, loss) = ended else { return Ok(()) };
            task.losses += 1;
            let again = task.losses < 2;
            (self.execution.events)(&Event::WorkerLost {
                worker: number,
                job: Some(task.leader()),
                reason: loss.to_string(),
                retry: again,
            });
            if again {
                retry = Some(task);
                continue;
            }
            let reason = loss.to_string();
            let failure = match loss {
                Loss::Died(reason) => Failure::WorkerDied(reason),
                Loss::Late(limit) => Failure::TimedOut(limit),
            };
            self.execution.fail(&task, None, &failure);
            if self.queue.failed(joined) {
                return Err(Failure::CompilerUnusable(format!(
                    "workers ended on one file after the other: {reason}"
                )));
            }
        }
    }

    /// A worker that is ready; `None` if it is not needed any more.
    fn start(&mut self, joined: Joined) -> Result<Option<Worker>, Failure> {
        let began = Instant::now();
        let unusable = |error: crate::EngineError| Failure::CompilerUnusable(error.message);
        let Some(compiler) = self.execution.work.compilers.get(joined.key.compiler) else {
            return Err(Failure::CompilerUnusable("the work does not say which it is".to_owned()));
        };
        let mut session = self.engine.open(compiler, joined.key.flags).map_err(unusable)?;
        while !session.ready(ATTENTION).map_err(unusable)? {
            if self.execution.stopped() {
                return Ok(None);
            }
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        (self.execution.events)(&Event::WorkerStarted {
            worker: number,
            compiler: joined.key.compiler,
            elapsed: began.elapsed(),
        });
        Ok(Some(Worker { number, session, flight: VecDeque::new(), requests: 0 }))
    }

    /// Feeds a worker until nothing is left. A task that is tried again goes first and alone.
    fn drive(&mut self, joined: Joined, worker: &mut Worker, mut retry: Option<Task>) -> Ended {
        let mut give_up = None;
        loop {
            if let Err(lost) = self.fill(joined, worker, &mut retry) {
                return worker.lose(Loss::Died(lost.reason));
            }
            let Some(head) = worker.flight.front() else {
                retry.into_iter().for_each(|task| self.queue.put_back(joined, task));
                return Ended::Idle;
            };
            let limit = self.limit(&head.task);
            let left = head.since.map_or(limit, |since| limit.saturating_sub(since.elapsed()));
            // Late or not, what has come while we were busy is received first.
            let wait = if left.is_zero() { ATTENTION } else { left.min(ATTENTION) };
            match worker.session.receive(wait) {
                Err(lost) => return worker.lose(Loss::Died(lost.reason)),
                Ok(None) if left.is_zero() => return worker.lose(Loss::Late(limit)),
                Ok(None) => {}
                Ok(Some(reply)) => {
                    let Some(done) = self.arrived(worker, &reply) else {
                        let reason = "it answered what it was not asked".to_owned();
                        return worker.lose(Loss::Died(reason));
                    };
                    self.queue.succeeded(joined);
                    // The worker's next task first: what follows takes us some time.
                    let filled = self.fill(joined, worker, &mut retry);
                    self.execution.finish(
                        &mut self.last,
                        &done.task,
                        &done.source,
                        Some(worker.number),
                        reply,
                    );
                    if let Err(lost) = filled {
                        return worker.lose(Loss::Died(lost.reason));
                    }
                }
            }
            if self.execution.interrupted() {
                let deadline = *give_up.get_or_insert_with(|| Instant::now() + GRACE);
                if Instant::now() >= deadline {
                    return Ended::Idle;
                }
            }
        }
    }

    /// Submits as much as the pipeline holds.
    fn fill(
        &mut self,
        joined: Joined,
        worker: &mut Worker,
        retry: &mut Option<Task>,
    ) -> Result<(), SessionLost> {
        while !self.execution.stopped() && worker.has_room() {
            let busy = !worker.flight.is_empty();
            let Some(mut task) = retry.take().or_else(|| self.queue.take(joined, busy)) else {
                break;
            };
            let Some(job) = self.execution.job(task.leader()) else { continue };
            let source = match self.execution.source_of(task.leader(), job) {
                Ok(source) => source,
                Err(failure) => {
                    // Only this source: another one of the same content may stand for the rest.
                    self.execution.end(task.jobs.remove(0), None, JobEnd::Failed(failure));
                    if !task.jobs.is_empty() {
                        self.queue.put_back(joined, task);
                    }
                    continue;
                }
            };
            let id = worker.requests;
            worker.requests += 1;
            let request = Request {
                id,
                level: job.action.level,
                recorded_path: job.action.recorded_path.clone(),
                source: Arc::clone(&source),
            };
            worker.flight.push_back(InFlight { id, task, source, since: None });
            self.watch_first(worker);
            worker.session.submit(request)?;
        }
        Ok(())
    }

    /// The task that a reply belongs to.
    fn arrived(&self, worker: &mut Worker, reply: &Reply) -> Option<InFlight> {
        let place = worker.flight.iter().position(|flight| flight.id == reply.id)?;
        let done = worker.flight.remove(place)?;
        if done.since.is_none() {
            let (job, worker) = (done.task.leader(), worker.number);
            (self.execution.events)(&Event::JobStarted { job, worker });
        }
        self.watch_first(worker);
        Some(done)
    }

    /// The clock of whatever is first in line runs.
    fn watch_first(&self, worker: &mut Worker) {
        let number = worker.number;
        if let Some(first) = worker.flight.front_mut().filter(|first| first.since.is_none()) {
            first.since = Some(Instant::now());
            let job = first.task.leader();
            (self.execution.events)(&Event::JobStarted { job, worker: number });
        }
    }

    fn limit(&self, task: &Task) -> Duration {
        self.execution.options.timeout + Duration::from_secs(task.size / BYTES_A_SECOND)
    }
}

impl Worker {
    fn has_room(&self) -> bool {
        let alone = self.flight.iter().any(|flight| flight.task.losses > 0);
        let bytes: usize = self.flight.iter().map(|flight| flight.source.len()).sum();
        self.flight.len() < PIPELINE && bytes < PIPELINE_BYTES && !alone
    }

    /// Whatever was first in line is to blame.
    fn lose(&mut self, loss: Loss) -> Ended {
        match self.flight.pop_front() {
            Some(suspect) => Ended::Lost(suspect.task, loss),
            None => Ended::Idle,
        }
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Loss::Died(reason) => f.write_str(reason),
            Loss::Late(limit) => write!(f, "it did not finish within {} s", limit.as_secs_f32()),
        }
    }
}
