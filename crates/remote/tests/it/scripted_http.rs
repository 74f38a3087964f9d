//! A small HTTP server that says what a test wants. Knows nothing of caches.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a server does with a request.
pub(crate) enum Answer {
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes again and again, after a head that announces no length.
    Endless(Vec<u8>),
    /// Nothing at all.
    Silence,
}

impl Answer {
    pub(crate) fn status(status: &str) -> Answer {
        Answer::Raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into())
    }

    pub(crate) fn body(bytes: &[u8]) -> Answer {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        Answer::Raw([head.as_bytes(), bytes].concat())
    }
}

/// The server; it ends with the test.
pub(crate) struct ScriptedHttp {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedHttp {
    /// `answer` gets the request's head and how many came before it.
    pub(crate) fn start(
        answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
    ) -> ScriptedHttp {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || {
                    // A client that goes away is what many tests are about.
                    let _ = serve(connection?, &*answer, &seen);
                    Ok::<(), std::io::Error>(())
                });
            }
        });
        ScriptedHttp { address, requests }
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Their first lines, shortened to method and folder.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |head: &String| head.lines().next().unwrap_or_default()[..8].to_owned();
        self.requests().iter().map(line).collect()
    }
}

fn serve(
    mut connection: TcpStream,
    answer: &(dyn Fn(&str, usize) -> Answer + Send + Sync),
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        let count = connection.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length =
        |line: &str| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let mut left: usize =
        head.lines().find_map(length).unwrap_or(0_usize).saturating_sub(bytes.len() - end - 4);
    while left > 0 {
        left = left.saturating_sub(connection.read(&mut piece)?);
    }
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(head.clone());
        seen.len() - 1
    };
    match answer(&head, number) {
        Answer::Raw(bytes) => connection.write_all(&bytes),
        Answer::Endless(bytes) => {
            connection.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            loop {
                connection.write_all(format!("{:x}\r\n", bytes.len()).as_bytes())?;
                connection.write_all(&bytes)?;
                connection.write_all(b"\r\n")?;
            }
        }
        Answer::Silence => {
            let _ = connection.read(&mut piece)?;
            Ok(())
        }
    }
}
