//! Builds of a part: the closure of an entry, or what changes affect. What is outside is neither
//! touched nor forgotten.

use serde_json::Value;

use crate::affected::{commit, repository};
use crate::sandbox::Sandbox;

const PROGRAMS: &str = "
    //- /.gitignore
    __pycache__/
    .bytekiln/
    //- /front.py
    import shop.cart
    def main():
        import shop.mail
    //- /back.py
    import shop.money
    //- /shop/__init__.py
    //- /shop/cart.py
    from shop import money
    //- /shop/money.py
    RATE = 2
    //- /shop/mail.py
    import smtplib
    //- /shop/unused.py
    import nothing
";

fn stems(sandbox: &Sandbox) -> Vec<String> {
    let caches = sandbox.caches().into_iter();
    caches
        .map(|path| path.replace("__pycache__/", "").split('.').next().unwrap().to_owned())
        .collect()
}

#[test]
fn an_entry_is_built_with_what_it_imports() {
    let Some(sandbox) = Sandbox::new(PROGRAMS) else { return };
    let output = sandbox.run(&["build", "--entry", "front"]).success();
    output.says(&["Selected 4 sources that `front` is or imports eagerly", "4 compiled"]);
    assert_eq!(stems(&sandbox), ["front", "shop/__init__", "shop/cart", "shop/money"]);
    sandbox.imports_from_caches(&[], &["front"]);
    // As an entry point is written, with what runs later; by path; two of them.
    let arguments = ["build", "--entry", "front:main", "--imports", "runtime"];
    sandbox.run(&arguments).success().says(&["1 compiled, 4 fresh"]);
    assert!(stems(&sandbox).contains(&"shop/mail".to_owned()));
    sandbox
        .run(&["build", "--entry", "./back.py", "--entry", "front"])
        .success()
        .says(&["1 compiled, 4 fresh"]);
    assert!(!stems(&sandbox).contains(&"shop/unused".to_owned()));
    // The rest.
    sandbox.run(&["build"]).success().says(&["1 compiled, 6 fresh"]);
    sandbox.run(&["check"]).success();
}

#[test]
fn what_is_outside_is_neither_touched_nor_forgotten() {
    let Some(sandbox) = Sandbox::new(PROGRAMS) else { return };
    sandbox.run(&["build"]).success();
    let before = sandbox.cache_bytes();
    sandbox.write("back.py", "import shop.money\nX = 1\n");
    sandbox.write("shop/cart.py", "from shop import money\nX = 1\n");
    sandbox.remove("shop/unused.py");
    sandbox.run(&["check", "--entry", "front"]).code(1).says(&["compile 1 file and remove 0"]);
    sandbox.run(&["build", "--entry", "front"]).success().says(&["1 compiled, 3 fresh"]);
    let after = sandbox.cache_bytes();
    let changed: Vec<&String> =
        before.iter().filter(|cache| !after.contains(cache)).map(|(path, _)| path).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    sandbox.run(&["check", "--entry", "front"]).success();
    // Now all of it: what was built is known, what was not is not taken for built.
    let output = sandbox.run(&["check"]).code(1);
    assert!(output.stdout.contains("1 to compile, 1 to remove, 5 fresh"), "{}", output.shown());
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.caches().len(), before.len() - 1);
    // A part in which there is nothing to do leaves a settled workspace settled.
    sandbox.run(&["build", "--entry", "front"]).success().says(&["4 fresh"]);
    sandbox.run(&["check"]).success();
}

#[test]
fn faults_outside_do_not_fail_a_part() {
    let Some(sandbox) = Sandbox::new(PROGRAMS) else { return };
    sandbox.write("shop/unused.py", "def\n");
    sandbox.run(&["build", "--entry", "front"]).success();
    sandbox.run(&["build", "--entry", "shop.unused"]).code(1);
    sandbox.run(&["build", "--entry", "front"]).success();
    sandbox.run(&["check"]).code(1);
}

