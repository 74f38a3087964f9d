//! A small gRPC server that says what a test wants, with messages as bytes. Knows nothing of caches.

use std::sync::{Arc, Mutex};

use h2::server::SendResponse;

/// What a server does with a call.
pub(crate) enum Answer {
    /// These messages, then the status.
    Messages(Vec<Vec<u8>>, u32),
    /// These messages, then the stream is torn down.
    Torn(Vec<Vec<u8>>),
    /// This message again and again.
    Endless(Vec<u8>),
    /// These messages, and then nothing: not even an end.
    Held(Vec<Vec<u8>>),
}

impl Answer {
    pub(crate) fn message(message: Vec<u8>) -> Answer {
        Answer::Messages(vec![message], 0)
    }

    pub(crate) fn status(code: u32) -> Answer {
        Answer::Messages(Vec::new(), code)
    }
}

/// A field of a message: bytes, text or a message.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

/// A field of a message: a number.
pub(crate) fn number(number: u8, value: u64) -> Vec<u8> {
    let mut out = vec![number << 3];
    out.extend(varint(value));
    out
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

type Script = dyn Fn(&str, &[u8], usize) -> Answer + Send + Sync;

/// The server; it ends with the test.
pub(crate) struct ScriptedGrpc {
    pub(crate) address: String,
    /// Methods, and the first message of each call.
    calls: Calls,
}

type Calls = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

impl ScriptedGrpc {
    /// `answer` gets the method's name, the first message, and how often it was called before.
    pub(crate) fn start(
        answer: impl Fn(&str, &[u8], usize) -> Answer + Send + Sync + 'static,
    ) -> ScriptedGrpc {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("grpc://{}", listener.local_addr().unwrap());
        let calls = Calls::default();
        let (script, seen): (Arc<Script>, _) = (Arc::new(answer), Arc::clone(&calls));
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((connection, _)) = listener.accept().await {
                    let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                    tokio::spawn(async move {
                        let Ok(mut connection) = h2::server::handshake(connection).await else {
                            return;
                        };
                        while let Some(Ok((request, respond))) = connection.accept().await {
                            let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                            tokio::spawn(serve(request, respond, script, seen));
                        }
                    });
                }
            });
        });
        ScriptedGrpc { address, calls }
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, method: &str) -> usize {
        self.requests(method).len()
    }

    /// What a method was called with.
    pub(crate) fn requests(&self, method: &str) -> Vec<Vec<u8>> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == method).map(|(_, sent)| sent.clone()).collect()
    }
}

async fn serve(
    request: http::Request<h2::RecvStream>,
    mut respond: SendResponse<bytes::Bytes>,
    script: Arc<Script>,
    seen: Calls,
) {
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let (mut body, mut message) = (request.into_body(), Vec::new());
    while let Some(Ok(piece)) = body.data().await {
        let _ = body.flow_control().release_capacity(piece.len());
        message.extend_from_slice(&piece);
    }
    let message = message.get(5..).unwrap_or_default();
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push((method.clone(), message.to_vec()));
        seen.iter().filter(|(name, _)| *name == method).count() - 1
    };
    let answer = script(&method, message, before);
    let head = http::Response::builder().header("content-type", "application/grpc").body(());
    // A client that goes away is what many tests are about.
    let Ok(mut stream) = respond.send_response(head.unwrap(), false) else { return };
    let frame = |message: &[u8]| {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        bytes::Bytes::from([&[0][..], &length, message].concat())
    };
    match answer {
        Answer::Messages(messages, status) => {
            for message in messages {
                let _ = stream.send_data(frame(&message), false);
            }
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", status.into());
            let _ = stream.send_trailers(trailers);
        }
        Answer::Torn(messages) => {
            for message in messages {
                let _ = stream.send_data(frame(&message), false);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            stream.send_reset(h2::Reason::INTERNAL_ERROR);
        }
        Answer::Held(messages) => {
            for message in messages {
                let _ = stream.send_data(frame(&message), false);
            }
            std::future::pending::<()>().await;
        }
        Answer::Endless(message) => {
            while stream.send_data(frame(&message), false).is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
}
