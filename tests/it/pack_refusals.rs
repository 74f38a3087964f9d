//! What cannot be packed: one clear error with its remedy, no half artifact, and the old one stays.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytekiln_test_support::pythons;

use crate::pack::SHOP;
use crate::sandbox::{Sandbox, finish};

/// Refused, by every kind that is put together, and nothing is there afterwards.
#[track_caller]
fn check(fixture: &str, keys: &[&str], code: i32, parts: &[&str]) {
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    for kind in ["tree", "zip", "layer", "rust-blob"] {
        sandbox.pack_kind(kind, keys, &["--out", "made"]).refused(code, parts);
        assert!(!sandbox.path("made").exists());
    }
    assert_eq!(sandbox.unfinished(), "");
}

#[test]
fn what_is_named_and_is_not_there() {
    check(SHOP, &["members=shpo"], 2, &["--set:4:12", "member `shpo`", "did you mean `shop`?"]);
    check(SHOP, &["profile=relaese"], 2, &["no profile `relaese`", "did you mean `release`?"]);
    check(SHOP, &["entry=shop.cil"], 2, &["no module `shop.cil`", "an entry of", "--set:1"]);
    check(SHOP, &["entry=member:nobody"], 2, &["nobody", "an entry of"]);
    check(
        SHOP,
        &["dependencies=vendor"],
        2,
        &["no folder `vendor`", "--set:1", "install the dependencies"],
    );
    check(SHOP, &["exclude=**"], 2, &["there is no module", "`exclude`"]);
    check(SHOP, &["python=3.99"], 3, &["3.99"]);
    check("//- /notes.txt\nno Python\n", &[], 2, &["there is no module"]);
    check(SHOP, &["exclude=["], 2, &["artifact.exclude", "is not a glob"]);
}

#[test]
fn names_of_artifacts() {
    let fixture = "
        //- /app.py
        //- /bytekiln.toml
        [[artifact]]
        name = 'app'
        kind = 'zip'
        [[artifact]]
        name = 'image'
        kind = 'layer'
        out = 'build/image'
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    sandbox.run(&["pack", "ap"]).refused(2, &["no artifact `ap`", "did you mean `app`?"]);
    sandbox
        .run(&["pack", "xyz"])
        .refused(2, &["no artifact `xyz`", "the artifacts are: app, image"]);
    sandbox.run(&["pack", "--out", "x"]).refused(2, &["--out is for one artifact"]);
    sandbox.run(&["pack", "--kind", "tarball"]).refused(2, &["no such value `tarball`"]);
    sandbox.run(&["pack", "--set", "main=x"]).code(2).says(&["--kind"]);
    sandbox.run(&["pack", "--list", "app"]).code(2).says(&["--list"]);
    assert!(!sandbox.path("dist").exists());
    let output = sandbox.run(&["pack", "--list"]).success();
    assert_eq!(output.stdout, "app    zip      \nimage  layer      build/image\n");
    sandbox.run(&["pack", "app", "app", "--out", "one.zip"]).success();
    assert!(sandbox.path("one.zip").is_file() && !sandbox.path("dist").exists());
    sandbox.write("bytekiln.toml", "");
    sandbox.run(&["pack"]).refused(2, &["nothing to pack", "[[artifact]]", "--kind"]);
    sandbox.write("bytekiln.toml", "[[artifact]]\nname = 'x'\nkind = 'zip'\nlayout = 'prefix'\n");
    sandbox
        .run(&["pack"])
        .refused(2, &["bytekiln.toml:4:1", "`layout` means nothing for the kind `zip`"]);
}

#[test]
fn several_targets_where_there_is_room_for_one() {
    for keys in [&["optimize=[0, 1]"][..], &["optimize=[0, 1]", "sourceless=true"]] {
        let Some(sandbox) = Sandbox::new(SHOP) else { return };
        let kinds: &[&str] = if keys.len() == 1 { &["zip", "rust-blob"] } else { &["tree", "zip"] };
        for kind in kinds {
            let output = sandbox.pack_kind(kind, keys, &[]);
            output.refused(2, &["room for the bytecode of one target", "choose with `python"]);
        }
        assert!(!sandbox.path("dist").exists());
    }
}

