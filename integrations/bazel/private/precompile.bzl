"""`py_precompile`: caches of sources, and of all that Python targets consist of."""

load(":actions.bzl", "ATTRS", "compile")
load(":aspect.bzl", "bytekiln_aspect")
load(":providers.bzl", "BytekilnInfo", "TOOLCHAIN_TYPE")

def runfiles(ctx, entries):
    """Runfiles in which every cache is where the importer looks for it.

    Args:
      ctx: of the rule.
      entries: list of struct(source, pyc, path, in_place).

    Returns:
      runfiles.
    """
    files, own, foreign = [], {}, {}
    for one in entries:
        if one.in_place:
            files.append(one.pyc)
        elif one.source.short_path.startswith("../"):
            foreign.setdefault(one.path, one.pyc)
        else:
            own.setdefault(one.path, one.pyc)
    return ctx.runfiles(files = files, symlinks = own, root_symlinks = foreign)

def _impl(ctx):
    options = struct(
        grain = ctx.attr.grain,
        invalidation_mode = ctx.attr.invalidation_mode,
        optimize = ctx.attr.optimize,
    )
    made = compile(ctx, ctx.label, ctx.files.srcs, options)
    transitive = depset(made, transitive = [dep[BytekilnInfo].transitive for dep in ctx.attr.deps])
    entries = transitive.to_list()
    return [
        BytekilnInfo(direct = made, transitive = transitive),
        DefaultInfo(
            files = depset([one.pyc for one in entries]),
            runfiles = runfiles(ctx, entries),
        ),
    ]

py_precompile = rule(
    implementation = _impl,
    attrs = {
        "deps": attr.label_list(
            aspects = [bytekiln_aspect],
            doc = "Python targets: their sources, and those of all that they depend on.",
        ),
        "srcs": attr.label_list(allow_files = True, doc = "Sources; generated ones and other packages' too."),
    } | ATTRS,
    toolchains = [TOOLCHAIN_TYPE],
    doc = "Caches with PEP 488 names. As `data` of a program they are in its runfiles beside their sources.",
)
