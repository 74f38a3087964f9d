"""Bytekiln for Buck2: the rules of integrations/bazel, as thin as they can be.

A source manifest goes in and a bytecode manifest comes out, in the form of Buck2's own Python rules:
[[name, path], ...] or [[name, path, origin], ...].
"""

load(":names.bzl", "cache_tag")

BytekilnToolchainInfo = provider(fields = {
    # RunInfo of the command.
    "bytekiln": provider_field(typing.Any),
    # Of the interpreter, such as cpython-311.
    "cache_tag": provider_field(str),
    # Artifact: who command and interpreter are.
    "identity": provider_field(typing.Any),
    # Path of the interpreter, or its RunInfo.
    "python": provider_field(typing.Any),
})

BytekilnInfo = provider(fields = {
    # Artifact: [[path in a program, path of the .pyc], ...].
    "manifest": provider_field(typing.Any),
    # Artifact: the tree that the .pyc files are in.
    "tree": provider_field(typing.Any),
})

def _toolchain_impl(ctx):
    bytekiln = ctx.attrs.bytekiln[RunInfo]
    python = ctx.attrs.python_path if ctx.attrs.python == None else ctx.attrs.python[RunInfo]
    if python == None:
        fail("give either `python`, a target, or `python_path`, an absolute path")
    identity = ctx.actions.declare_output("identity.json")
    ctx.actions.run(
        cmd_args(
            bytekiln,
            "compile",
            "--python",
            python,
            "--expect-python",
            ctx.attrs.python_version,
            cmd_args(identity.as_output(), format = "--print-identity={}"),
        ),
        category = "bytekiln_identity",
        # An interpreter of the system is asked on the machine that builds, and nowhere else.
        local_only = ctx.attrs.python == None,
        allow_cache_upload = ctx.attrs.python != None,
    )
    return [
        DefaultInfo(default_output = identity),
        BytekilnToolchainInfo(
            bytekiln = bytekiln,
            cache_tag = cache_tag(ctx.attrs.python_version),
            identity = identity,
            python = python,
        ),
    ]

bytekiln_toolchain = rule(
    impl = _toolchain_impl,
    attrs = {
        "bytekiln": attrs.exec_dep(providers = [RunInfo]),
        "python": attrs.option(attrs.exec_dep(providers = [RunInfo]), default = None),
        "python_path": attrs.option(attrs.string(), default = None),
        "python_version": attrs.string(),
    },
    is_toolchain_rule = True,
)

def _precompile_impl(ctx):
    toolchain = ctx.attrs._toolchain[BytekilnToolchainInfo]
    package = ctx.label.package
    rows = []
    for source in ctx.attrs.srcs:
        name = package + "/" + source.short_path if package else source.short_path
        rows.append([name, source, str(ctx.label.raw_target())])
    sources = ctx.actions.write_json("sources.json", rows, with_inputs = True)
    tree = ctx.actions.declare_output("bytecode", dir = True)
    manifest = ctx.actions.declare_output("bytecode.json")
    ctx.actions.run(
        cmd_args(
            toolchain.bytekiln,
            "compile",
            "--python",
            toolchain.python,
            cmd_args(toolchain.identity, format = "--expect-python=@{}"),
            cmd_args(toolchain.identity, format = "--expect-compiler=@{}"),
            "--optimize",
            str(ctx.attrs.optimize),
            "--invalidation-mode",
            ctx.attrs.invalidation_mode,
            "--manifest",
            sources,
            "--out-dir",
            tree.as_output(),
            "--out-manifest",
            manifest.as_output(),
        ),
        category = "bytekiln_compile",
    )
    return [
        DefaultInfo(default_output = tree, other_outputs = [manifest]),
        BytekilnInfo(manifest = manifest, tree = tree),
    ]

py_precompile = rule(
    impl = _precompile_impl,
    attrs = {
        "invalidation_mode": attrs.enum(["checked-hash", "unchecked-hash"], default = "checked-hash"),
        "optimize": attrs.int(default = 0),
        "srcs": attrs.list(attrs.source()),
        "_toolchain": attrs.toolchain_dep(
            default = "toolchains//:bytekiln",
            providers = [BytekilnToolchainInfo],
        ),
    },
)
