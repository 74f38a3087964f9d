"""`py_precompiled_zip`: sources with their caches, or caches alone, in one file."""

load(":actions.bzl", "ATTRS")
load(":aspect.bzl", "bytekiln_aspect")
load(":providers.bzl", "BytekilnInfo")

# zipimport reads caches beside their sources, under the sources' names, and no __pycache__.
def _name(one, imports):
    source = one.source.short_path
    source = source[len("../"):] if source.startswith("../") else source
    for prefix in imports:
        if source.startswith(prefix + "/"):
            source = source[len(prefix) + 1:]
            break
    return source

def _impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".zip")
    entries = depset(transitive = [dep[BytekilnInfo].transitive for dep in ctx.attr.deps]).to_list()
    args = ctx.actions.args()
    args.set_param_file_format("multiline")
    args.use_param_file("@%s")
    inputs = []
    taken = {}
    for one in entries:
        name = _name(one, ctx.attr.imports)
        if name in taken:
            continue
        taken[name] = True
        inputs.append(one.pyc)
        args.add("%sc=%s" % (name, one.pyc.path))
        if ctx.attr.sources:
            inputs.append(one.source)
            args.add("%s=%s" % (name, one.source.path))
    ctx.actions.run(
        executable = ctx.executable._zipper,
        arguments = ["cC", out.path, args],
        inputs = inputs,
        outputs = [out],
        mnemonic = "BytekilnZip",
        progress_message = "Zipping %{label}",
    )
    return [DefaultInfo(files = depset([out]))]

py_precompiled_zip = rule(
    implementation = _impl,
    attrs = {
        "deps": attr.label_list(aspects = [bytekiln_aspect], mandatory = True),
        "imports": attr.string_list(doc = "Folders that are import roots: taken off the names."),
        "sources": attr.bool(default = True, doc = "Sources too; without them, tracebacks have no lines of text."),
        "_zipper": attr.label(
            default = "@bazel_tools//tools/zip:zipper",
            executable = True,
            cfg = "exec",
        ),
    } | ATTRS,
    doc = "A zip to put on sys.path. The same bytes on every machine.",
)
