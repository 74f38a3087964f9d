//! Every prefix and every changed byte of real caches, with memory counted: an error or a value
//! whose canonical form is stable, within bytes and allocations proportional to the payload. A test
//! binary of its own, because it counts for the whole process.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytekiln_codec::{
    CanonicalOptions, HEADER_LENGTH, Header, Limits, NanPolicy, canonicalize, decode, encode,
};
use bytekiln_python::Release;

/// The system's allocator, counting.
struct Counting;

static CURRENT: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// All that was ever asked for, in bytes: what must be written takes at least as long as that.
static ASKED: AtomicUsize = AtomicUsize::new(0);

fn count(size: usize) {
    let now = CURRENT.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(now, Relaxed);
    ASKED.fetch_add(size, Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is unsafe to implement; this one only counts")]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CURRENT.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Peak and sum of what `work` allocates, in bytes.
fn measure<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let (before, asked) = (CURRENT.load(Relaxed), ASKED.load(Relaxed));
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed) - before, ASKED.load(Relaxed) - asked)
}

/// Bytes of memory for each byte of payload, at most at once and at most in all; `Limits` promises
/// the first. What is below two pages is not counted.
const AT_ONCE: usize = 64;
const IN_ALL: usize = 256;
const PAGE: usize = 8192;

/// Whether the payload was one.
fn check(release: Release, payload: &[u8]) -> bool {
    let limits = Limits::default();
    let options =
        CanonicalOptions { release, recorded_path: b"m.py", limits, nans: NanPolicy::Kept };
    let (form, peak, asked) = measure(|| canonicalize(payload, &options));
    // Ordering sets may always write so much, however short the payload (docs/canonical-form.md),
    // and keeps it all; vectors grow by doubling.
    let sets = if payload.iter().any(|byte| byte & 0x7f == b'>') { 16 << 20 } else { 0 };
    let length = payload.len();
    // An open container costs as much again, in two bytes at least; depth is limited.
    let open = AT_ONCE * length.min(2 * usize::from(limits.depth));
    let floor = PAGE + 2 * sets + open;
    assert!(peak <= AT_ONCE * length + floor, "{peak} bytes for {length}");
    assert!(asked <= IN_ALL * length + 2 * floor, "{asked} bytes for {length}");
    let Ok(form) = form else { return false };
    let tree = decode(&form, release, &limits).expect("canonical bytes decode");
    assert!(encode(&tree) == form, "encoding changes canonical bytes");
    assert!(canonicalize(&form, &options).as_ref() == Ok(&form), "not stable");
    true
}

/// One test: two at a time would count for one another.
#[test]
fn memory_and_work_are_bounded() {
    bytes_made_to_cost();
    every_prefix_and_every_changed_byte();
}

fn every_prefix_and_every_changed_byte() {
    let full = std::env::var_os("BYTEKILN_FULL").is_some_and(|value| value == "1");
    // The type, its case, and the flag; all values take minutes.
    let changes: Vec<u8> = if full { (1..=255).collect() } else { vec![0x01, 0x20, 0x80] };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let (mut refused, mut accepted) = (0_usize, 0_usize);
    for entry in std::fs::read_dir(folder).expect("the seeds") {
        let path = entry.expect("a seed").path();
        if path.extension().is_none_or(|extension| extension != "pyc") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a seed");
        let Some(release) = Header::parse(&bytes).ok().and_then(|header| header.release()) else {
            continue;
        };
        let payload = &bytes[HEADER_LENGTH..];
        let real =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sample-"));
        assert!(check(release, payload) || !real, "{}", path.display());
        for length in 0..payload.len() {
            assert!(!check(release, &payload[..length]), "{}, {length} bytes", path.display());
        }
        let changes = if real { changes.as_slice() } else { &[0x80] };
        let mut changed = payload.to_vec();
        for place in 0..payload.len() {
            for change in changes {
                changed[place] ^= change;
                *(if check(release, &changed) { &mut accepted } else { &mut refused }) += 1;
                changed[place] ^= change;
            }
        }
    }
    // Both must have been met, often.
    assert!(refused > 10_000 && accepted > 10_000, "{refused} refused, {accepted} accepted");
}

/// The worst payloads known: nothing but references, tuples, names, sets.
fn bytes_made_to_cost() {
    let release = Release::from_minor(15).expect("a known release");
    for unit in
        [&b")\0"[..], b"N", b"\xe9\0\0\0\0", b"z\0", b">\0\0\0\0", b":NNN", b"}0", b"z\x01\xe4"]
    {
        for count in [1, 100, 20_000] {
            let mut payload = b"(".to_vec();
            payload.extend_from_slice(&(count as u32).to_le_bytes());
            payload.extend(unit.repeat(count));
            let (tree, peak, _) = measure(|| decode(&payload, release, &Limits::default()).is_ok());
            assert!(tree, "{unit:x?}");
            assert!(peak <= AT_ONCE * payload.len() + PAGE, "{peak} bytes, {unit:x?} × {count}");
        }
    }
}