#[test]
fn an_entry_that_is_not_there() {
    let Some(sandbox) = Sandbox::new(PROGRAMS) else { return };
    sandbox
        .run(&["build", "--entry", "shop.crat"])
        .code(2)
        .says(&["there is no module `shop.crat`", "did you mean `shop.cart`?"]);
    sandbox.run(&["plan", "--entry", "front", "--affected", "--since", "HEAD"]).code(2);
    sandbox.run(&["build", "--affected"]).code(2).says(&["--since"]);
    assert_eq!(sandbox.caches(), [""; 0]);
}

#[test]
fn plans_and_members_go_with_entries() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /a/pyproject.toml
        [project]
        name = 'a'
        //- /a/a.py
        import b
        //- /b/pyproject.toml
        [project]
        name = 'b'
        //- /b/b.py
        //- /b/other.py
        ",
    ) else {
        return;
    };
    let output = sandbox.run(&["plan", "--entry", "a", "--format", "json"]).success();
    let plan: Value = serde_json::from_str(&output.stdout).unwrap();
    let sources: Vec<&Value> =
        plan["steps"].as_array().unwrap().iter().map(|step| &step["source"]).collect();
    assert_eq!(sources, ["a/a.py", "b/b.py"]);
    std::fs::write(sandbox.beside("plan.json"), &output.stdout).unwrap();
    sandbox.run(&["build", "-p", "b", "--entry", "a"]).success();
    assert_eq!(stems(&sandbox), ["b/b"], "of the closure what belongs to the member");
    let file = sandbox.beside("plan.json").to_string_lossy().into_owned();
    sandbox.run(&["build", "--plan", &file]).success();
    assert_eq!(stems(&sandbox), ["a/a", "b/b"]);
    sandbox.run(&["check", "--entry", "a"]).success();
    sandbox.run(&["check"]).code(1);
}

#[test]
fn only_what_is_affected() {
    let Some(sandbox) = repository(PROGRAMS) else { return };
    sandbox.run(&["build"]).success();
    sandbox.write("shop/money.py", "RATE = 3\n");
    sandbox.write("shop/unused.py", "X = 1\n");
    commit(&sandbox);
    sandbox.write("shop/mail.py", "import email\n");
    // Since the last commit only the mail, and who imports that.
    sandbox
        .run(&["build", "--affected", "--since", "HEAD"])
        .success()
        .says(&["Selected 2 sources affected by what changed since `HEAD`", "1 compiled, 1 fresh"]);
    sandbox.run(&["check", "--affected", "--since", "HEAD"]).success();
    sandbox.run(&["check", "--affected", "--since", "base"]).code(1).says(&["compile 2 files"]);
    sandbox.run(&["build", "--affected", "--since", "base"]).success();
    sandbox.run(&["check"]).success();
    // The output of a source that is gone goes too, and no other's.
    sandbox.remove("shop/mail.py");
    commit(&sandbox);
    sandbox.remove("back.py");
    // Both are gone since `base`; only one since the last commit.
    sandbox.run(&["build", "--affected", "--since", "HEAD"]).success().says(&["1 removed"]);
    assert!(!stems(&sandbox).contains(&"back".to_owned()));
    assert!(stems(&sandbox).contains(&"shop/mail".to_owned()));
    sandbox.run(&["build", "--affected", "--since", "base"]).success().says(&["1 removed"]);
    assert!(!stems(&sandbox).contains(&"shop/mail".to_owned()));
    sandbox.run(&["check"]).success();
}

#[test]
fn a_build_that_stops_early_tries_first_what_most_import() {
    let Some(sandbox) = Sandbox::new("") else { return };
    for number in 0..100 {
        sandbox.write(&format!("m{number:02}.py"), "import zz\n");
    }
    sandbox.write("zz.py", "def\n");
    let output = sandbox.build(&["--no-keep-going", "--jobs", "1"]).code(1);
    let results = output.results();
    assert!(results.contains(&"zz.py rejected".to_owned()), "{}", output.shown());
    // Those that the worker had been sent already.
    let compiled = results.iter().filter(|result| result.ends_with(" compiled")).count();
    assert!(compiled < 20, "{compiled} were compiled before the one that all of them import");
}

