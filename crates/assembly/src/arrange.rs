//! Where files of a tree lie in an artifact. Knows nothing of bytecode.

use std::collections::BTreeSet;

use bytekiln_action::RepoPath;

/// A file of a tree.
#[derive(Debug, Clone, Copy)]
pub struct TreeFile<'a> {
    /// In the tree.
    pub path: &'a RepoPath,
    /// The folder of the tree that stands on `sys.path` for it.
    pub import_root: &'a RepoPath,
    /// A Python source.
    pub is_python: bool,
}

/// How files lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// As below their import roots, all import roots in one folder, which is then an entry of
    /// `sys.path`.
    Flat,
    /// As in the tree.
    AsIs,
}

/// Why a file stays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It lies in no folder with Python sources below its import root: a `README.md`, a `Makefile`, a
    /// folder `docs`. No module can mean it.
    NoPackage,
    /// It does not lie below its import root.
    OutsideImportRoot,
}

/// The place of each file, in their order. With [`Arrangement::Flat`] data goes with packages: what lies
/// beside modules, below a top-level folder that holds Python sources, comes along.
pub fn arrange(files: &[TreeFile<'_>], arrangement: Arrangement) -> Vec<Result<RepoPath, LeftOut>> {
    if arrangement == Arrangement::AsIs {
        return files.iter().map(|file| Ok(file.path.clone())).collect();
    }
    let below = |file: &TreeFile<'_>| file.path.strip_prefix(file.import_root);
    let packages: BTreeSet<(&RepoPath, Vec<u8>)> = files
        .iter()
        .filter(|file| file.is_python)
        .filter_map(|file| Some((file.import_root, top_folder(&below(file)?)?.to_vec())))
        .collect();
    files
        .iter()
        .map(|file| {
            let place = below(file).filter(|place| !place.is_root());
            let place = place.ok_or(LeftOut::OutsideImportRoot)?;
            let with_package = top_folder(&place)
                .is_some_and(|top| packages.contains(&(file.import_root, top.to_vec())));
            if file.is_python || with_package { Ok(place) } else { Err(LeftOut::NoPackage) }
        })
        .collect()
}

/// `a` of `a/b/c`; none for a file at the top.
fn top_folder(path: &RepoPath) -> Option<&[u8]> {
    let slash = path.as_bytes().iter().position(|byte| *byte == b'/')?;
    path.as_bytes().get(..slash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(arrangement: Arrangement, files: &[(&str, &str)], expected: &Expect) {
        let path = |text: &str| RepoPath::new(text.as_bytes()).unwrap_or_default();
        let owned: Vec<(RepoPath, RepoPath)> =
            files.iter().map(|(file, root)| (path(file), path(root))).collect();
        let files: Vec<TreeFile<'_>> = owned
            .iter()
            .map(|(path, import_root)| TreeFile {
                path,
                import_root,
                is_python: path.as_bytes().ends_with(b".py"),
            })
            .collect();
        let mut out = String::new();
        for (file, place) in files.iter().zip(arrange(&files, arrangement)) {
            out += &format!("{} -> {place:?}\n", file.path);
        }
        expected.assert_eq(&out);
    }

    const FILES: &[(&str, &str)] = &[
        ("apps/web/README.md", "apps/web/src"),
        ("apps/web/src/web/main.py", "apps/web/src"),
        ("apps/web/src/web/static/a.css", "apps/web/src"),
        ("apps/web/src/notes/a.txt", "apps/web/src"),
        ("libs/flat/flat.py", "libs/flat"),
        ("libs/flat/pyproject.toml", "libs/flat"),
        ("libs/flat/web/more.txt", "libs/flat"),
    ];

    #[test]
    fn flat() {
        check(
            Arrangement::Flat,
            FILES,
            &expect![[r#"
                apps/web/README.md -> Err(OutsideImportRoot)
                apps/web/src/web/main.py -> Ok("web/main.py")
                apps/web/src/web/static/a.css -> Ok("web/static/a.css")
                apps/web/src/notes/a.txt -> Err(NoPackage)
                libs/flat/flat.py -> Ok("flat.py")
                libs/flat/pyproject.toml -> Err(NoPackage)
                libs/flat/web/more.txt -> Err(NoPackage)
            "#]],
        );
    }

    #[test]
    fn as_is() {
        check(
            Arrangement::AsIs,
            &FILES[..2],
            &expect![[r#"
                apps/web/README.md -> Ok("apps/web/README.md")
                apps/web/src/web/main.py -> Ok("apps/web/src/web/main.py")
            "#]],
        );
    }
}