#[test]
fn two_files_of_one_path() {
    let fixture = "
        //- /a/pyproject.toml
        //- /a/src/same.py
        x = 1
        //- /b/pyproject.toml
        //- /b/src/same.py
        x = 2
        //- /deps/same.py
        x = 3
        //- /bytekiln.toml
        workspace.members = ['a', 'b']
        ";
    check(fixture, &[], 1, &["a/src/same.py", "b/src/same.py", "`exclude`"]);
    check(fixture, &["members=a", "dependencies=deps"], 1, &["a/src/same.py", "deps/same.py"]);
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    sandbox.pack_kind("tree", &["arrangement=workspace"], &[]).success();
}

#[test]
fn programs_that_would_not_start() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let pack = |keys: &[&str]| sandbox.pack_kind("zipapp", keys, &[]);
    pack(&[]).refused(2, &["has no `__main__.py`", "`main = "]);
    pack(&["main=shop.nothing:main"]).refused(2, &["no module `shop.nothing`", "--set:1"]);
    pack(&["main=shop.cli:main", "members=money"]).refused(2, &["no module `shop.cli`"]);
    let keys = ["main=shop.never:x", "entry=shop.cli", "reachable-only=true"];
    pack(&keys).refused(2, &["no module `shop.never`", "`entry`"]);
    pack(&["main=shop"]).refused(2, &["is no entry point", "package.module:function"]);
    sandbox.write("apps/shop/src/__main__.py", "print()\n");
    pack(&["main=shop.cli:main"])
        .refused(2, &["apps/shop/src/__main__.py", "remove `main`", "`exclude`"]);
    assert!(!sandbox.path("dist").exists());
    pack(&[]).success();
}

#[test]
fn sources_that_do_not_compile() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox.pack_kind("tree", &[], &["--out", "made"]).success();
    let before = sandbox.listed(&["made"]);
    sandbox.write("apps/shop/src/shop/bad.py", "x = (\n");
    let output = sandbox.pack_kind("tree", &[], &["--out", "made"]).code(1);
    output.says(&[
        "apps/shop/src/shop/bad.py:1:5",
        "1 file does not compile",
        "[[allow-failure]]",
        "`exclude`",
    ]);
    assert_eq!(sandbox.listed(&["made"]), before);
    sandbox.pack_kind("tree", &["exclude=shop/bad.py"], &["--out", "made"]).success();
    assert_eq!(sandbox.listed(&["made"]), before);
    sandbox.pack_kind("tree", &["bytecode=false"], &["--out", "bare"]).success();
    // What may fail is shipped as it is, and said.
    let manifest = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    let allow = "[[allow-failure]]\npath = 'apps/**'\nreason = 'a template'\nexpires = ";
    sandbox.write("bytekiln.toml", format!("{manifest}{allow}2001-01-01\n"));
    sandbox.pack_kind("tree", &[], &["--out", "made"]).code(1).says(&["bad.py:1:5"]);
    sandbox.write("bytekiln.toml", format!("{manifest}{allow}2999-01-01\n"));
    for (kind, keys) in
        [("tree", &[][..]), ("tree", &["sourceless=true"]), ("zip", &["sourceless=true"])]
    {
        let output =
            sandbox.pack_kind(kind, keys, &["--out", "allowed", "--force", "--format", "json"]);
        let output = output.success();
        let packed = &output.packed()["artifacts"][0];
        assert_eq!(packed["not_compiled"][0], "shop/bad.py");
        if kind == "tree" {
            assert!(sandbox.path("allowed/shop/bad.py").is_file());
            fs::remove_dir_all(sandbox.path("allowed")).unwrap();
        } else {
            assert!(sandbox.zipped("allowed").contains(&"shop/bad.py".to_owned()));
        }
        assert_eq!(packed["kept_sources"].as_array().unwrap().len(), keys.len());
    }
    sandbox
        .pack_kind("tree", &[], &[])
        .success()
        .says(&["Uncompiled shop/bad.py: it does not compile"]);
    let blob = sandbox.pack_kind("rust-blob", &[], &[]).success();
    blob.says(&["warning: `shop/bad.py` does not compile, and is not in it"]);
    // Installed code is nobody's here.
    sandbox.write("bytekiln.toml", manifest);
    sandbox.remove("apps/shop/src/shop/bad.py");
    sandbox.write("deps/lib/bad.py", "x = (\n");
    let output = sandbox.pack_kind("zip", &["dependencies=deps"], &[]).success();
    output.says(&["Uncompiled lib/bad.py"]);
}

