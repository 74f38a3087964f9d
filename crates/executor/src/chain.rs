//! Several engines as one: what the first refuses goes to the next. Knows nothing of why an engine
//! refuses.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytekiln_action::CompileFlags;

use crate::{Compiler, Engine, EngineError, Reply, Request, Session, SessionLost, Verdict};

/// Hands a request that an engine refuses to the next one. What the last one refuses is refused.
pub struct EngineChain<'a> {
    engines: Vec<&'a dyn Engine>,
}

impl<'a> EngineChain<'a> {
    /// Engines in the order in which they are asked.
    pub fn new(engines: Vec<&'a dyn Engine>) -> EngineChain<'a> {
        EngineChain { engines }
    }
}

impl Engine for EngineChain<'_> {
    fn open(
        &self,
        compiler: &Compiler,
        flags: CompileFlags,
    ) -> Result<Box<dyn Session>, EngineError> {
        let sessions = self
            .engines
            .iter()
            .map(|engine| engine.open(compiler, flags))
            .collect::<Result<_, _>>()?;
        Ok(Box::new(ChainSession { sessions, asked: BTreeMap::new() }))
    }
}

struct ChainSession {
    sessions: Vec<Box<dyn Session>>,
    /// Requests without a reply, and which session has them.
    asked: BTreeMap<u64, (usize, Request)>,
}

/// How long one session is listened to while another may have something to say.
const SLICE: Duration = Duration::from_millis(5);

impl Session for ChainSession {
    fn ready(&mut self, wait: Duration) -> Result<bool, EngineError> {
        let deadline = Instant::now() + wait;
        for session in &mut self.sessions {
            if !session.ready(deadline.saturating_duration_since(Instant::now()))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn submit(&mut self, request: Request) -> Result<(), SessionLost> {
        self.submit_to(0, request)
    }

    fn receive(&mut self, wait: Duration) -> Result<Option<Reply>, SessionLost> {
        let deadline = Instant::now() + wait;
        loop {
            let busy: Vec<usize> = (0..self.sessions.len())
                .filter(|index| self.asked.values().any(|(session, _)| session == index))
                .collect();
            for index in &busy {
                let left = deadline.saturating_duration_since(Instant::now());
                let slice = if busy.len() > 1 { left.min(SLICE) } else { left };
                let Some(session) = self.sessions.get_mut(*index) else { continue };
                let Some(reply) = session.receive(slice)? else { continue };
                let Some((asked, request)) = self.asked.remove(&reply.id) else {
                    return Ok(Some(reply));
                };
                if reply.verdict != Verdict::Refused || asked + 1 >= self.sessions.len() {
                    return Ok(Some(reply));
                }
                self.submit_to(asked + 1, request)?;
            }
            if busy.is_empty() || Instant::now() >= deadline {
                return Ok(None);
            }
        }
    }
}

impl ChainSession {
    fn submit_to(&mut self, index: usize, request: Request) -> Result<(), SessionLost> {
        let Some(session) = self.sessions.get_mut(index) else {
            return Err(SessionLost { reason: "there is no engine".to_owned() });
        };
        self.asked.insert(request.id, (index, request.clone()));
        session.submit(request)
    }
}
