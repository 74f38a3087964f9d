//! A cache and executor of the Remote Execution API that Bazel can talk to: buildbox-casd, which runs what it
//! is given on this machine, behind a proxy that speaks of API 2.0. Knows nothing of what is run.
//!
//! `BYTEKILN_TEST_BUILDBOX` is the folder in whose `bin` buildbox is; `BYTEKILN_TEST_REAPI_PROXY` a command that
//! takes two addresses: where to listen, and whom to ask.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytekiln_test_support::Scratch;
use bytekiln_test_support::pythons;
use bytekiln_test_support::servers::free_port;

/// See the module. Both processes end when it is dropped.
pub(crate) struct Reapi {
    children: Vec<Child>,
    port: u16,
    _scratch: Scratch,
}

impl Reapi {
    /// `None`, said aloud, where buildbox or the proxy is missing. With `instead`, what runs there finds the
    /// second file in the place of the first one.
    pub(crate) fn start(instead: Option<(&Path, &Path)>) -> Option<Reapi> {
        let set =
            |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
        let Some(bin) = set("BYTEKILN_TEST_BUILDBOX").map(|folder| folder.join("bin")) else {
            pythons::skip("needs buildbox, in BYTEKILN_TEST_BUILDBOX");
            return None;
        };
        let Some(proxy) = set("BYTEKILN_TEST_REAPI_PROXY") else {
            pythons::skip("needs a proxy between Bazel and buildbox, in BYTEKILN_TEST_REAPI_PROXY");
            return None;
        };
        let scratch = Scratch::new();
        let mut runner = bin.join("buildbox-run-hosttools");
        if let Some((place, other)) = instead {
            let script = scratch.join("runner");
            // Another machine, as far as this one file goes.
            let text = format!(
                "#!/bin/sh\nexec unshare -m sh -ec 'mount --bind \"$0\" \"$1\"; shift; exec \"$@\"' \
                 '{}' '{}' '{}' \"$@\"\n",
                other.display(),
                place.display(),
                runner.display()
            );
            fs::write(&script, text).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            runner = script;
        }
        let (behind, port) = (free_port(), free_port());
        let mut casd = Command::new(bin.join("buildbox-casd"));
        casd.arg("--bind").arg(format!("127.0.0.1:{behind}"));
        casd.args(["--quota-high", "2G", "--reserved", "1M", "--jobs", "2", "--buildbox-run"]);
        casd.arg(runner).arg(scratch.join("store"));
        let mut children = vec![start(casd, behind)];
        let mut command = Command::new(proxy);
        command.args([format!("127.0.0.1:{port}"), format!("127.0.0.1:{behind}")]);
        children.push(start(command, port));
        Some(Reapi { children, port, _scratch: scratch })
    }

    /// `grpc://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> String {
        format!("grpc://127.0.0.1:{}", self.port)
    }
}

impl Drop for Reapi {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            // Gone already, perhaps.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a server, and waits until it listens.
fn start(mut command: Command, port: u16) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = child.try_wait().unwrap();
        assert!(
            ended.is_none() && Instant::now() < deadline,
            "{command:?} does not run: {ended:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}
