//! What `pack` says: to people, in JSON, and nothing.

use crate::pack::SHOP;
use crate::sandbox::Sandbox;

#[test]
fn json_is_one_document() {
    let manifest = "
        [[artifact]]
        name = 'app'
        kind = 'zipapp'
        main = 'shop.cli:main'
        sourceless = true
        provenance = true
        [[artifact]]
        name = 'image'
        kind = 'layer'
        budget = '1MB'
        [[artifact]]
        name = 'installed'
        kind = 'site'
        site = 'deps'
        ";
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let shop = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    sandbox.write("bytekiln.toml", format!("{shop}{manifest}"));
    sandbox.write(
        "apps/shop/src/shop/look.py",
        "import inspect\nX = inspect.getsource\nY = 'late.py'\n",
    );
    let output = sandbox.run(&["pack", "--format", "json"]).success();
    let document = output.packed();
    let all = document["artifacts"].as_array().unwrap();
    let names: Vec<&str> = all.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["app", "image", "installed"]);
    let keys: Vec<&String> = all[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "files",
            "fresh",
            "imports_simulated",
            "inspecting",
            "kept_sources",
            "kind",
            "layers",
            "left_out",
            "name",
            "not_compiled",
            "path",
            "provenance",
            "selection",
            "sha256",
            "targets",
            "warnings"
        ]
    );
    let digest = |path: &str| {
        let listed = sandbox.listed(&[path]);
        listed.trim_end().rsplit(' ').next().unwrap().to_owned()
    };
    let (app, image, installed) = (&all[0], &all[1], &all[2]);
    assert_eq!(app["path"], "dist/app.pyz");
    assert_eq!(app["sha256"], digest("dist/app.pyz"));
    assert_eq!(app["provenance"], "dist/app.pyz.intoto.json");
    assert_eq!(app["kept_sources"][0]["path"], "shop/late.py");
    assert_eq!(app["kept_sources"][0]["why"], "shop/look.py:3 names the file");
    assert_eq!(app["inspecting"][0]["path"], "shop/look.py");
    assert_eq!(app["inspecting"][0]["line"], 2);
    assert_eq!(app["files"]["caches"], 8, "with a `__main__`");
    assert_eq!(app["files"]["sources"], 2, "what is kept, and a script");
    assert_eq!(app["files"]["others"], 1);
    assert_eq!(app["imports_simulated"], 8);
    assert_eq!(app["fresh"], false);
    assert!(app["left_out"].as_object().unwrap().values().all(|count| count.as_u64() > Some(0)));
    assert_eq!(image["kind"], "layer");
    let layer =
        image["layers"][0]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    assert_eq!(layer, digest(&format!("dist/image/blobs/sha256/{layer}")));
    let manifest = image["sha256"].as_str().unwrap();
    assert_eq!(manifest, digest(&format!("dist/image/blobs/sha256/{manifest}")));
    assert_eq!(image["selection"]["budget"], 1_000_000);
    assert_eq!(installed["path"], "deps");
    assert!(installed["sha256"].is_null() && installed["provenance"].is_null());
    assert_eq!(installed["files"]["caches"], 1);
    // Nothing but the document, even on standard error.
    assert!(!output.stderr.contains("Packed"), "{}", output.shown());
    let again = sandbox.run(&["pack", "--format", "json", "app", "installed"]).success().packed();
    assert_eq!(again["artifacts"][0]["fresh"], true);
    assert_eq!(again["artifacts"][1]["fresh"], true);
}

#[test]
fn what_was_published_before_a_failure_is_told() {
    let fixture = "
        //- /a.py
        //- /bytekiln.toml
        [[artifact]]
        name = 'good'
        kind = 'zip'
        [[artifact]]
        name = 'bad'
        kind = 'zipapp'
        [[artifact]]
        name = 'never'
        kind = 'zip'
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let output = sandbox.run(&["pack", "--format", "json"]).code(2).says(&["the program `bad`"]);
    let document = output.packed();
    assert_eq!(document["artifacts"].as_array().unwrap().len(), 1);
    assert_eq!(document["artifacts"][0]["name"], "good");
    assert!(sandbox.path("dist/good.zip").is_file() && !sandbox.path("dist/never.zip").exists());
}

#[test]
fn quiet_says_nothing() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    for (kind, keys) in [
        ("tree", &["budget=1MB"][..]),
        ("zip", &["sourceless=true", "keep-source=money/**"]),
        ("zipapp", &["main=shop.cli:main"]),
        ("layer", &[]),
        ("rust-blob", &[]),
        ("site", &["site=deps"]),
    ] {
        let provenance: &[&str] = if kind == "site" { &[] } else { &["--provenance"] };
        let output = sandbox.pack_kind(kind, keys, &[&["--quiet"], provenance].concat()).success();
        assert_eq!((&*output.stdout, &*output.stderr), ("", ""), "{kind}");
    }
}

#[test]
fn people_are_told_what_was_done() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let output =
        sandbox.pack_kind("zip", &["entry=shop.cli", "budget=1MB"], &["-v", "--provenance"]);
    let output = output.success().says(&[
        "   Compiling 4 modules for CPython 3.",
        "    Left out 3 files stay out: they lie in no package\n",
        "    Selected 4 of 4 modules that the entries load, of 6 in all, for 1.0 MB: 100 % of the compile time, 100 % of the bytes",
        "      Packed dist/zip.zip (zip): 7 sources, 4 caches, 1 other file, ",
        "             sha256:",
        "    Attested dist/zip.zip.intoto.json\n",
    ]);
    assert_eq!(output.stdout, "");
    sandbox
        .pack_kind("zip", &["entry=shop.cli", "budget=1MB"], &[])
        .success()
        .says(&["       Fresh dist/zip.zip"]);
    // From a folder below, paths are as they are from there.
    let mut command = sandbox.command(&["pack", "--kind", "zip", "--out", "here.zip"]);
    command.current_dir(sandbox.path("apps"));
    crate::sandbox::finish(&mut command).success().says(&["Packed here.zip"]);
    assert!(sandbox.path("apps/here.zip").is_file());
}

#[test]
fn modules_that_are_never_imported_are_named() {
    let fixture = "
        //- /sys.py
        x = 1
        //- /pkg/__init__.py
        //- /pkg/mod.py
        //- /pkg/mod/__init__.py
        y = 1
        //- /pkg/native.so
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    for kind in ["tree", "layer", "zip"] {
        let output = sandbox.pack_kind(kind, &[], &[]).success().says(&[
            "warning: `pkg/mod.py` is never imported: something else of its name comes first: by `pkg/mod/__init__.py`",
            "warning: `sys.py` is never imported: something else of its name comes first: the name is built in already",
        ]);
        assert!(!output.stderr.contains("pending"), "{}", output.shown());
        let in_zip = "warning: 1 extension module, as `pkg/native.so`, is not imported from a zip";
        assert_eq!(output.stderr.contains(in_zip), kind == "zip", "{}", output.shown());
    }
}

#[test]
fn many_warnings_are_counted() {
    let Some(sandbox) = Sandbox::new("//- /good.py\nx = 1\n") else { return };
    for number in 0..9 {
        sandbox.write(&format!("m{number}.py"), "x = 1\n");
        sandbox.write(&format!("m{number}/__init__.py"), "x = 2\n");
    }
    let output = sandbox.pack_kind("tree", &[], &[]).success();
    let output = output.says(&["warning: `m4.py`", "warning: 4 more like these"]);
    assert!(!output.stderr.contains("m5.py"), "{}", output.shown());
}
