//! Tests of what the system refuses: the superuser is refused nothing, so under it they run in a
//! thread that has become somebody else.

use rustix::process::Uid;
use rustix::thread::set_thread_res_uid;

/// The user `nobody`.
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
    let become_nobody = || {
        let nobody = Uid::from_raw(NOBODY);
        // The credentials of this thread alone: the other tests go on as they are.
        set_thread_res_uid(nobody, nobody, nobody).is_ok()
    };
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
