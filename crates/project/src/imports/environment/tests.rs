//! Environments of a few files each, and what is found in them.

use bytekiln_graph::TargetPlatform;
use bytekiln_python::Release;
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use super::*;

/// What is found in a tree whose workspace is `repo`.
fn check(fixture: &str, choice: impl Fn(&Tree) -> VenvChoice, release: Option<u8>, expect: Expect) {
    let tree = Tree::new(fixture);
    std::fs::create_dir_all(tree.path("repo")).unwrap();
    let release = release.and_then(Release::from_minor);
    let text = match find_venv(&tree.path("repo"), &choice(&tree), release) {
        Ok(None) => "none".to_owned(),
        Ok(Some(venv)) => {
            let mut text =
                format!("{} {}.{}", venv.folder.display(), venv.version.0, venv.version.1);
            for folder in &venv.site {
                text.push_str(&format!("\n  {}", folder.display()));
            }
            if let Some(library) = venv.release().and_then(|release| venv.standard_library(release))
            {
                text.push_str(&format!("\nlibrary {}", library.display()));
            }
            text
        }
        Err(error) => format!(
            "{} error: {error}\n  help: {}",
            if error.is_usage() { "usage" } else { "environment" },
            error.hint()
        ),
    };
    expect.assert_eq(&text.replace(&tree.root().display().to_string(), "/ROOT"));
}

const VENV: &str = "
//- /repo/.venv/pyvenv.cfg
home = BASE
include-system-site-packages = false
version = 3.12.4
//- /repo/.venv/lib/python3.12/site-packages/six.py
//- /repo/.venv/lib/python3.11/site-packages/old.py
";

#[test]
fn a_folder_of_the_usual_name_is_found() {
    check(
        VENV,
        |_| VenvChoice::Search,
        None,
        expect![[r#"
            /ROOT/repo/.venv 3.12
              /ROOT/repo/.venv/lib/python3.12/site-packages"#]],
    );
    check(VENV, |_| VenvChoice::Without, None, expect!["none"]);
    let package = "
        //- /repo/venv/__init__.py
    ";
    check(package, |_| VenvChoice::Search, None, expect!["none"]);
}

#[test]
fn what_is_named_has_to_be_there() {
    check(
        VENV,
        |tree| VenvChoice::Named(tree.path("repo/env")),
        None,
        expect![[r#"
            usage error: `/ROOT/repo/env` is no virtual environment: there is no such folder
              help: name the folder that holds `pyvenv.cfg`, or the prefix of an installation of Python"#]],
    );
    check(
        VENV,
        |tree| VenvChoice::Variable(tree.path("repo")),
        None,
        expect![[r#"
            environment error: `VIRTUAL_ENV` names `/ROOT/repo`, which is no virtual environment: it has no `pyvenv.cfg`
              help: name another with `--venv`, or none with `--no-venv`"#]],
    );
    let broken = "
        //- /env/pyvenv.cfg
        version_info = 3.13.0
        //- /env/lib/python3.12/site-packages/six.py
    ";
    check(
        broken,
        |tree| VenvChoice::Variable(tree.path("env")),
        None,
        expect![[r#"
            environment error: the virtual environment `/ROOT/env` has no `lib/python3.13/site-packages`
              help: make the environment again, or use `--no-venv`"#]],
    );
}

#[test]
fn the_system_s_packages_come_after_the_environment_s() {
    let tree = Tree::new(
        "
        //- /usr/lib/python3.12/os.py
        //- /usr/lib/python3.12/site-packages/old.py
        //- /usr/lib/python3/dist-packages/apt.py
        //- /usr/bin/python3
        //- /env/lib/python3.12/site-packages/six.py
        //- /env/lib/python3.12/site-packages/a.pth
        # a comment
        import sys; sys.path.append('no')
        ../../../../elsewhere
        ../../../../repo/member
        missing
        //- /elsewhere/editable.py
        //- /repo/member/m.py
        ",
    );
    let home = tree.path("usr/bin").display().to_string();
    tree.write("env/pyvenv.cfg", format!("home = {home}\ninclude-system-site-packages = True\n"));
    let choice = VenvChoice::Named(tree.path("env"));
    let venv = find_venv(&tree.path("repo"), &choice, None).unwrap().unwrap();
    let below = |path: &PathBuf| path.strip_prefix(tree.root()).unwrap().display().to_string();
    expect![[r#"
        [
            "env/lib/python3.12/site-packages",
            "elsewhere",
            "usr/lib/python3.12/site-packages",
            "usr/lib/python3/dist-packages",
        ]
    "#]]
    .assert_debug_eq(&venv.site.iter().map(below).collect::<Vec<_>>());
    let release = Release::from_minor(12).unwrap();
    let library = Some(tree.path("usr/lib/python3.12"));
    assert_eq!(venv.standard_library(release), library);
    assert_eq!(venv.standard_library(Release::from_minor(11).unwrap()), None);
    // An interpreter finds the same, from the installation and by a link from elsewhere.
    assert_eq!(standard_library(&tree.path("usr/bin/python3"), release), library);
    std::os::unix::fs::symlink(tree.path("usr/bin/python3"), tree.path("python3")).unwrap();
    let real = library.map(|path| path.canonicalize().unwrap());
    assert_eq!(standard_library(&tree.path("python3"), release), real);
}

#[test]
fn a_prefix_with_several_pythons() {
    let fixture = "
        //- /usr/lib/python3.11/os.py
        //- /usr/lib/python3.11/site-packages/a.py
        //- /usr/lib/python3.12/os.py
        //- /usr/lib64/python3.12/site-packages/b.py
    ";
    let choice = |tree: &Tree| VenvChoice::Named(tree.path("usr"));
    check(
        fixture,
        choice,
        None,
        expect![[r#"
            usage error: `/ROOT/usr` holds Python 3.11, 3.12
              help: say which with `--python`"#]],
    );
    check(
        fixture,
        choice,
        Some(12),
        expect![[r#"
            /ROOT/usr 3.12
              /ROOT/usr/lib64/python3.12/site-packages
            library /ROOT/usr/lib/python3.12"#]],
    );
}

#[test]
fn platforms() {
    let linux = target_platform("linux-x86_64-x86_64-linux-gnu").unwrap();
    assert_eq!(linux.sys_platform.as_deref(), Some("linux"));
    assert_eq!(linux.machine.as_deref(), Some("x86_64"));
    assert_eq!(target_platform("Windows").unwrap().os_name.as_deref(), Some("nt"));
    assert_eq!(target_platform("all"), Some(TargetPlatform::default()));
    assert_eq!(target_platform("amiga"), None);
}
