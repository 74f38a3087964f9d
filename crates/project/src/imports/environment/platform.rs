//! Names of platforms, and what Python's own constants are there. Knows nothing of files.

use bytekiln_graph::TargetPlatform;

/// Constants of the platform that an interpreter says it is for (`linux-x86_64`), or that a user names
/// as for type checkers: `linux`, `darwin` or `macos`, `win32` or `windows`, `all` for none in
/// particular; with a machine after a `-` if it matters. None for a name that is not known.
#[must_use]
pub fn target_platform(name: &str) -> Option<TargetPlatform> {
    let mut parts = name.split('-');
    let system = parts.next().unwrap_or_default().to_ascii_lowercase();
    let machine = parts.next().filter(|machine| !machine.is_empty());
    let (sys_platform, os_name, system) = match system.as_str() {
        "all" if machine.is_none() => return Some(TargetPlatform::default()),
        "linux" => ("linux", "posix", "Linux"),
        "darwin" | "macos" => ("darwin", "posix", "Darwin"),
        "win32" | "windows" => ("win32", "nt", "Windows"),
        _ => return None,
    };
    Some(TargetPlatform {
        sys_platform: Some(sys_platform.to_owned()),
        os_name: Some(os_name.to_owned()),
        system: Some(system.to_owned()),
        machine: machine.map(str::to_owned),
    })
}

/// Constants of the platform that this program was built for.
#[must_use]
pub fn this_platform() -> TargetPlatform {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match (system, std::env::consts::ARCH) {
        ("darwin", "aarch64") => "arm64",
        (_, other) => other,
    };
    target_platform(&format!("{system}-{machine}")).unwrap_or_default()
}
