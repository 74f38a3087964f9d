//! What the name of a wheel says: for which interpreters it is (PEP 425, PEP 427). Knows nothing of what is
//! in it.

use bytekiln_action::Toolchain;

/// A wheel's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WheelName {
    /// Distribution and version, as written.
    distribution: String,
    version: String,
    build: Option<String>,
    pythons: Vec<String>,
    abis: Vec<String>,
    platforms: String,
}

impl WheelName {
    /// Of a file's name; none if it is not a wheel's.
    pub(super) fn parse(name: &str) -> Option<WheelName> {
        let parts: Vec<&str> = name.strip_suffix(".whl")?.split('-').collect();
        let (first, build, tags) = match parts.as_slice() {
            [distribution, version, python, abi, platform] => {
                ((distribution, version), None, [python, abi, platform])
            }
            [distribution, version, build, python, abi, platform]
                if build.starts_with(|digit: char| digit.is_ascii_digit()) =>
            {
                ((distribution, version), Some((*build).to_owned()), [python, abi, platform])
            }
            _ => return None,
        };
        let [python, abi, platform] = tags;
        let several = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let is_whole = parts.iter().all(|part| !part.is_empty());
        is_whole.then(|| WheelName {
            distribution: (*first.0).to_owned(),
            version: (*first.1).to_owned(),
            build,
            pythons: several(python),
            abis: several(abi),
            platforms: (*platform).to_owned(),
        })
    }

    /// The name with another build tag.
    pub(super) fn with_build(&self, build: Option<&str>) -> String {
        let build = build.or(self.build.as_deref());
        let build = build.map(|build| format!("-{build}")).unwrap_or_default();
        let WheelName { distribution, version, platforms, .. } = self;
        let (pythons, abis) = (self.pythons.join("."), self.abis.join("."));
        format!("{distribution}-{version}{build}-{pythons}-{abis}-{platforms}.whl")
    }

    /// `cp312-cp312`.
    pub(super) fn tags(&self) -> String {
        format!("{}-{}", self.pythons.join("."), self.abis.join("."))
    }

    /// Whether this interpreter may install it, as far as Python and ABI tags say. Platforms do not
    /// matter: bytecode is made for a wheel of another platform too.
    pub(super) fn is_for(&self, toolchain: &Toolchain) -> bool {
        let minor = u16::from(toolchain.release.minor());
        self.pythons.iter().any(|python| {
            self.abis.iter().any(|abi| fits(python, abi, minor, toolchain.free_threaded))
        })
    }
}

fn fits(python: &str, abi: &str, minor: u16, free_threaded: bool) -> bool {
    // `py3`, `py310`: this version or a later one.
    if let Some(version) = python.strip_prefix("py3") {
        let least = if version.is_empty() { Some(0) } else { version.parse().ok() };
        return abi == "none" && least.is_some_and(|least: u16| minor >= least);
    }
    let Some(own) = python.strip_prefix("cp3").and_then(|version| version.parse::<u16>().ok())
    else {
        return false;
    };
    match abi {
        "abi3" => !free_threaded && minor >= own,
        "none" => minor == own,
        _ => {
            let Some(of_abi) = abi.strip_prefix("cp3") else { return false };
            let threads = of_abi.trim_end_matches('d').ends_with('t');
            minor == own && threads == free_threaded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in [
            "six-1.16.0-py2.py3-none-any.whl",
            "numpy-2.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "x-1-2bytekiln-py3-none-any.whl",
        ] {
            let parsed = WheelName::parse(name).map(|parsed| parsed.with_build(None));
            assert_eq!(parsed.as_deref(), Some(name));
        }
        for name in ["six.whl", "a-b-c-d-e-f.whl", "six-1-py3-none-.whl", "six-1-py3-none-any.zip"]
        {
            assert_eq!(WheelName::parse(name), None, "{name}");
        }
        let name =
            WheelName::parse("six-1-py3-none-any.whl").map(|name| name.with_build(Some("1")));
        assert_eq!(name.as_deref(), Some("six-1-1-py3-none-any.whl"));
    }

    #[test]
    fn interpreters() {
        for (python, abi, minor, free_threaded, expected) in [
            ("py3", "none", 8, false, true),
            ("py3", "none", 14, true, true),
            ("py310", "none", 9, false, false),
            ("py310", "none", 13, false, true),
            ("py2", "none", 11, false, false),
            ("cp311", "cp311", 11, false, true),
            ("cp311", "cp311", 12, false, false),
            ("cp38", "cp38m", 8, false, true),
            ("cp39", "abi3", 13, false, true),
            ("cp39", "abi3", 13, true, false),
            ("cp313", "cp313t", 13, true, true),
            ("cp313", "cp313t", 13, false, false),
            ("cp313", "cp313", 13, true, false),
            ("cp311", "none", 11, false, true),
            ("pp39", "pypy39_pp73", 9, false, false),
        ] {
            let fits = fits(python, abi, minor, free_threaded);
            assert_eq!(fits, expected, "{python}-{abi} 3.{minor} {free_threaded}");
        }
    }
}
