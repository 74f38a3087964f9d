//! `[[artifact]]`: what is said about mistakes, with its place.

use expect_test::{Expect, expect};

use crate::artifacts::fixture;
use crate::check_error;

fn check_wrong(manifest: &str, expected: Expect) {
    check_error(&fixture(manifest), expected);
}

#[test]
fn what_each_needs() {
    check_wrong(
        "[[artifact]]
[[artifact]]
name = 'x'
[[artifact]]
kind = 'tree'
[[artifact]]
name = 'y'
kind = 'site'
[[artifact]]
name = 'z'
kind = 'wheel'
[[artifact]]
name = 'two'
kind = 'wheel'
members = ['a', 'b']
[[artifact]]
name = 'both'
kind = 'wheel'
members = ['a']
wheel = 'x.whl'
[[artifact]]
name = 'p'
kind = 'tree'
layout = 'prefix'
[[artifact]]
name = 'imports'
kind = 'tree'
imports = 'eager'
reachable-only = true
",
        expect![[r#"
            an artifact has no `name`
             --> /ROOT/bytekiln.toml:3:1
              |
            3 | [[artifact]]
              | ^^^^^^^^^^^^
              = help: add `name = "shop"`

            an artifact has no `kind`
             --> /ROOT/bytekiln.toml:3:1
              |
            3 | [[artifact]]
              | ^^^^^^^^^^^^
              = help: add `kind = "zipapp"`

            an artifact has no `kind`
             --> /ROOT/bytekiln.toml:4:1
              |
            4 | [[artifact]]
              | ^^^^^^^^^^^^
              = help: add `kind = "zipapp"`

            an artifact has no `name`
             --> /ROOT/bytekiln.toml:6:1
              |
            6 | [[artifact]]
              | ^^^^^^^^^^^^
              = help: add `name = "shop"`

            an artifact of the kind `site` names no environment
             --> /ROOT/bytekiln.toml:8:1
              |
            8 | [[artifact]]
              | ^^^^^^^^^^^^
              = help: add `site = ".venv"`

            an artifact of the kind `wheel` names no wheel
              --> /ROOT/bytekiln.toml:11:1
               |
            11 | [[artifact]]
               | ^^^^^^^^^^^^
               = help: add `wheel = "dist/*.whl"`, or the one member that `pack --build-wheel` builds

            an artifact of the kind `wheel` names no wheel
              --> /ROOT/bytekiln.toml:17:1
               |
            17 | members = ['a', 'b']
               | ^^^^^^^
               = help: add `wheel = "dist/*.whl"`, or the one member that `pack --build-wheel` builds

            `members` and `wheel` do not go together
              --> /ROOT/bytekiln.toml:21:1
               |
            21 | members = ['a']
               | ^^^^^^^
               = help: keep `wheel` for a wheel that is there, `members` for one that is to be built

            `layout = "prefix"` has no `deploy-root`
              --> /ROOT/bytekiln.toml:26:1
               |
            26 | layout = 'prefix'
               | ^^^^^^
               = help: add the absolute folder in which the tree lies when the program runs: `deploy-root = "/srv/shop"`

            `imports` goes with `entry`
              --> /ROOT/bytekiln.toml:27:1
               |
            27 | [[artifact]]
               | ^^^^^^^^^^^^
               = help: add `entry = ["package.module"]`

            `reachable-only` goes with `entry`
              --> /ROOT/bytekiln.toml:27:1
               |
            27 | [[artifact]]
               | ^^^^^^^^^^^^
               = help: add `entry = ["package.module"]`"#]],
    );
}

#[test]
fn what_does_not_go_together() {
    check_wrong(
        "[[artifact]]
name = 'nothing'
kind = 'tree'
sourceless = true
bytecode = false
[[artifact]]
name = 'lost'
kind = 'tree'
sourceless = ['a/**']
budget = '1MB'
[[artifact]]
name = 'prefix'
kind = 'layer'
sourceless = true
layout = 'prefix'
root = 'app'
prefix = 'app/cache'
[[artifact]]
name = 'unused'
kind = 'tree'
prefix = 'app'
deploy-root = '/srv'
[[artifact]]
name = 'old'
kind = 'tree'
layout = 'legacy'
[[artifact]]
name = 'old'
kind = 'zip'
",
        expect![[r#"
            without sources and without bytecode there is nothing
             --> /ROOT/bytekiln.toml:7:1
              |
            7 | bytecode = false
              | ^^^^^^^^
              = help: remove `bytecode = false` or `sourceless`

            what has neither source nor bytecode is lost
              --> /ROOT/bytekiln.toml:12:1
               |
            12 | budget = '1MB'
               | ^^^^^^
               = help: remove `budget` or `sourceless`

            a module without its source is not looked for below a prefix
              --> /ROOT/bytekiln.toml:17:1
               |
            17 | layout = 'prefix'
               | ^^^^^^
               = help: remove `layout`: such modules lie where their sources would

            `prefix` lies in `root`, where modules are looked for
              --> /ROOT/bytekiln.toml:19:1
               |
            19 | prefix = 'app/cache'
               | ^^^^^^
               = help: name a folder beside it

            `prefix` goes with `layout = "prefix"`
              --> /ROOT/bytekiln.toml:23:1
               |
            23 | prefix = 'app'
               | ^^^^^^

            `deploy-root` goes with `layout = "prefix"`
              --> /ROOT/bytekiln.toml:24:1
               |
            24 | deploy-root = '/srv'
               | ^^^^^^^^^^^

            `m.pyc` beside `m.py` is loaded from zips alone
              --> /ROOT/bytekiln.toml:28:1
               |
            28 | layout = 'legacy'
               | ^^^^^^
               = help: remove `layout`, or let the sources go with `sourceless = true`

            two artifacts are called `old`
              --> /ROOT/bytekiln.toml:29:1
               |
            29 | [[artifact]]
               | ^^^^^^^^^^^^"#]],
    );
}

#[test]
fn places() {
    check_wrong(
        "[[artifact]]
name = 'a'
kind = 'tree'
out = 'build'
[[artifact]]
name = 'b'
kind = 'layer'
out = './build'
[[artifact]]
name = 'c'
kind = 'zip'
out = 'build/c.zip'
[[artifact]]
name = 'd'
kind = 'wheel'
wheel = 'x.whl'
out = 'wheels'
[[artifact]]
name = 'e'
kind = 'wheel'
wheel = 'y.whl'
out = 'wheels'
[[artifact]]
name = 'dist'
kind = 'tree'
out = 'dist'
",
        expect![[r#"
            `a` and `b` would be in one place
              --> /ROOT/bytekiln.toml:10:1
               |
            10 | out = './build'
               | ^^^
               = help: give each an `out` of its own: a folder is replaced with all that is in it

            `a` and `c` would be in one place
              --> /ROOT/bytekiln.toml:14:1
               |
            14 | out = 'build/c.zip'
               | ^^^
               = help: give each an `out` of its own: a folder is replaced with all that is in it"#]],
    );
}

#[test]
fn keys_of_other_kinds() {
    check_wrong(
        "[[artifact]]
name = 'a'
kind = 'tree'
main = 'a:b'
wheel = 'x'
site = 'x'
tag = 'x'
embed-source = true
[[artifact]]
name = 'b'
kind = 'zip'
layout = 'pycache'
owner = '1:1'
shebang = 'x'
root = 'x'
[[artifact]]
name = 'c'
kind = 'site'
site = '.venv'
out = 'x'
members = ['a']
provenance = true
[[artifact]]
name = 'd'
kind = 'rust-blob'
bytecode = false
sourceless = true
[[artifact]]
name = 'e'
kind = 'wheel'
wheel = 'x'
entry = ['a']
standard-library = true
",
        expect![[r#"
            `main` means nothing for the kind `tree`
             --> /ROOT/bytekiln.toml:6:1
              |
            6 | main = 'a:b'
              | ^^^^
              = help: the kinds that have it: `zipapp`

            `wheel` means nothing for the kind `tree`
             --> /ROOT/bytekiln.toml:7:1
              |
            7 | wheel = 'x'
              | ^^^^^
              = help: the kinds that have it: `wheel`

            `site` means nothing for the kind `tree`
             --> /ROOT/bytekiln.toml:8:1
              |
            8 | site = 'x'
              | ^^^^
              = help: the kinds that have it: `site`

            `tag` means nothing for the kind `tree`
             --> /ROOT/bytekiln.toml:9:1
              |
            9 | tag = 'x'
              | ^^^
              = help: the kinds that have it: `layer`

            `embed-source` means nothing for the kind `tree`
              --> /ROOT/bytekiln.toml:10:1
               |
            10 | embed-source = true
               | ^^^^^^^^^^^^
               = help: the kinds that have it: `rust-blob`

            `layout` means nothing for the kind `zip`
              --> /ROOT/bytekiln.toml:14:1
               |
            14 | layout = 'pycache'
               | ^^^^^^
               = help: the kinds that have it: `tree` and `layer`

            `owner` means nothing for the kind `zip`
              --> /ROOT/bytekiln.toml:15:1
               |
            15 | owner = '1:1'
               | ^^^^^
               = help: the kinds that have it: `layer`

            `shebang` means nothing for the kind `zip`
              --> /ROOT/bytekiln.toml:16:1
               |
            16 | shebang = 'x'
               | ^^^^^^^
               = help: the kinds that have it: `zipapp`

            `root` means nothing for the kind `zip`
              --> /ROOT/bytekiln.toml:17:1
               |
            17 | root = 'x'
               | ^^^^
               = help: the kinds that have it: `tree` and `layer`

            `out` means nothing for the kind `site`
              --> /ROOT/bytekiln.toml:22:1
               |
            22 | out = 'x'
               | ^^^
               = help: the kinds that have it: `tree`, `zip`, `zipapp`, `layer`, `rust-blob` and `wheel`

            `members` means nothing for the kind `site`
              --> /ROOT/bytekiln.toml:23:1
               |
            23 | members = ['a']
               | ^^^^^^^
               = help: the kinds that have it: `tree`, `zip`, `zipapp`, `layer`, `rust-blob` and `wheel`

            `provenance` means nothing for the kind `site`
              --> /ROOT/bytekiln.toml:24:1
               |
            24 | provenance = true
               | ^^^^^^^^^^
               = help: the kinds that have it: `tree`, `zip`, `zipapp`, `layer`, `rust-blob` and `wheel`

            `bytecode` means nothing for the kind `rust-blob`
              --> /ROOT/bytekiln.toml:28:1
               |
            28 | bytecode = false
               | ^^^^^^^^
               = help: the kinds that have it: `tree`, `zip`, `zipapp`, `layer` and `wheel`

            without sources and without bytecode there is nothing
              --> /ROOT/bytekiln.toml:28:1
               |
            28 | bytecode = false
               | ^^^^^^^^
               = help: remove `bytecode = false` or `sourceless`

            `sourceless` means nothing for the kind `rust-blob`
              --> /ROOT/bytekiln.toml:29:1
               |
            29 | sourceless = true
               | ^^^^^^^^^^
               = help: the kinds that have it: `tree`, `zip`, `zipapp` and `layer`

            `entry` means nothing for the kind `wheel`
              --> /ROOT/bytekiln.toml:34:1
               |
            34 | entry = ['a']
               | ^^^^^
               = help: the kinds that have it: `tree`, `zip`, `zipapp`, `layer` and `rust-blob`

            `standard-library` means nothing for the kind `wheel`
              --> /ROOT/bytekiln.toml:35:1
               |
            35 | standard-library = true
               | ^^^^^^^^^^^^^^^^
               = help: the kinds that have it: `site`"#]],
    );
}

#[test]
fn bad_values() {
    check_wrong(
        "[[artifact]]
name = 'a/b'
kind = 'tar'
[[artifact]]
name = ''
kind = 'zipapp'
main = 'a'
shebang = \"x\\ny\"
compression = 'zstd'
compression-level = 23
members = ['c']
profile = 'relese'
[[artifact]]
name = '.x'
kind = 'layer'
owner = 'root:root'
root = '../x'
prefix = '/x'
deploy-root = 'x'
layout = 'flat'
arrangement = 'up'
compression = 'deflate'
sourceless = ['member:nobody', '/x', '[']
keep-source = ['/x']
exclude = ['[']
budget = 'much'
imports = 'none'
entry = ['']
[[artifact]]
name = 'w'
kind = 'wheel'
wheel = ''
build-tag = 'x1'
mode = 'timestamp'
optimize = [3]
python = ['3']
bytecode = 1
provenance = 'yes'
colour = 1
",
        expect![[r#"
            bad `artifact.name`: `a/b` is no name
             --> /ROOT/bytekiln.toml:4:8
              |
            4 | name = 'a/b'
              |        ^^^^^
              = help: use letters, digits, `-`, `_` and `.`: it becomes a file's name

            bad `artifact.kind`: no such value `tar`
             --> /ROOT/bytekiln.toml:5:8
              |
            5 | kind = 'tar'
              |        ^^^^^
              = help: allowed are `tree`, `zip`, `zipapp`, `wheel`, `layer`, `site` and `rust-blob`

            bad `artifact.name`: `` is no name
             --> /ROOT/bytekiln.toml:7:8
              |
            7 | name = ''
              |        ^^
              = help: use letters, digits, `-`, `_` and `.`: it becomes a file's name

            bad `artifact.main`: `a` is no entry point
             --> /ROOT/bytekiln.toml:9:8
              |
            9 | main = 'a'
              |        ^^^
              = help: write `package.module:function`

            bad `artifact.shebang`: not one line for the kernel
              --> /ROOT/bytekiln.toml:10:11
               |
            10 | shebang = "x\ny"
               |           ^^^^^^
               = help: write `/usr/bin/env python3.14`

            bad `artifact.compression`: no such value `zstd`
              --> /ROOT/bytekiln.toml:11:15
               |
            11 | compression = 'zstd'
               |               ^^^^^^
               = help: allowed are `none` and `deflate`

            `artifact.compression-level` is no level
              --> /ROOT/bytekiln.toml:12:21
               |
            12 | compression-level = 23
               |                     ^^
               = help: deflate and gzip have 1 to 9, zstd 1 to 19

            bad `artifact.name`: `.x` is no name
              --> /ROOT/bytekiln.toml:16:8
               |
            16 | name = '.x'
               |        ^^^^
               = help: use letters, digits, `-`, `_` and `.`: it becomes a file's name

            bad `artifact.owner`: `root:root` is no owner
              --> /ROOT/bytekiln.toml:18:9
               |
            18 | owner = 'root:root'
               |         ^^^^^^^^^^^
               = help: write numbers, `"1000:1000"`

            bad `artifact.root`: `../x` is not a plain path below its folder
              --> /ROOT/bytekiln.toml:19:8
               |
            19 | root = '../x'
               |        ^^^^^^
               = help: leave out `..`, `.` and doubled slashes

            `prefix` goes with `layout = "prefix"`
              --> /ROOT/bytekiln.toml:20:1
               |
            20 | prefix = '/x'
               | ^^^^^^

            bad `artifact.prefix`: `/x` is absolute
              --> /ROOT/bytekiln.toml:20:10
               |
            20 | prefix = '/x'
               |          ^^^^

            `deploy-root` goes with `layout = "prefix"`
              --> /ROOT/bytekiln.toml:21:1
               |
            21 | deploy-root = 'x'
               | ^^^^^^^^^^^

            bad `artifact.deploy-root`: `x` is not a plain absolute path
              --> /ROOT/bytekiln.toml:21:15
               |
            21 | deploy-root = 'x'
               |               ^^^
               = help: name the folder that the workspace has when the program runs, e.g. `/app`

            bad `artifact.layout`: no such value `flat`
              --> /ROOT/bytekiln.toml:22:10
               |
            22 | layout = 'flat'
               |          ^^^^^^
               = help: allowed are `pycache`, `legacy` and `prefix`

            bad `artifact.arrangement`: no such value `up`
              --> /ROOT/bytekiln.toml:23:15
               |
            23 | arrangement = 'up'
               |               ^^^^
               = help: allowed are `flat` and `workspace`

            bad `artifact.compression`: no such value `deflate`
              --> /ROOT/bytekiln.toml:24:15
               |
            24 | compression = 'deflate'
               |               ^^^^^^^^^
               = help: allowed are `none`, `gzip` and `zstd`

            bad `artifact.sourceless`: `/x` is absolute
              --> /ROOT/bytekiln.toml:25:32
               |
            25 | sourceless = ['member:nobody', '/x', '[']
               |                                ^^^^
               = help: globs are relative

            bad `artifact.sourceless`: `[` is not a glob: unclosed character class; missing ']'
              --> /ROOT/bytekiln.toml:25:38
               |
            25 | sourceless = ['member:nobody', '/x', '[']
               |                                      ^^^

            bad `artifact.keep-source`: `/x` is absolute
              --> /ROOT/bytekiln.toml:26:16
               |
            26 | keep-source = ['/x']
               |                ^^^^
               = help: globs are relative

            bad `artifact.exclude`: `[` is not a glob: unclosed character class; missing ']'
              --> /ROOT/bytekiln.toml:27:12
               |
            27 | exclude = ['[']
               |            ^^^

            bad `artifact.budget`: `much` is not a size
              --> /ROOT/bytekiln.toml:28:10
               |
            28 | budget = 'much'
               |          ^^^^^^
               = help: write a whole number and a unit, e.g. `5GB`, `500MB` or `2GiB`

            bad `artifact.imports`: no such value `none`
              --> /ROOT/bytekiln.toml:29:11
               |
            29 | imports = 'none'
               |           ^^^^^^
               = help: allowed are `eager`, `lazy`, `runtime` and `all`

            bad `artifact.entry`: an empty text
              --> /ROOT/bytekiln.toml:30:10
               |
            30 | entry = ['']
               |          ^^

            bad `artifact.wheel`: an empty text
              --> /ROOT/bytekiln.toml:34:9
               |
            34 | wheel = ''
               |         ^^

            bad `artifact.build-tag`: `x1` is no build tag
              --> /ROOT/bytekiln.toml:35:13
               |
            35 | build-tag = 'x1'
               |             ^^^^
               = help: it begins with a digit and has letters, digits, `_` and `.`

            bad `artifact.mode`: no such value `timestamp`
              --> /ROOT/bytekiln.toml:36:8
               |
            36 | mode = 'timestamp'
               |        ^^^^^^^^^^^
               = help: timestamps are not reproducible; allowed are `checked-hash` and `unchecked-hash`

            bad `artifact.optimize`: not an optimization level
              --> /ROOT/bytekiln.toml:37:13
               |
            37 | optimize = [3]
               |             ^
               = help: levels are 0, 1 and 2

            bad `artifact.python`: `3` does not say which minor version, e.g. `3.14`
              --> /ROOT/bytekiln.toml:38:11
               |
            38 | python = ['3']
               |           ^^^

            `artifact.bytecode` must be `true` or `false`, not an integer
              --> /ROOT/bytekiln.toml:39:12
               |
            39 | bytecode = 1
               |            ^

            `artifact.provenance` must be `true` or `false`, not a string
              --> /ROOT/bytekiln.toml:40:14
               |
            40 | provenance = 'yes'
               |              ^^^^^

            unknown key `colour` in `artifact`
              --> /ROOT/bytekiln.toml:41:1
               |
            41 | colour = 1
               | ^^^^^^
               = help: known here are `name`, `kind`, `profile`, `python`, `optimize`, `mode`, `prefix`, `deploy-root`, `layout`, `members`, `out`, `dependencies`, `exclude`, `sourceless`, `keep-source`, `bytecode`, `arrangement`, `root`, `imports`, `budget`, `entry`, `reachable-only`, `main`, `shebang`, `compression`, `compression-level`, `owner`, `tag`, `wheel`, `build-tag`, `site`, `standard-library`, `embed-source` and `provenance`

            an artifact speaks of a member `c`, which is not there
              --> /ROOT/bytekiln.toml:13:12
               |
            13 | members = ['c']
               |            ^^^
               = help: the members are: a, b

            an artifact speaks of a member `nobody`, which is not there
              --> /ROOT/bytekiln.toml:25:15
               |
            25 | sourceless = ['member:nobody', '/x', '[']
               |               ^^^^^^^^^^^^^^^
               = help: the members are: a, b

            there is no profile `relese`
              --> /ROOT/bytekiln.toml:14:11
               |
            14 | profile = 'relese'
               |           ^^^^^^^^
               = help: did you mean `release`?"#]],
    );
}
