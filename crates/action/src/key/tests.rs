//! Every field of an action changes both the digest and the explanation.

use bytekiln_python::Release;

use super::*;

fn toolchain() -> Toolchain {
    Toolchain {
        release: Release::from_minor(11).unwrap(),
        implementation: "cpython".to_owned(),
        version: "3.11.7".to_owned(),
        build: "3.11.7 (main, Dec  4 2023) [GCC 12.2.0]".to_owned(),
        cache_tag: "cpython-311".to_owned(),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    }
}

fn action(toolchain: Toolchain) -> Action {
    Action {
        source: Digest::of(b"x = 1\n"),
        recorded_path: RecordedPath::from_file_system(b"pkg/mod.py"),
        toolchain_digest: toolchain.digest(),
        toolchain: Arc::new(toolchain),
        level: OptimizationLevel::Zero,
        mode: InvalidationMode::CheckedHash,
        flags: CompileFlags { debug_ranges: true },
        canonical_form: 1,
    }
}

fn text(action: &Action) -> Vec<(&'static str, String)> {
    let mut sink = TextSink::default();
    action.describe(&mut sink);
    sink.fields
}

#[test]
fn every_field_changes_key_and_explanation() {
    let base = action(toolchain());
    let mut variants: Vec<Action> = Vec::new();
    let mut vary = |change: &dyn Fn(&mut Action)| {
        let mut variant = base.clone();
        change(&mut variant);
        variants.push(variant);
    };
    vary(&|a| a.source = Digest::of(b"x = 2\n"));
    vary(&|a| a.source.size += 1);
    vary(&|a| a.recorded_path = RecordedPath::from_file_system(b"pkg/other.py"));
    vary(&|a| a.level = OptimizationLevel::One);
    vary(&|a| a.mode = InvalidationMode::UncheckedHash);
    vary(&|a| a.flags.debug_ranges = false);
    vary(&|a| a.canonical_form = 2);
    for change in [
        |t: &mut Toolchain| t.release = Release::from_minor(12).unwrap(),
        |t: &mut Toolchain| t.implementation = "pypy".to_owned(),
        |t: &mut Toolchain| t.version = "3.11.8".to_owned(),
        |t: &mut Toolchain| t.build.push('+'),
        |t: &mut Toolchain| t.cache_tag.push('t'),
        |t: &mut Toolchain| t.platform = "linux-aarch64".to_owned(),
        |t: &mut Toolchain| t.free_threaded = true,
        |t: &mut Toolchain| t.debug = true,
    ] {
        let mut changed = toolchain();
        change(&mut changed);
        variants.push(action(changed));
    }
    variants.push(base);
    for (i, left) in variants.iter().enumerate() {
        for right in variants.iter().skip(i + 1) {
            assert_ne!(left.digest(), right.digest());
            assert_ne!(text(left), text(right));
        }
    }
}

#[test]
fn key_is_pinned() {
    // A change here empties every cache in the world: raise the schema number with it.
    expect_test::expect!["fb07954f596b6e15323854199094c356176579e229da908ae12094039207966a"]
        .assert_eq(&action(toolchain()).digest().to_string());
}