fn fingerprints(sandbox: &Sandbox) -> Vec<(String, String)> {
    let output = sandbox.run(&["plan", "--format", "json"]).success();
    let plan: Value = serde_json::from_str(&output.stdout).unwrap();
    let members = plan["members"].as_array().unwrap().iter();
    members
        .map(|member| {
            let text = |key: &str| member[key].as_str().unwrap_or("none").to_owned();
            (text("name"), text("fingerprint"))
        })
        .collect()
}

/// Members whose fingerprint another one differs from.
fn changed(sandbox: &Sandbox, before: &mut Vec<(String, String)>) -> Vec<String> {
    let after = fingerprints(sandbox);
    let pairs = before.iter().zip(&after);
    let names = pairs.filter(|(old, new)| old != new).map(|(_, new)| new.0.clone()).collect();
    *before = after;
    names
}

/// `top` imports `middle`, that imports `base`; `apart` imports nobody.
const LAYERS: &str = "
    //- /top/pyproject.toml
    [project]
    name = 'top'
    //- /top/top.py
    import middle
    //- /middle/pyproject.toml
    [project]
    name = 'middle'
    //- /middle/middle/__init__.py
    def late():
        import base.used
    //- /base/pyproject.toml
    [project]
    name = 'base'
    //- /base/base/__init__.py
    //- /base/base/used.py
    //- /base/base/unused.py
    //- /apart/pyproject.toml
    [project]
    name = 'apart'
    //- /apart/apart.py
    import json
";

#[test]
fn fingerprints_follow_imports() {
    let Some(sandbox) = Sandbox::new(LAYERS) else { return };
    let mut now = fingerprints(&sandbox);
    assert_eq!(
        now.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        [".", "apart", "base", "middle", "top"]
    );
    assert!(now.iter().skip(1).all(|(_, digest)| digest.len() == 64), "{now:?}");
    assert_eq!(now[0].1, "none", "the root has no module");
    // What changes nothing that is imported changes no fingerprint.
    sandbox.run(&["build"]).success();
    sandbox.touch("base/base/used.py", 5000);
    sandbox.write("base/README.md", "text\n");
    assert_eq!(changed(&sandbox, &mut now), [""; 0]);
    for (file, expected) in [
        ("base/base/used.py", vec!["base", "middle", "top"]),
        ("base/base/__init__.py", vec!["base", "middle", "top"]),
        ("base/base/unused.py", vec!["base"]),
        ("middle/middle/__init__.py", vec!["middle", "top"]),
        ("top/top.py", vec!["top"]),
        ("apart/apart.py", vec!["apart"]),
    ] {
        let text = String::from_utf8(sandbox.read(file)).unwrap();
        sandbox.write(file, format!("{text}# more\n"));
        assert_eq!(changed(&sandbox, &mut now), expected, "after a change of {file}");
        let before = now.clone();
        sandbox.write(file, text);
        assert_eq!(changed(&sandbox, &mut now), expected, "{file} is as it was");
        assert_ne!(before, now);
    }
    // A module that comes to be found where one was missing, and one that goes.
    sandbox.write(
        "top/top.py",
        "import middle\ntry:\n    import base.new\nexcept ImportError: pass\n",
    );
    changed(&sandbox, &mut now);
    sandbox.write("base/base/new.py", "");
    assert_eq!(changed(&sandbox, &mut now), ["base", "top"]);
    sandbox.remove("base/base/unused.py");
    assert_eq!(changed(&sandbox, &mut now), ["base"]);
}

#[test]
fn fingerprints_know_no_folder() {
    let (Some(here), Some(there)) = (Sandbox::new(LAYERS), Sandbox::new(LAYERS)) else { return };
    assert_eq!(fingerprints(&here), fingerprints(&there));
}
