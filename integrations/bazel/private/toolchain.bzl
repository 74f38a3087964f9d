"""Which Bytekiln compiles with which interpreter."""

load(":names.bzl", "cache_tag")
load(":providers.bzl", "BytekilnToolchainInfo", "TOOLCHAIN_TYPE")

def _impl(ctx):
    if bool(ctx.attr.python) == bool(ctx.attr.python_path):
        fail("%s: give either `python`, a label, or `python_path`, an absolute path" % ctx.label)
    if ctx.attr.python:
        python = ctx.executable.python.path
        runfiles = ctx.attr.python[DefaultInfo].default_runfiles
        files = depset([ctx.executable.python] + ctx.files.python_files, transitive = [runfiles.files])
    else:
        python = ctx.attr.python_path
        if not python.startswith("/"):
            fail("%s: `python_path` is not absolute: %r" % (ctx.label, python))
        files = depset()
    bytekiln = ctx.attr.bytekiln[DefaultInfo].files_to_run

    # Bazel does not see an interpreter of the system change, and other machines have others: who it is
    # becomes an input of every compilation, and is asked on the machine that builds.
    identity = ctx.actions.declare_file(ctx.label.name + ".identity.json")
    args = ctx.actions.args()
    args.add("compile")
    args.add("--python", python)
    args.add("--expect-python", ctx.attr.python_version)
    args.add(identity, format = "--print-identity=%s")
    ctx.actions.run(
        executable = bytekiln,
        arguments = [args],
        inputs = files,
        outputs = [identity],
        mnemonic = "BytekilnIdentity",
        progress_message = "Asking who compiles: %{label}",
        execution_requirements = {} if ctx.attr.python else {"no-remote": "1", "no-cache": "1"},
    )
    info = BytekilnToolchainInfo(
        bytekiln = bytekiln,
        python = python,
        python_files = files,
        identity = identity,
        cache_tag = cache_tag(ctx.attr.python_version),
    )
    return [platform_common.ToolchainInfo(bytekiln = info), DefaultInfo(files = depset([identity]))]

_bytekiln_toolchain = rule(
    implementation = _impl,
    attrs = {
        "bytekiln": attr.label(mandatory = True, executable = True, cfg = "exec", allow_files = True),
        "python": attr.label(executable = True, cfg = "exec", allow_files = True),
        "python_files": attr.label_list(cfg = "exec", allow_files = True),
        "python_path": attr.string(),
        "python_version": attr.string(mandatory = True),
    },
    doc = "See the macro `bytekiln_toolchain`.",
)

def bytekiln_toolchain(
        name,
        bytekiln,
        python_version,
        python = None,
        python_files = [],
        python_path = None,
        **kwargs):
    """Declares the toolchain NAME, for register_toolchains("//:NAME").

    Args:
      name: of the toolchain.
      bytekiln: label of the command.
      python_version: the interpreter's, such as "3.11" or "3.11.7"; another one is refused.
      python: label of an interpreter that is part of the build. Best: Bazel sees it change.
      python_files: what that interpreter needs besides its runfiles.
      python_path: absolute path of an interpreter of the system, instead.
      **kwargs: of toolchain(), such as target_compatible_with.
    """
    _bytekiln_toolchain(
        name = name + ".implementation",
        bytekiln = bytekiln,
        python = python,
        python_files = python_files,
        python_path = python_path,
        python_version = python_version,
        visibility = ["//visibility:public"],
    )
    native.toolchain(
        name = name,
        toolchain = name + ".implementation",
        toolchain_type = TOOLCHAIN_TYPE,
        **kwargs
    )
