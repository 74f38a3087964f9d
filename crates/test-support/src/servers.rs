//! Real cache servers for tests: nginx with WebDAV, and buildbox-casd. Each with its own folder and
//! port, gone when it is dropped. Knows nothing of what they are asked for.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Scratch;
use crate::pythons::skip;

/// The folder in whose `bin` buildbox is, where it is not on the `PATH`.
const BUILDBOX_VARIABLE: &str = "BYTEKILN_TEST_BUILDBOX";

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    scratch: Scratch,
}

/// The certificate and the key that nginx shows.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// In PEM.
    pub chain: &'a Path,
    /// In PEM.
    pub key: &'a Path,
}

impl Server {
    /// nginx that keeps what is PUT; `None`, said aloud, where there is no nginx.
    pub fn nginx(certificate: Option<Certificate<'_>>) -> Option<Server> {
        let Some(program) = find("nginx") else {
            skip("needs nginx");
            return None;
        };
        let (scratch, port) = (Scratch::new(), free_port());
        let folder = scratch.path().display().to_string();
        let (tls, keys) = match certificate {
            None => ("", String::new()),
            Some(Certificate { chain, key }) => (
                " ssl",
                format!(
                    "ssl_certificate {}; ssl_certificate_key {};",
                    chain.display(),
                    key.display()
                ),
            ),
        };
        let server = format!(
            "listen 127.0.0.1:{port}{tls}; {keys}
                 root {folder}/files; client_max_body_size 8m;
                 location / {{ dav_methods PUT; create_full_put_path on; }}"
        );
        write(&scratch.join("nginx.conf"), &configuration(&folder, &server));
        make_folder(&scratch.join("files"));
        Some(Server::start(nginx(&program, &scratch), port, scratch))
    }

    /// nginx that speaks gRPC over TLS, and passes everything on to another server.
    pub fn nginx_before(other: &Server, certificate: Certificate<'_>) -> Option<Server> {
        let Some(program) = find("nginx") else {
            skip("needs nginx");
            return None;
        };
        let (scratch, port) = (Scratch::new(), free_port());
        let folder = scratch.path().display().to_string();
        let Certificate { chain, key } = certificate;
        let server = format!(
            "listen 127.0.0.1:{port} ssl http2; client_max_body_size 0;
                 ssl_certificate {}; ssl_certificate_key {};
                 location / {{ grpc_pass grpc://{}; }}",
            chain.display(),
            key.display(),
            other.authority()
        );
        write(&scratch.join("nginx.conf"), &configuration(&folder, &server));
        Some(Server::start(nginx(&program, &scratch), port, scratch))
    }

    /// buildbox-casd; `None`, said aloud, where there is none.
    pub fn casd() -> Option<Server> {
        let Some(program) = find("buildbox-casd") else {
            skip("needs buildbox-casd");
            return None;
        };
        let (scratch, port) = (Scratch::new(), free_port());
        let mut command = Command::new(program);
        command.arg("--bind").arg(format!("127.0.0.1:{port}"));
        command.args(["--quota-high", "2G", "--reserved", "1M"]).arg(scratch.join("store"));
        Some(Server::start(command, port, scratch))
    }

    /// buildbox-casd that executes as well, two actions at once, on this machine; `None`, said aloud,
    /// where there is none.
    pub fn executor() -> Option<Server> {
        let (Some(program), Some(run)) = (find("buildbox-casd"), find("buildbox-run-hosttools"))
        else {
            skip("needs buildbox-casd and buildbox-run-hosttools");
            return None;
        };
        let (scratch, port) = (Scratch::new(), free_port());
        let mut command = Command::new(program);
        command.arg("--bind").arg(format!("127.0.0.1:{port}"));
        command.args(["--quota-high", "2G", "--reserved", "1M", "--jobs", "2"]);
        command.arg("--buildbox-run").arg(run).arg(scratch.join("store"));
        Some(Server::start(command, port, scratch))
    }

    #[expect(clippy::expect_used, reason = "a fixture; without it the test has failed")]
    fn start(mut command: Command, port: u16, scratch: Scratch) -> Server {
        let log = std::fs::File::create(scratch.join("log")).expect("a file for the server's log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().expect("the server starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = child.try_wait().expect("the server can be asked for");
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(scratch.join("log")).unwrap_or_default();
                panic!("the server does not run ({ended:?}): {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Server { child, port, scratch }
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A path in its folder: nginx keeps what it is given in `files`, and lists in `requests`.
    pub fn join(&self, below: &str) -> PathBuf {
        self.scratch.join(below)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on now.
///
/// # Panics
/// Where there is none.
#[expect(clippy::expect_used, reason = "a fixture; without it the test has failed")]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

fn nginx(program: &Path, scratch: &Scratch) -> Command {
    let mut command = Command::new(program);
    command.arg("-p").arg(scratch.path()).arg("-c").arg(scratch.join("nginx.conf"));
    command.arg("-e").arg(scratch.join("errors"));
    command
}

fn find(program: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(folder) = std::env::var_os(BUILDBOX_VARIABLE) {
        folders.push(Path::new(&folder).join("bin"));
    }
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    // Not on the PATH of users on Debian.
    folders.push(PathBuf::from("/usr/sbin"));
    folders.into_iter().map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[expect(clippy::expect_used, reason = "a fixture; without it the test has failed")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file of the fixture");
}

#[expect(clippy::expect_used, reason = "a fixture; without it the test has failed")]
fn make_folder(path: &Path) {
    std::fs::create_dir(path).expect("a folder of the fixture");
}

/// Of an nginx whose files are all in one folder. One process, so that it runs as whoever runs the test.
fn configuration(folder: &str, server: &str) -> String {
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
             events {{ worker_connections 512; }}
             http {{
               access_log {folder}/requests; client_body_temp_path {folder}/bodies;
               proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
               uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
               server {{ {server} }}
             }}"
    )
}
