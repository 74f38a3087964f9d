//! A headless Chromium, driven through its DevTools protocol over two pipes: pages opened as a reader opens
//! them, with real clicks and keys. Knows nothing of what is in the pages.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use bytekiln_test_support::fixture::Tree;
use bytekiln_test_support::pythons;
use serde_json::{Value, json};

/// No answer of the browser takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// One page in a browser of its own.
pub(crate) struct Browser {
    child: Child,
    commands: File,
    messages: mpsc::Receiver<Value>,
    session: Value,
    last: u64,
    /// What the page did wrong: exceptions, complaints, and requests for anything but itself.
    pub(crate) faults: Vec<String>,
    page: String,
    _folder: Tree,
}

/// Where Chromium is; `None`, said aloud, if there is none.
fn chromium_or_skip() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/bin".into());
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = folders.iter().flat_map(|folder| names.map(|name| folder.join(name)));
    let found = found.into_iter().find(|file| file.is_file());
    if found.is_none() {
        pythons::skip("needs Chromium (Debian: `apt-get install chromium`)");
    }
    found
}

impl Browser {
    /// Opens a page of the disk, in a window of a laptop's size.
    pub(crate) fn open(page: &Path) -> Option<Browser> {
        let chromium = chromium_or_skip()?;
        let folder = Tree::new("");
        let pipes = ["commands", "messages"].map(|name| folder.path(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        // The protocol is on descriptors 3 and 4, which only a shell hands over.
        let script =
            "commands=$1; messages=$2; shift 2; exec \"$@\" 3<\"$commands\" 4>\"$messages\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).args(&pipes).arg(chromium).args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--remote-debugging-pipe",
            "--window-size=1366,768",
        ]);
        command.arg(format!("--user-data-dir={}", folder.path("profile").display()));
        command.env("HOME", folder.root());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let commands = File::options().write(true).open(folder.path("commands")).unwrap();
        let messages = listen(File::open(folder.path("messages")).unwrap());
        let page = format!("file://{}", page.display());
        let mut browser = Browser {
            child,
            commands,
            messages,
            session: Value::Null,
            last: 0,
            faults: Vec::new(),
            page: page.clone(),
            _folder: folder,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].clone();
        for domain in ["Page.enable", "Runtime.enable", "Network.enable", "Log.enable"] {
            browser.call(domain, json!({}));
        }
        browser.call("Page.navigate", json!({"url": page}));
        while browser.next()["method"] != "Page.loadEventFired" {}
        Some(browser)
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let ask = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", ask);
        assert!(answer["exceptionDetails"].is_null(), "`{expression}`: {answer:#}");
        answer["result"]["value"].clone()
    }

    /// As [`Browser::value`], of text.
    #[track_caller]
    pub(crate) fn text(&mut self, expression: &str) -> String {
        let value = self.value(expression);
        value.as_str().unwrap_or_else(|| panic!("`{expression}` is {value}")).to_owned()
    }

    /// Clicks in the middle of the first element that a selector finds, so many times at once.
    #[track_caller]
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const it = document.querySelector({}); it.scrollIntoView({{block: 'center'}}); \
             const box = it.getBoundingClientRect(); \
             return [box.left + box.width / 2, box.top + box.height / 2]; }})()",
            json!(selector)
        ));
        self.click_at(&place, 1);
    }

    /// Clicks at a place of the window.
    pub(crate) fn click_at(&mut self, place: &Value, times: u32) {
        for count in 1..=times {
            for kind in ["mousePressed", "mouseReleased"] {
                let event = json!({
                    "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": count,
                });
                self.call("Input.dispatchMouseEvent", event);
            }
        }
    }

    /// Types into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// As on a screen that prefers light or dark.
    pub(crate) fn prefer(&mut self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", json!({"features": [feature]}));
    }

    /// The page on paper; the size of the document in base 64.
    pub(crate) fn print(&mut self) -> usize {
        let answer = self.call("Page.printToPDF", json!({"printBackground": true}));
        answer["data"].as_str().unwrap_or_default().len()
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let message = self.next();
            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{command}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE);
        let message = message.unwrap_or_else(|error| panic!("the browser says nothing: {error}"));
        let about = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => self.faults.push(about["exceptionDetails"].to_string()),
            "Log.entryAdded" => self.faults.push(about["entry"].to_string()),
            "Network.requestWillBeSent" if about["request"]["url"] != self.page.as_str() => {
                self.faults.push(about["request"]["url"].to_string());
            }
            _ => {}
        }
        message
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.commands.write_all(b"{\"id\": 0, \"method\": \"Browser.close\"}\0");
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Messages end with a NUL.
fn listen(mut pipe: File) -> mpsc::Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut received = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            received.extend_from_slice(&buffer[..length]);
            while let Some(end) = received.iter().position(|byte| *byte == 0) {
                let message: Vec<u8> = received.drain(..=end).collect();
                let message = serde_json::from_slice(&message[..end]).unwrap_or(Value::Null);
                if sender.send(message).is_err() {
                    return;
                }
            }
        }
    });
    receiver
}
