# Says who this interpreter is: one `key hexadecimal-utf8` line per fact, between two marker lines,
# so that noise printed by a patched start-up does no harm. Imports built-in modules only.
def bytekiln_identity():
    import sys
    import _frozen_importlib_external as external

    def os_machine():
        try:
            import posix
            return posix.uname().machine
        except ImportError:
            return "unknown"

    info = sys.version_info
    release = "%d.%d.%d" % info[:3]
    if info.releaselevel != "final":
        release += {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.releaselevel, "?") + str(info.serial)
    multiarch = getattr(sys.implementation, "_multiarch", "")
    facts = [
        ("implementation", sys.implementation.name),
        ("version", release),
        ("build", sys.version),
        ("magic", str(int.from_bytes(external.MAGIC_NUMBER[:2], "little"))),
        ("cache-tag", sys.implementation.cache_tag or ""),
        ("platform", "-".join(filter(None, [sys.platform, os_machine(), multiarch]))),
        ("free-threaded", "yes" if "t" in getattr(sys, "abiflags", "") else "no"),
        ("debug", "yes" if hasattr(sys, "gettotalrefcount") else "no"),
        ("executable", sys.executable or ""),
    ]
    lines = ["bytekiln-identity-1"]
    for key, value in facts:
        lines.append(key + " " + value.encode("utf-8", "surrogateescape").hex())
    lines.append("bytekiln-identity-end")
    return "\n".join(lines) + "\n"