#[test]
fn nonsense_in_source_date_epoch() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let pack = |kind: &str, epoch: &str| {
        let mut command = sandbox.command(&["pack", "--kind", kind, "--out", "made"]);
        finish(command.env("SOURCE_DATE_EPOCH", epoch))
    };
    for epoch in ["yesterday", "-1", "1.5", "99999999999999999999", "0x10"] {
        pack("zip", epoch).refused(2, &["SOURCE_DATE_EPOCH is `", epoch, "seconds since 1970"]);
        assert!(!sandbox.path("made").exists());
    }
    // Times that a container cannot hold become the nearest that it can.
    for epoch in ["0", "1700000000", "4000000000", "99999999999"] {
        for kind in ["zip", "layer"] {
            pack(kind, epoch).success();
            let made = sandbox.listed(&["made"]);
            let remove = if kind == "zip" { "rm" } else { "rm -r" };
            finish(
                Command::new("sh")
                    .arg("-c")
                    .arg(format!("{remove} made"))
                    .current_dir(sandbox.root()),
            )
            .success();
            pack(kind, epoch).success();
            assert_eq!(sandbox.listed(&["made"]), made);
            finish(Command::new("sh").arg("-c").arg("rm -r made").current_dir(sandbox.root()))
                .success();
        }
    }
    let dates =
        "import sys, zipfile\nfor one in zipfile.ZipFile('made').infolist(): print(*one.date_time)";
    for (epoch, expected) in [
        ("0", "1980 1 1 0 0 0"),
        ("1700000000", "2023 11 14 22 13 20"),
        ("99999999999", "2107 12 31 23 59 58"),
    ] {
        pack("zip", epoch).success();
        let output = sandbox.python(&["-c", dates]).success();
        assert!(output.stdout.lines().all(|line| line == expected), "{epoch}\n{}", output.stdout);
    }
}

#[test]
fn files_that_cannot_be_read() {
    let Some(sandbox) = Sandbox::unprivileged(SHOP) else { return };
    let secret = sandbox.path("apps/shop/src/shop/data/greeting.txt");
    let source = sandbox.path("apps/shop/src/shop/names.py");
    for file in [secret, source] {
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
        for kind in ["tree", "zip"] {
            let output = sandbox.pack_kind(kind, &["python=python3"], &[]);
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            output.refused(1, &[&name, "ermission denied"]);
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let folder = sandbox.path("apps/shop/src/shop/data");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
    let output = sandbox.pack_kind("zip", &["python=python3"], &[]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    output.refused(1, &["shop/data", "ermission denied"]);
    assert!(!sandbox.path("dist/zip.zip").exists());
    // A place that cannot be written to.
    fs::create_dir(sandbox.path("closed")).unwrap();
    sandbox.give_away();
    fs::set_permissions(sandbox.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    for kind in ["tree", "zip", "layer", "rust-blob"] {
        let output = sandbox.pack_kind(kind, &["python=python3"], &["--out", "closed/made"]);
        output.refused(1, &["closed/made", "ermission denied"]);
    }
}

#[test]
fn dependencies_of_another_interpreter() {
    let (Some(one), Some(other)) = (pythons::any_or_skip(), pythons::find_or_skip(3, 14)) else {
        return;
    };
    let sandbox = Sandbox::with_python(SHOP, one);
    let venv = sandbox.path("venv");
    let mut make = Command::new(&one.path);
    finish(make.args(["-m", "venv", "--without-pip"]).arg(&venv)).success();
    let python = format!("python={}", other.name());
    let output = sandbox.pack_kind("tree", &["dependencies=venv", &python], &[]);
    output.refused(2, &["`", "is an environment of Python 3.", "3.14"]);
    sandbox.pack_kind("tree", &["dependencies=venv"], &[]).success();
}

/// Room for a few files only, and what was mounted there.
struct Full<'a>(&'a Sandbox);

impl<'a> Full<'a> {
    fn new(sandbox: &'a Sandbox) -> Option<Full<'a>> {
        let folder = sandbox.path("full");
        fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k,mode=755", "none"]).arg(&folder);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Full(sandbox));
        }
        pythons::skip("needs the right to mount a file system");
        None
    }
}

impl Drop for Full<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path("full")).output();
    }
}

