//! A program, compiled and packed by each interpreter at hand, and scripts that look at its blob.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use bytekiln_blob::{FINDER, FINDER_MODULE, write};
use bytekiln_test_support::pythons::{self, Python};
use bytekiln_test_support::{Scratch, fixture};
use expect_test::Expect;

use crate::tree::Tree;

const PROGRAM: &str = r#"
    //- /app/__init__.py
    """The app."""
    NAME = __name__
    //- /app/__main__.py
    import sys
    print("__main__ of", __package__, sys.argv[1:])
    //- /app/main.py
    import sys

    from . import NAME
    from .sub import deep


    class Greeter:
        """Greets."""

        def greet(self):
            return "hello from " + NAME


    def fail():
        deep.divide(0)


    if __name__ == "__main__":
        print(Greeter().greet(), sys.argv[1:], sys.stdin.read())
        if sys.argv[1:] == ["fail"]:
            fail()
        sys.exit(3)
    //- /app/sub/__init__.py
    //- /app/sub/deep.py
    # Größe
    def divide(number):
        return 1 / number
    //- /app/words.txt
    kiln
    //- /app/texts/one.txt
    eins
    //- /app-1.2.dist-info/METADATA
    Metadata-Version: 2.1
    Name: app
    Version: 1.2
    //- /spaces/inner/mod.py
    WHERE = __file__
    //- /spaces/inner/note.txt
    a note
    //- /top.py
    VALUE = 42
"#;

/// One interpreter with its blobs.
pub(crate) struct World {
    pub(crate) python: &'static Python,
    tree: fixture::Tree,
}

impl World {
    fn new(python: &'static Python) -> World {
        let tree = fixture::Tree::new("");
        for file in fixture::parse(PROGRAM) {
            tree.write(&format!("src/{}", file.path), file.content);
        }
        tree.write("finder/bytekiln_blob.py", FINDER);
        for folder in ["src", "finder"] {
            let compiled = Command::new(&python.path)
                .args(["-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"])
                .arg(tree.path(folder))
                .status();
            assert!(compiled.unwrap().success());
        }
        let mut program = Tree::read(&tree.path("src")).unwrap();
        let finder = Tree::read(&tree.path("finder")).unwrap();
        let blob = |program: &Tree| write(&program.entries(), &program.target().unwrap()).unwrap();
        tree.write("program.blob", blob(&program));
        let sources = std::mem::take(&mut program.sources);
        tree.write("sourceless.blob", blob(&program));
        program.sources = sources;
        let (pyc, package) = finder.modules.get(FINDER_MODULE).expect("the finder was compiled");
        program.modules.insert(FINDER_MODULE.to_owned(), (pyc.clone(), *package));
        tree.write("complete.blob", blob(&program));
        World { python, tree }
    }

    /// The path of `program.blob`; of `sourceless.blob`, without sources; of `complete.blob`, with
    /// the finder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.tree.path(name)
    }

    /// Runs a script which has `bytekiln_blob` as `bb`, and paths and bytes of the blob.
    pub(crate) fn script(&self, script: &str) -> Output {
        let root = self.tree.root().to_str().unwrap();
        let script = format!(
            "import sys; ROOT = {root:?}; BLOB = ROOT + '/program.blob'\n\
             sys.path.insert(0, ROOT + '/finder'); import bytekiln_blob as bb\n{script}"
        );
        let folder = Scratch::new();
        self.command().current_dir(folder.path()).args(["-c", &script]).output().unwrap()
    }

    /// The interpreter, isolated.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.python.path);
        command.args(["-I", "-B", "-X", "utf8"]);
        command
    }
}

/// A world for each interpreter; empty after it has been said that there is none.
pub(crate) fn all() -> &'static [World] {
    static WORLDS: OnceLock<Vec<World>> = OnceLock::new();
    let worlds = WORLDS.get_or_init(|| pythons::all().iter().map(World::new).collect());
    if worlds.is_empty() {
        pythons::skip("needs a CPython");
    }
    worlds
}

/// Expects a script to print this with every interpreter.
pub(crate) fn check(script: &str, expected: Expect) {
    check_with(0..=u8::MAX, script, expected);
}

/// Expects a script to print this with every interpreter of these minor versions.
pub(crate) fn check_with(minors: RangeInclusive<u8>, script: &str, expected: Expect) {
    let worlds = all().iter().filter(|world| minors.contains(&world.python.version.1));
    agree(
        worlds.map(|world| {
            let output = world.script(script);
            let errors = String::from_utf8_lossy(&output.stderr);
            let name = world.python.name();
            assert!(output.status.success() && errors.is_empty(), "CPython {name}: {errors}");
            (name, String::from_utf8(output.stdout).unwrap())
        }),
        &expected,
    );
}

/// Expects all to print what is expected of the first.
pub(crate) fn agree(printed: impl Iterator<Item = (String, String)>, expected: &Expect) {
    let mut first: Option<String> = None;
    for (name, printed) in printed {
        match &first {
            Some(first) => assert_eq!(&printed, first, "CPython {name}"),
            None => {
                expected.assert_eq(&printed);
                first = Some(printed);
            }
        }
    }
}
