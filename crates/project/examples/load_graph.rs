//! Loads the import graph of a workspace and says how long that took: `load_graph FOLDER [STATE_DIR]
//! [workspace|installed|all] [SITE…]`. For measuring; the command is `bytekiln graph`.

#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use bytekiln_graph::{Target, TargetPlatform};
use bytekiln_project::{Follow, GraphRequest, PythonEnvironment, load_graph, load_workspace};
use bytekiln_python::Release;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let start = Instant::now();
    let workspace = load_workspace(Path::new(&folder), None)?;
    let opened = start.elapsed();
    let state_dir =
        arguments.next().map_or_else(|| workspace.root.join(".bytekiln"), PathBuf::from);
    let follow = match arguments.next().as_deref() {
        Some("installed") => Follow::Installed,
        Some("all") => Follow::All,
        _ => Follow::Workspace,
    };
    let site = arguments.map(PathBuf::from).collect();
    let release = Release::from_minor(14).ok_or("no such release")?;
    let mut loaded = load_graph(&GraphRequest {
        workspace: &workspace,
        target: Target { release, platform: TargetPlatform::default() },
        environment: &PythonEnvironment { site, standard_library: None },
        follow,
        strings: false,
        digests: false,
        deleted: &[],
        state_dir,
        threads: std::thread::available_parallelism()?,
    })?;
    let answered = start.elapsed();
    loaded.finish();
    let (graph, whole) = (&loaded.graph, start.elapsed());
    println!(
        "{} nodes, {} edges, {} sources, {} read, kept: {}, {} problems, workspace {opened:.1?}, answered {answered:.1?}, whole {whole:.1?}",
        graph.len(),
        graph.edge_count(),
        loaded.sources,
        loaded.read,
        loaded.kept,
        loaded.problems.len(),
    );
    if let Some(trouble) = loaded.state_trouble {
        println!("{trouble}");
    }
    std::process::exit(0)
}