#[test]
fn a_full_disk() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let Some(_full) = Full::new(&sandbox) else { return };
    let old = sandbox.pack_kind("zip", &["compression=none"], &["--out", "full/made"]);
    old.success();
    let before = sandbox.read("full/made");
    let mut noise = Vec::new();
    let mut state = 1_u32;
    for _ in 0..400_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push(state.to_be_bytes()[0]);
    }
    sandbox.write("apps/shop/src/shop/data/noise.bin", noise);
    let kinds: &[(&str, &[&str])] = &[
        ("zip", &[]),
        ("zip", &["compression=none"]),
        ("tree", &[]),
        ("layer", &[]),
        ("layer", &["compression=zstd"]),
        ("rust-blob", &[]),
    ];
    for (kind, keys) in kinds {
        let out = if *kind == "zip" { "full/made" } else { "full/other" };
        let output = sandbox.pack_kind(kind, keys, &["--out", out]);
        output.refused(1, &[out, "No space left"]);
        let left: Vec<_> = fs::read_dir(sandbox.path("full")).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{kind} {left:?}");
        assert_eq!(sandbox.read("full/made"), before);
    }
}

/// Starts `pack`.
fn start(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = sandbox.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_for(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

#[test]
fn interrupted_while_it_compiles() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox.run(&["pack", "--kind", "zip"]).success();
    let before = sandbox.read("dist/zip.zip");
    sandbox.write("apps/shop/src/shop/more.py", "x = 1\n".repeat(200_000));
    let pack = start(&sandbox, &["pack", "--kind", "zip", "--no-cache", "--jobs", "1"]);
    wait_for(|| {
        let state = fs::read_dir(sandbox.path(".bytekiln")).into_iter().flatten().flatten();
        state.count() > 0
            && finish(Command::new("find").arg(sandbox.path(".bytekiln")))
                .stdout
                .contains("pending")
    });
    signal(&pack, "-INT");
    let output = pack.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("nothing was packed") || stderr.contains("nothing was published"),
        "{stderr}"
    );
    assert_eq!(sandbox.read("dist/zip.zip"), before);
    assert_eq!(sandbox.unfinished(), "");
    sandbox.run(&["pack", "--kind", "zip"]).success();
    assert_ne!(sandbox.read("dist/zip.zip"), before);
}

#[test]
fn interrupted_or_killed_while_it_writes() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let level =
        ["pack", "--kind", "zip", "--set", "compression-level=9", "--jobs", "1", "--provenance"];
    sandbox.run(&level).success();
    let statement = sandbox.read("dist/zip.zip.intoto.json");
    let before = sandbox.read("dist/zip.zip");
    let mut text = String::new();
    for number in 0..400_000_u32 {
        text.push_str(&format!("{:x}\n", number.wrapping_mul(2_654_435_761)));
    }
    sandbox.write("apps/shop/src/shop/data/large.txt", text);
    for name in ["-INT", "-KILL"] {
        let pack = start(&sandbox, &level);
        wait_for(|| sandbox.unfinished().contains("dist/.bytekiln-pending-"));
        signal(&pack, name);
        let output = pack.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        if name == "-INT" {
            assert_eq!(output.status.code(), Some(130), "{stderr}");
            assert!(stderr.contains("nothing was published"), "{stderr}");
            assert_eq!(sandbox.unfinished(), "");
        } else {
            assert_eq!(output.status.code(), None, "{stderr}");
        }
        assert_eq!(sandbox.read("dist/zip.zip"), before, "{name}");
        assert_eq!(sandbox.read("dist/zip.zip.intoto.json"), statement, "{name}");
    }
    // The next one clears away what the killed one left.
    sandbox.run(&level).success();
    assert_eq!(sandbox.unfinished(), "");
    assert_ne!(sandbox.read("dist/zip.zip"), before);
}
