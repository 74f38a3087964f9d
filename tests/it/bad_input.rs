//! Bad input: one clear error each, and nothing lost of the rest.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::sandbox::{Sandbox, full_size};

/// A file that fails to compile beside one that is fine: the good one is built, the bad one is
/// named with its line, the exit status is 1, and so it is again the second time.
#[track_caller]
fn check_rejected(content: &[u8], parts: &[&str]) {
    let Some(sandbox) = Sandbox::new("//- /good.py\nx = 1\n") else { return };
    sandbox.write("bad.py", content);
    for _ in 0..2 {
        let output = sandbox.run(&["build"]).code(1).says(&["bad.py"]).says(parts);
        assert!(!output.stderr.contains("good.py"), "{}", output.shown());
    }
    assert_eq!(sandbox.caches(), [format!("__pycache__/good.{}.pyc", sandbox.tag())]);
    // Mended, it is compiled.
    sandbox.write("bad.py", "x = 1\n");
    assert_eq!(sandbox.build(&[]).success().results(), ["bad.py compiled"]);
}

#[test]
fn a_syntax_error_shows_its_place() {
    check_rejected(b"x = 1\nif x\n    pass\n", &["bad.py:2:", "if x", "^"]);
}

#[test]
fn python_2_is_rejected() {
    check_rejected(b"def f():\n    print 'hello'\n", &["bad.py:2:", "print 'hello'"]);
}

#[test]
fn bytes_that_are_no_utf_8_are_rejected() {
    check_rejected(b"x = 'caf\xe9'\n", &["bad.py"]);
}

#[test]
fn an_unknown_encoding_is_rejected() {
    check_rejected(b"# coding: klingon\nx = 1\n", &["klingon"]);
}

#[test]
fn null_bytes_are_rejected() {
    check_rejected(b"x = 1\0\n", &["null"]);
}

#[test]
fn deep_nesting_is_rejected() {
    let text = format!("x = {}1{}\n", "(".repeat(5000), ")".repeat(5000));
    check_rejected(text.as_bytes(), &["bad.py"]);
}

#[test]
fn all_broken_files_are_listed() {
    let Some(sandbox) = Sandbox::new("//- /good.py\nx = 1\n") else { return };
    for index in 0..20 {
        sandbox.write(&format!("bad_{index}.py"), "x = (\n");
    }
    let output = sandbox.run(&["build"]).code(1);
    for index in 0..20 {
        assert!(output.stderr.contains(&format!("bad_{index}.py")), "{}", output.shown());
    }
}

#[test]
fn declared_encodings_compile_as_in_cpython() {
    let Some(sandbox) = Sandbox::new("") else { return };
    sandbox.write("latin.py", b"# -*- coding: latin-1 -*-\nx = 'caf\xe9'\n");
    sandbox.write("mark.py", b"\xef\xbb\xbfx = 'caf\xc3\xa9'\n");
    sandbox.write("japanese.py", b"# coding: shift_jis\nx = '\x93\xfa\x96{'\n");
    sandbox.build(&[]).success();
    sandbox.imports_from_caches(&[], &["latin", "mark", "japanese"]);
    let code = "import latin, mark, japanese; print(ascii([latin.x, mark.x, japanese.x]))";
    let output = sandbox.python(&["-c", code]).success();
    assert_eq!(output.stdout, "['caf\\xe9', 'caf\\xe9', '\\u65e5\\u672c']\n");
}

#[test]
fn a_large_generated_module_compiles() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let megabytes = if full_size() { 20 } else { 1 };
    let mut text = String::from("TABLE = {\n");
    let mut key = 0;
    while text.len() < megabytes * 1_000_000 {
        text.push_str(&format!("    'key-{key}': ({key}, {key}.5, 'value {key}'),\n"));
        key += 1;
    }
    text.push_str("}\n");
    sandbox.write("table.py", text);
    sandbox.build(&[]).success();
    sandbox.imports_from_caches(&[], &["table"]);
}

#[test]
fn an_empty_folder_is_told() {
    let Some(sandbox) = Sandbox::new("//- /notes.txt\nnothing Python here\n") else { return };
    let output = sandbox.run(&["build"]);
    let code = output.status.code();
    assert!(matches!(code, Some(2 | 3)), "{}", output.shown());
    output.says(&["error"]);
    let missing = sandbox.run(&["build", "--manifest-path", "no/such/folder"]);
    assert!(matches!(missing.status.code(), Some(2 | 3)), "{}", missing.shown());
    missing.says(&["no/such/folder"]);
}

