//! Statements of where artifacts came from, held against artifacts and sources that are as they were, and
//! others that are not.

use serde_json::Value;

use crate::sandbox::Sandbox;

const SHOP: &str = "
    //- /app/shop/__init__.py
    //- /app/shop/main.py
    import tool
    print('open')
    //- /deps/tool/__init__.py
    level = 1
    //- /deps/tool-1.dist-info/RECORD
    tool/__init__.py,,
    tool-1.dist-info/RECORD,,
    ../../bin/tool,,
    //- /bytekiln.toml
    workspace.members = ['app']
    workspace.exclude = ['deps']
    [[artifact]]
    name = 'tree'
    kind = 'tree'
    dependencies = ['deps']
    [[artifact]]
    name = 'zip'
    kind = 'zip'
    dependencies = ['deps']
    [[artifact]]
    name = 'image'
    kind = 'layer'
    dependencies = ['deps']
    [[artifact]]
    name = 'blob'
    kind = 'rust-blob'
    dependencies = ['deps']
    ";

const ALL: [&str; 4] = ["tree", "zip.zip", "image", "blob.pyblob"];

fn packed() -> Option<Sandbox> {
    let sandbox = Sandbox::new(SHOP)?;
    sandbox.run(&["pack", "--provenance"]).success();
    Some(sandbox)
}

fn verify(sandbox: &Sandbox, artifact: &str) -> crate::sandbox::Output {
    let statement = format!("dist/{artifact}.intoto.json");
    sandbox.run(&["verify", "--provenance", &statement, &format!("dist/{artifact}")])
}

#[test]
fn what_is_as_it_was_holds() {
    let Some(sandbox) = packed() else { return };
    for artifact in ALL {
        let output = verify(&sandbox, artifact).success();
        let sources = "2 files of the workspace and 2 of dependencies are as packed";
        assert!(output.stderr.contains(sources), "{}", output.shown());
    }
    // Without its dependencies, as in another checkout.
    std::fs::remove_dir_all(sandbox.path("deps")).unwrap();
    let output = verify(&sandbox, "tree").success();
    assert!(output.stderr.contains("2 files that went in and do not lie"), "{}", output.shown());
}

#[test]
fn a_changed_source_is_named() {
    for (file, named) in [
        ("app/shop/main.py", "app/shop/main.py"),
        ("deps/tool/__init__.py", "deps/tool/__init__.py"),
    ] {
        let Some(sandbox) = packed() else { return };
        sandbox.write(file, "print('closed')\n");
        for artifact in ALL {
            let output = verify(&sandbox, artifact);
            assert_eq!(output.status.code(), Some(1), "{}", output.shown());
            let message = format!("`{named}` is not the source that was packed");
            assert!(output.stderr.contains(&message), "{}", output.shown());
        }
    }
    let Some(sandbox) = packed() else { return };
    std::fs::remove_file(sandbox.path("app/shop/main.py")).unwrap();
    let output = verify(&sandbox, "zip.zip");
    assert_eq!(output.status.code(), Some(1), "{}", output.shown());
    assert!(output.stderr.contains("is not there to be read"), "{}", output.shown());
}

#[test]
fn a_changed_artifact_is_told() {
    let Some(sandbox) = packed() else { return };
    sandbox.write("dist/tree/shop/more.py", "");
    let mut zip = sandbox.read("dist/zip.zip");
    zip.insert(0, b'#');
    sandbox.write("dist/zip.zip", &zip);
    let mut blob = sandbox.read("dist/blob.pyblob");
    blob[100] ^= 1;
    sandbox.write("dist/blob.pyblob", &blob);
    for layer in std::fs::read_dir(sandbox.path("dist/image/blobs/sha256")).unwrap() {
        let path = layer.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.push(0);
        std::fs::write(&path, bytes).unwrap();
    }
    for artifact in ALL {
        let output = verify(&sandbox, artifact);
        assert_eq!(output.status.code(), Some(1), "{}", output.shown());
        assert!(output.stderr.contains("is not what was attested"), "{}", output.shown());
    }
}

#[test]
fn what_is_no_statement_is_refused() {
    let Some(sandbox) = packed() else { return };
    let text = String::from_utf8(sandbox.read("dist/tree.intoto.json")).unwrap();
    let other = |pointer: &str, value: Value| {
        let mut document: Value = serde_json::from_str(&text).unwrap();
        *document.pointer_mut(pointer).unwrap() = value;
        document.to_string()
    };
    for (statement, message) in [
        ("{".to_owned(), "is no JSON document"),
        ("[]".to_owned(), "has nothing as `/_type`"),
        (other("/predicateType", "x".into()), "has `x` as `/predicateType`"),
        (other("/subject", Value::Array(Vec::new())), "it has no subjects"),
        (
            other("/subject/0/digest", serde_json::json!({"md5": "x"})),
            "a digest `md5` is not known",
        ),
        (
            other("/predicate/buildDefinition/resolvedDependencies/1/name", "../x".into()),
            "a material has no name or no digest",
        ),
    ] {
        sandbox.write("statement.json", statement);
        let output = sandbox.run(&["verify", "--provenance", "statement.json", "dist/tree"]);
        assert_eq!(output.status.code(), Some(2), "{}", output.shown());
        assert!(output.stderr.contains(message), "{}", output.shown());
    }
    let output =
        sandbox.run(&["verify", "--provenance", "statement.json", "dist/tree", "dist/zip.zip"]);
    assert_eq!(output.status.code(), Some(2), "{}", output.shown());
}
