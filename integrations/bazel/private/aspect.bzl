"""Compiles what Python targets and their dependencies consist of, whatever rules they are of."""

load(":actions.bzl", "ATTRS", "compile")
load(":providers.bzl", "BytekilnInfo", "TOOLCHAIN_TYPE")

def _impl(target, ctx):
    if BytekilnInfo in target:
        return []
    sources = getattr(ctx.rule.files, "srcs", [])
    options = struct(
        grain = ctx.attr.grain,
        invalidation_mode = ctx.attr.invalidation_mode,
        optimize = ctx.attr.optimize,
    )
    made = []

    # Generated sources come from targets with `srcs` of their own, which are no modules.
    if ctx.rule.kind.lstrip("_").startswith("py_"):
        made = compile(ctx, target.label, sources, options)
    below = []
    for name in ["deps", "actual"]:
        values = getattr(ctx.rule.attr, name, None)
        for value in values if type(values) == "list" else [values]:
            if value != None and BytekilnInfo in value:
                below.append(value[BytekilnInfo].transitive)
    info = BytekilnInfo(direct = made, transitive = depset(made, transitive = below))
    return [info, OutputGroupInfo(bytekiln_pycs = depset([one.pyc for one in made]))]

bytekiln_aspect = aspect(
    implementation = _impl,
    attr_aspects = ["deps", "actual"],
    attrs = ATTRS,
    toolchains = [TOOLCHAIN_TYPE],
    doc = "Compiles the `srcs` of every target whose rule is called py_*, along `deps`. On the command line: " +
          "--aspects=@bytekiln//:defs.bzl%bytekiln_aspect --output_groups=bytekiln_pycs",
)