#[test]
fn strange_names_do_not_stop_the_others() {
    let Some(sandbox) = Sandbox::new("//- /good.py\nx = 1\n") else { return };
    sandbox.write("two words.py", "x = 1\n");
    sandbox.write("line\nbreak.py", "x = 1\n");
    sandbox.write("caf\u{e9}.py", "x = 1\n");
    sandbox.write("Case.py", "x = 1\n");
    sandbox.write("case.py", "x = 2\n");
    let bytes = OsStr::from_bytes(b"bytes\xff.py");
    // Some file systems refuse such a name; then there is nothing to test.
    let written = fs::write(sandbox.root().join(bytes), "x = 1\n").is_ok();
    let output = sandbox.build(&[]);
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{}", output.shown());
    assert!(written || code == Some(0), "{}", output.shown());
    let caches = sandbox.caches();
    for name in ["good", "caf\u{e9}"] {
        let expected = format!("__pycache__/{name}.{}.pyc", sandbox.tag());
        assert!(caches.contains(&expected), "{caches:?}");
    }
    sandbox.imports_from_caches(&[], &["good", "caf\u{e9}"]);
}

#[test]
fn a_link_out_of_the_workspace_is_not_followed() {
    let Some(sandbox) = Sandbox::new("//- /good.py\nx = 1\n") else { return };
    let outside = sandbox.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.py"), "x = 1\n").unwrap();
    symlink(outside.join("secret.py"), sandbox.path("linked.py")).unwrap();
    symlink(&outside, sandbox.path("folder")).unwrap();
    symlink("nowhere.py", sandbox.path("dangling.py")).unwrap();
    sandbox.run(&["build", "-v"]);
    assert!(!outside.join("__pycache__").exists());
    assert_eq!(sandbox.caches(), [format!("__pycache__/good.{}.pyc", sandbox.tag())]);
}

#[test]
fn an_output_folder_that_is_a_file_is_named() {
    let fixture = "
        //- /one/a.py
        x = 1
        //- /one/__pycache__
        not a folder
        //- /two/b.py
        x = 1
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    sandbox.run(&["build"]).code(1).says(&["one/__pycache__"]);
    assert_eq!(sandbox.caches(), [format!("two/__pycache__/b.{}.pyc", sandbox.tag())]);
    assert_eq!(sandbox.read("one/__pycache__"), b"not a folder\n");
}

#[test]
fn two_sources_of_one_module_are_told() {
    let fixture = "
        //- /m.py
        x = 1
        //- /m/__init__.py
        x = 2
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let output = sandbox.run(&["build"]).says(&["m.py", "m/__init__.py"]);
    assert!(matches!(output.status.code(), Some(0..=2)), "{}", output.shown());
}

#[test]
fn a_missing_interpreter_is_an_environment_error() {
    let Some(sandbox) = Sandbox::new("//- /m.py\nx = 1\n") else { return };
    sandbox.run(&["build", "--python", "3.99"]).code(3).says(&["3.99"]);
    sandbox.run(&["build", "--python", "./no/python"]).code(3).says(&["no/python"]);
    fs::write(sandbox.beside("plain"), "").unwrap();
    let plain = sandbox.beside("plain").to_string_lossy().into_owned();
    sandbox.run(&["build", "--python", &plain]).code(3).says(&["plain"]);
    sandbox.run(&["build", "--python", "/bin/echo"]).code(3).says(&["/bin/echo"]);
}

#[test]
fn a_noisy_interpreter_works() {
    let Some(sandbox) = Sandbox::new("//- /m.py\nx = 1\n") else { return };
    sandbox.script_python("echo noise; echo more noise >&2\nexec REAL \"$@\"");
    let output = sandbox.run(&["build", "--python", "python3"]);
    // It may be refused, but by name and at once; it may not break the protocol.
    match output.status.code() {
        Some(0) => sandbox.imports_from_caches(&[], &["m"]),
        Some(1 | 3) => drop(output.says(&["python3"])),
        _ => panic!("{}", output.shown()),
    }
}

#[test]
fn manifest_errors_show_their_place() {
    let fixture = "
        //- /bytekiln.toml
        [profile.dev]
        optimise = [0]
        //- /m.py
        x = 1
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    sandbox.run(&["build"]).code(2).says(&["bytekiln.toml:2:1", "optimise", "optimize"]);
    sandbox.write("bytekiln.toml", "[profile.dev\n");
    sandbox.run(&["build"]).code(2).says(&["bytekiln.toml:1"]);
    assert_eq!(sandbox.caches(), [""; 0]);
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let Some(sandbox) = Sandbox::new("//- /m.py\nx = 1\n") else { return };
    sandbox.run(&["biuld"]).code(2).says(&["build"]);
    sandbox.run(&["build", "--profile", "relaese"]).code(2).says(&["release"]);
    sandbox.run(&["build", "-p", "nobody"]).code(2).says(&["nobody"]);
    sandbox.run(&["build", "--optimize", "3"]).code(2);
    sandbox.run(&["build", "--jobs", "0"]).code(2);
}
