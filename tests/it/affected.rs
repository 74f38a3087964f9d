//! `affected`: what changes of real git repositories touch.

use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::sandbox::{Output, Sandbox, finish};

/// Runs git in a folder, without the settings of whoever runs the tests.
pub(crate) fn git_in(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]);
    command.args(["-c", "commit.gpgSign=false"]).args(arguments).current_dir(folder);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    finish(&mut command).success();
}

pub(crate) fn commit(sandbox: &Sandbox) {
    git_in(&sandbox.root(), &["add", "-A"]);
    git_in(&sandbox.root(), &["commit", "-q", "-m", "x"]);
}

/// A workspace that is a repository with one commit, on the branches `main` and `base`.
pub(crate) fn repository(fixture: &str) -> Option<Sandbox> {
    let sandbox = Sandbox::new(fixture)?;
    git_in(&sandbox.root(), &["init", "-q"]);
    commit(&sandbox);
    git_in(&sandbox.root(), &["branch", "base"]);
    Some(sandbox)
}

fn affected(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut all = vec!["affected"];
    all.extend_from_slice(arguments);
    sandbox.run(&all)
}

/// What is printed for people, and after a line what is said of it.
#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], expected: Expect) {
    let output = affected(sandbox, arguments).success();
    // Commits have other names each time.
    let said: String = output
        .stderr
        .lines()
        .map(|line| {
            let line = line.split_once(" (").map_or(line, |(line, _)| line);
            format!("{line}\n")
        })
        .collect();
    expected.assert_eq(&format!("{}--\n{said}", output.stdout));
}

fn json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend_from_slice(&["--format", "json"]);
    let output = affected(sandbox, &all).success();
    serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", output.shown()))
}

/// Two programs and a package that both use.
const SHOP: &str = "
    //- /.gitignore
    __pycache__/
    .bytekiln/
    //- /shop/__init__.py
    NAME = 'shop'
    //- /shop/money.py
    RATE = 2
    //- /shop/cart.py
    from shop import money
    //- /shop/mail/__init__.py
    //- /shop/mail/send.py
    def send():
        import shop.cart
    //- /front.py
    import shop.cart
    //- /tests/test_cart.py
    import shop.cart
    //- /tests/test_other.py
    import json
    //- /README.md
    The shop.
";

