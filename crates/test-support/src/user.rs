//! Tests of what the system refuses: the superuser is refused nothing, so under it they run in a
//! thread that has become somebody else.

/// The user `nobody`.
#[cfg(target_os = "linux")]
const NOBODY: u32 = 65534;

/// Runs the body as a user whom permissions bind. Threads that it starts are that user too; what it
/// makes belongs to that user.
///
/// # Panics
/// As the body does.
pub fn as_user_without_rights(body: impl FnOnce() + Send) {
    if !rustix::process::geteuid().is_root() {
        return body();
    }
    let ended = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                assert!(become_nobody(), "the superuser could not become another user");
                body();
            })
            .join()
    });
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// The credentials of this thread alone: the other tests go on as they are.
#[cfg(target_os = "linux")]
fn become_nobody() -> bool {
    let nobody = rustix::process::Uid::from_raw(NOBODY);
    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).is_ok()
}

/// Only Linux has users of threads: run the tests as somebody else.
#[cfg(not(target_os = "linux"))]
fn become_nobody() -> bool {
    false
}