#[test]
fn importers_are_affected() {
    let Some(sandbox) = repository(SHOP) else { return };
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
        --
            Affected 0 modules of 0 members, by 0 changed files since `base`
    "#]],
    );
    sandbox.write("shop/money.py", "RATE = 3\n");
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
        front            front.py            imports shop.cart, 2 imports away
        shop.cart        shop/cart.py        imports shop.money
        shop.mail.send   shop/mail/send.py   imports shop.cart, 2 imports away
        shop.money       shop/money.py       changed
        tests.test_cart  tests/test_cart.py  imports shop.cart, 2 imports away
        --
            Affected 5 modules of 1 member, by 1 changed file since `base`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "base", "--why"],
        expect![[r#"
        front            front.py            imports shop.cart, 2 imports away
            front.py:1 imports shop.cart
            shop/cart.py:1 imports shop.money
            shop.money: changed
        shop.cart        shop/cart.py        imports shop.money
            shop/cart.py:1 imports shop.money
            shop.money: changed
        shop.mail.send   shop/mail/send.py   imports shop.cart, 2 imports away
            shop/mail/send.py:2 imports shop.cart
            shop/cart.py:1 imports shop.money
            shop.money: changed
        shop.money       shop/money.py       changed
        tests.test_cart  tests/test_cart.py  imports shop.cart, 2 imports away
            tests/test_cart.py:1 imports shop.cart
            shop/cart.py:1 imports shop.money
            shop.money: changed
        --
            Affected 5 modules of 1 member, by 1 changed file since `base`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "base", "--imports", "eager"],
        expect![[r#"
        front            front.py            imports shop.cart, 2 imports away
        shop.cart        shop/cart.py        imports shop.money
        shop.money       shop/money.py       changed
        tests.test_cart  tests/test_cart.py  imports shop.cart, 2 imports away
        --
            Affected 4 modules of 1 member, by 1 changed file since `base`
    "#]],
    );
    // The same once it is committed, and while other things are.
    commit(&sandbox);
    sandbox.write("README.md", "Another shop.\n");
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
        front            front.py            imports shop.cart, 2 imports away
        shop.cart        shop/cart.py        imports shop.money
        shop.mail.send   shop/mail/send.py   imports shop.cart, 2 imports away
        shop.money       shop/money.py       changed
        tests.test_cart  tests/test_cart.py  imports shop.cart, 2 imports away
        --
            Affected 5 modules of 1 member, by 1 changed file since `base`
             Unknown 1 changed file belongs to no module, so nothing is affected by it: `README.md`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "HEAD"],
        expect![[r#"
        --
            Affected 0 modules of 0 members, by 0 changed files since `HEAD`
             Unknown 1 changed file belongs to no module, so nothing is affected by it: `README.md`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "base", "--by", "member"],
        expect![[r#"
        .  .  5 of 8 modules, 1 changed
        --
            Affected 5 modules of 1 member, by 1 changed file since `base`
             Unknown 1 changed file belongs to no module, so nothing is affected by it: `README.md`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "base", "--by", "file"],
        expect![[r#"
        front.py
        shop/cart.py
        shop/mail/send.py
        shop/money.py
        tests/test_cart.py
        --
            Affected 5 modules of 1 member, by 1 changed file since `base`
             Unknown 1 changed file belongs to no module, so nothing is affected by it: `README.md`
    "#]],
    );
}

#[test]
fn for_other_tools() {
    let Some(sandbox) = repository(SHOP) else { return };
    sandbox.write("shop/money.py", "RATE = 3\n");
    sandbox.write("tests/test_odd\nname.py", "import shop.money\n");
    let run = |arguments: &[&str]| affected(&sandbox, arguments).success().stdout;
    let names = run(&["--since", "base", "--format", "names"]);
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        [
            "front",
            "shop.cart",
            "shop.mail.send",
            "shop.money",
            "tests.test_cart",
            "tests.test_odd\\x0aname"
        ]
    );
    let tests = run(&["--since", "base", "--only", "test_*.py", "--format", "paths", "-0"]);
    assert_eq!(tests, "tests/test_cart.py\0tests/test_odd\nname.py\0");
    let below = finish(
        sandbox
            .command(&["affected", "--since", "base", "--format", "paths"])
            .current_dir(sandbox.path("shop")),
    )
    .success();
    assert!(below.stdout.starts_with("../front.py\n"), "{}", below.shown());
    assert!(below.stdout.contains("\nmoney.py\n"), "{}", below.shown());

    // A list of files, with and without NULs.
    std::fs::write(sandbox.beside("list"), "shop/mail/send.py\n").unwrap();
    let list = sandbox.beside("list").to_string_lossy().into_owned();
    assert_eq!(run(&["--files-from", &list, "--format", "names"]), "shop.mail.send\n");
    std::fs::write(&list, "shop/mail/send.py\0tests/test_other.py\0").unwrap();
    let both = run(&["--files-from", &list, "--format", "names"]);
    assert_eq!(both, "shop.mail.send\ntests.test_other\n");
    let mut command = sandbox.command(&["affected", "--files-from", "-", "--format", "names"]);
    command.stdin(Stdio::from(std::fs::File::open(&list).unwrap()));
    assert_eq!(finish(&mut command).success().stdout, both);
    assert_eq!(run(&["--files", "front.py", "README.md", "--format", "names"]), "front\n");
    let beside = sandbox.beside("list").to_string_lossy().into_owned();
    affected(&sandbox, &["--files", "../list"]).success().says(&["Unknown", &beside]);
    assert_eq!(run(&["--files", "tests", "--format", "paths", "-0"]).matches('\0').count(), 3);
}

#[test]
fn the_exit_status() {
    let Some(sandbox) = repository(SHOP) else { return };
    affected(&sandbox, &["--since", "base", "--exit-code"]).success();
    sandbox.write("README.md", "Another shop.\n");
    affected(&sandbox, &["--since", "base", "--exit-code"]).success();
    affected(&sandbox, &["--since", "base", "--exit-code", "--unknown", "all"]).code(1);
    sandbox.write("front.py", "import shop.money\n");
    affected(&sandbox, &["--since", "base", "--exit-code"]).code(1);
    affected(&sandbox, &["--since", "base", "--exit-code", "--only", "test_*.py"]).success();
    affected(&sandbox, &[]).code(2).says(&["it is not said what changed", "--since"]);
    affected(&sandbox, &["--since", "nowhere"])
        .code(2)
        .says(&["git knows no revision `nowhere`", "git branch -a"]);
    affected(&sandbox, &["--since", "HEAD", "--only", "[x"]).code(2).says(&["--only `**/[x`"]);
}

#[test]
fn without_a_repository_or_git() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    affected(&sandbox, &["--since", "HEAD"]).code(3).says(&["is in no git repository", "--files"]);
    affected(&sandbox, &["--files", "front.py"]).success();
    let mut command = sandbox.command(&["affected", "--since", "HEAD"]);
    command.env("PATH", sandbox.beside("bin"));
    finish(&mut command).code(3).says(&["`git` could not be started", "install git"]);
}

#[test]
fn what_a_hook_says_of_the_repository_does_not_matter() {
    let Some(sandbox) = repository(SHOP) else { return };
    sandbox.write("front.py", "import shop.money\n");
    let mut command = sandbox.command(&["affected", "--since", "base", "--format", "names"]);
    command.env("GIT_DIR", "/nowhere").env("GIT_INDEX_FILE", "/nowhere/index");
    command.env("GIT_EXTERNAL_DIFF", "/bin/false");
    assert_eq!(finish(&mut command).success().stdout, "front\n");
}

#[test]
fn a_deleted_module_affects_those_that_miss_it() {
    let Some(sandbox) = repository(SHOP) else { return };
    sandbox.remove("shop/money.py");
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
            front            front.py            imports shop.cart, 2 imports away
            shop.cart        shop/cart.py        imports shop.money
            shop.mail.send   shop/mail/send.py   imports shop.cart, 2 imports away
            shop.money       shop/money.py       deleted
            tests.test_cart  tests/test_cart.py  imports shop.cart, 2 imports away
            --
                Affected 5 modules of 1 member, by 1 changed file since `base`
        "#]],
    );
    let names = affected(&sandbox, &["--files", "shop/money.py", "--format", "names"]).success();
    assert_eq!(
        names.stdout.lines().collect::<Vec<_>>(),
        ["front", "shop.cart", "shop.mail.send", "tests.test_cart"],
        "the module itself is not there to be named"
    );
}

#[test]
fn a_renamed_package_affects_importers_of_both_names() {
    let Some(sandbox) = repository(
        "
        //- /old/__init__.py
        //- /old/tool.py
        //- /uses_old.py
        import old.tool
        //- /uses_new.py
        try:
            import new.tool
        except ImportError:
            pass
        //- /neither.py
        ",
    ) else {
        return;
    };
    git_in(&sandbox.root(), &["mv", "old", "new"]);
    commit(&sandbox);
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
            new       new/__init__.py  changed
            new.tool  new/tool.py      changed
            old       old/__init__.py  deleted
            old.tool  old/tool.py      deleted
            uses_new  uses_new.py      imports new.tool
            uses_old  uses_old.py      imports old.tool
            --
                Affected 6 modules of 1 member, by 4 changed files since `base`
        "#]],
    );
}

#[test]
fn an_init_affects_all_below_it() {
    let Some(sandbox) = repository(SHOP) else { return };
    sandbox.write("shop/mail/__init__.py", "import logging\n");
    check(
        &sandbox,
        &["--since", "base", "--why"],
        expect![[r#"
        shop.mail       shop/mail/__init__.py  changed
        shop.mail.send  shop/mail/send.py      is in shop.mail
            shop/mail/send.py is in shop.mail, whose `__init__` runs first
            shop.mail: changed
        --
            Affected 2 modules of 1 member, by 1 changed file since `base`
    "#]],
    );
    sandbox.remove("shop/mail/__init__.py");
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
            shop.mail       shop/mail/__init__.py  deleted
            shop.mail.send  shop/mail/send.py      is in shop.mail
            --
                Affected 2 modules of 1 member, by 1 changed file since `base`
        "#]],
    );
}

/// Members as uv has them, with data of one.
const MEMBERS: &str = "
    //- /pyproject.toml
    [project]
    name = 'root'
    version = '1'
    [tool.uv.workspace]
    members = ['packages/*']
    //- /bytekiln.toml
    [graph]
    data = { 'packages/core/src/core/*.json' = 'core.rates' }
    //- /packages/core/pyproject.toml
    [project]
    name = 'core'
    version = '1'
    //- /packages/core/src/core/__init__.py
    //- /packages/core/src/core/rates.py
    //- /packages/core/src/core/rates.json
    {}
    //- /packages/core/src/core/other.py
    //- /packages/web/pyproject.toml
    [project]
    name = 'web'
    version = '1'
    //- /packages/web/src/web/__init__.py
    from core import rates
    //- /packages/jobs/pyproject.toml
    [project]
    name = 'jobs'
    version = '1'
    //- /packages/jobs/src/jobs/__init__.py
    //- /uv.lock
    version = 1
";

#[test]
fn members_data_and_manifests() {
    let Some(sandbox) = repository(MEMBERS) else { return };
    sandbox.write("packages/core/src/core/rates.json", "{\"a\": 1}\n");
    check(
        &sandbox,
        &["--since", "base"],
        expect![[r#"
        core.rates  packages/core/src/core/rates.py   reads packages/core/src/core/rates.json, which changed
        web         packages/web/src/web/__init__.py  imports core.rates
        --
            Affected 2 modules of 2 members, by 1 changed file since `base`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "base", "--by", "member"],
        expect![[r#"
            core  packages/core  1 of 3 modules, reads packages/core/src/core/rates.json, which changed
            web   packages/web   1 of 1 module, imports core.rates
            --
                Affected 2 modules of 2 members, by 1 changed file since `base`
        "#]],
    );
    commit(&sandbox);
    sandbox.write("packages/web/pyproject.toml", "[project]\nname = 'web'\nversion = '2'\n");
    check(
        &sandbox,
        &["--since", "HEAD"],
        expect![[r#"
        web  packages/web/src/web/__init__.py  packages/web/pyproject.toml changed
        --
            Affected 1 module of 1 member, by 1 changed file since `HEAD`
    "#]],
    );
    commit(&sandbox);
    sandbox.write("uv.lock", "version = 2\n");
    check(
        &sandbox,
        &["--since", "HEAD"],
        expect![[r#"
        --
            Affected 0 modules of 0 members, by 0 changed files since `HEAD`
             Unknown 1 changed file belongs to no module, so nothing is affected by it: `uv.lock`
    "#]],
    );
    check(
        &sandbox,
        &["--since", "HEAD", "--unknown", "all", "--by", "member"],
        expect![[r#"
            core  packages/core  3 of 3 modules, uv.lock changed
            jobs  packages/jobs  1 of 1 module, uv.lock changed
            web   packages/web   1 of 1 module, uv.lock changed
            --
                Affected 5 modules of 3 members, by 1 changed file since `HEAD`
                 Unknown 1 changed file belongs to no module, so everything is affected: `uv.lock`
        "#]],
    );
    commit(&sandbox);
    sandbox.write("bytekiln.toml", "");
    check(
        &sandbox,
        &["--since", "HEAD", "--by", "member"],
        expect![[r#"
            core  packages/core  3 of 3 modules, bytekiln.toml changed
            jobs  packages/jobs  1 of 1 module, bytekiln.toml changed
            web   packages/web   1 of 1 module, bytekiln.toml changed
            --
                Affected 5 modules of 3 members, by 1 changed file since `HEAD`
        "#]],
    );
}

#[test]
fn a_workspace_below_the_repository() {
    let Some(sandbox) = Sandbox::new(
        "//- /sub dir/ws/bytekiln.toml\n//- /sub dir/ws/a.py\n//- /sub dir/ws/b.py\nimport a\n//- /b.py\n",
    ) else {
        return;
    };
    git_in(&sandbox.root(), &["init", "-q"]);
    commit(&sandbox);
    sandbox.write("b.py", "import os\n");
    sandbox.write("sub dir/ws/a.py", "import os\n");
    let mut command = sandbox.command(&["affected", "--since", "HEAD", "--format", "names"]);
    let output = finish(command.current_dir(sandbox.path("sub dir/ws"))).success();
    assert_eq!(output.stdout, "a\nb\n", "{}", output.shown());
    assert!(!output.stderr.contains("Unknown"), "{}", output.shown());
}

#[test]
fn as_json() {
    let Some(sandbox) = repository(SHOP) else { return };
    sandbox.write("shop/money.py", "RATE = 3\n");
    sandbox.write("README.md", "Another shop.\n");
    sandbox.remove("shop/mail/send.py");
    let found = json(&sandbox, &["--since", "base", "--why"]);
    assert_eq!(found["schema"], "bytekiln-affected/1");
    assert_eq!(found["imports"], "runtime");
    assert_eq!(found["since"]["revision"], "base");
    assert_eq!(found["since"]["base"].as_str().map(str::len), Some(40));
    let roles: Vec<String> = found["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["path"], row["status"], row["role"]))
        .collect();
    expect![[r#"
        "README.md" "modified" "unknown"
        "shop/mail/send.py" "deleted" "module"
        "shop/money.py" "modified" "module""#]]
    .assert_eq(&roles.join("\n"));
    let modules = found["modules"].as_array().unwrap();
    let front = modules.iter().find(|module| module["name"] == "front").unwrap();
    expect![[r#"
        {
          "changed": false,
          "deleted": false,
          "distance": 2,
          "file": "front.py",
          "member": ".",
          "name": "front",
          "through": {
            "file": "front.py",
            "from": "front",
            "kinds": [],
            "line": 1,
            "to": "shop.cart"
          },
          "why": [
            {
              "file": "front.py",
              "from": "front",
              "kinds": [],
              "line": 1,
              "to": "shop.cart"
            },
            {
              "file": "shop/cart.py",
              "from": "shop.cart",
              "kinds": [],
              "line": 1,
              "to": "shop.money"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(front).unwrap());
    assert_eq!(json(&sandbox, &["--since", "base", "--why"]), found, "the same each time");
    let hidden = json(&sandbox, &["--since", "base", "--unknown", "ignore"]);
    assert_eq!(hidden["changes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn artifacts_are_those_of_the_profile() {
    let Some(sandbox) = repository(SHOP) else { return };
    sandbox.run(&["build", "--optimize", "0,2"]).success();
    sandbox.write("shop/money.py", "RATE = 3\n");
    sandbox.remove("shop/mail/send.py");
    let output = affected(&sandbox, &["--since", "base", "--by", "artifact"]).success();
    let text = output.stdout.replace(&sandbox.tag(), "TAG");
    expect![[r#"
        __pycache__/front.TAG.pyc
        shop/__pycache__/cart.TAG.pyc
        shop/__pycache__/money.TAG.pyc
        shop/mail/__pycache__/send.TAG.opt-2.pyc  to be removed
        shop/mail/__pycache__/send.TAG.pyc  to be removed
        tests/__pycache__/test_cart.TAG.pyc
    "#]]
    .assert_eq(&text);
    let paths =
        affected(&sandbox, &["--since", "base", "--by", "artifact", "--format", "paths"]).success();
    assert!(!paths.stdout.contains("send"), "{}", paths.shown());
    let release =
        affected(&sandbox, &["--since", "base", "--by", "artifact", "--release"]).success();
    assert!(release.stdout.contains("front"), "{}", release.shown());
}
