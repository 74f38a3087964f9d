"""`py_precompiled_zip` and `py_precompiled_layer`: sources with their caches, or caches alone, in one file."""

load(":actions.bzl", "ATTRS")
load(":aspect.bzl", "bytekiln_aspect")
load(":providers.bzl", "BytekilnInfo", "TOOLCHAIN_TYPE")

def _name(one, imports):
    """The source's path below its import root: with the repository's name for those of other repositories."""
    source = one.source.short_path
    source = source[len("../"):] if source.startswith("../") else source
    for prefix in imports:
        if source.startswith(prefix + "/"):
            return source[len(prefix) + 1:]
    return source

def _beside(name, _one):
    """Where zipimport, and without a source any importer, looks: beside the source, under its name."""
    return name + "c"

def _in_pycache(name, one):
    """Where CPython looks for the cache of a source (PEP 3147)."""
    folder, slash, _ = name.rpartition("/")
    return folder + slash + "__pycache__/" + one.pyc.basename

def _arrange(ctx, place, folder):
    """All files of the dependencies, by their names in the archive.

    Args:
      ctx: of the rule.
      place: function of a source's name and its entry: the name of the cache.
      folder: that all names are below; "" for none.

    Returns:
      Args with NAME=FILE for each, and the files.
    """
    entries = depset(transitive = [dep[BytekilnInfo].transitive for dep in ctx.attr.deps]).to_list()
    args = ctx.actions.args()
    args.set_param_file_format("multiline")
    args.use_param_file("@%s")
    inputs = []
    taken = {}
    for one in entries:
        name = _name(one, ctx.attr.imports)

        # The same source through two targets; of two import roots, the first one is imported.
        if name in taken:
            continue
        taken[name] = True
        files = [(place(name, one), one.pyc)]
        if ctx.attr.sources:
            files.append((name, one.source))
        for name, file in files:
            name = folder + "/" + name if folder else name
            for path in [name, file.path]:
                if "=" in path or "\n" in path:
                    fail("a path with `=` or a line end cannot be archived: %r" % path)
            inputs.append(file)
            args.add("%s=%s" % (name, file.path))
    return args, inputs

def _run(ctx, options, args, inputs, outputs, mnemonic):
    ctx.actions.run(
        executable = ctx.toolchains[TOOLCHAIN_TYPE].bytekiln.bytekiln,
        arguments = [options, args],
        inputs = inputs,
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = "Packing %{label}",
        toolchain = TOOLCHAIN_TYPE,
    )

def _zip_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".zip")
    args, inputs = _arrange(ctx, _beside, "")
    options = ctx.actions.args()
    options.add_all(["archive", "--format", "zip", "--output", out])
    _run(ctx, options, args, inputs, [out], "BytekilnZip")
    return [DefaultInfo(files = depset([out]))]

_SUFFIXES = {"gzip": ".tar.gz", "none": ".tar", "zstd": ".tar.zst"}

def _layer_impl(ctx):
    name = ctx.label.name
    out = ctx.actions.declare_file(name + _SUFFIXES[ctx.attr.compression])
    digest = ctx.actions.declare_file(name + ".digest")
    diff_id = ctx.actions.declare_file(name + ".diffid")
    place = _in_pycache if ctx.attr.sources else _beside
    args, inputs = _arrange(ctx, place, ctx.attr.directory.strip("/"))
    options = ctx.actions.args()
    options.add_all(["archive", "--format", "tar", "--output", out])
    options.add_all(["--compression", ctx.attr.compression, "--owner", ctx.attr.owner])
    options.add_all(["--digest-file", digest, "--diff-id-file", diff_id])
    _run(ctx, options, args, inputs, [out, digest, diff_id], "BytekilnLayer")
    return [
        DefaultInfo(files = depset([out])),
        OutputGroupInfo(
            diff_id = depset([diff_id]),
            digest = depset([digest]),
            layer = depset([out]),
        ),
    ]

_ATTRS = {
    "deps": attr.label_list(aspects = [bytekiln_aspect], mandatory = True),
    "imports": attr.string_list(doc = "Folders that are import roots: taken off the names."),
    "sources": attr.bool(default = True, doc = "Sources too; without them, tracebacks have no lines of text."),
} | ATTRS

py_precompiled_zip = rule(
    implementation = _zip_impl,
    attrs = _ATTRS,
    toolchains = [TOOLCHAIN_TYPE],
    doc = "A zip to put on sys.path. The same bytes on every machine.",
)

py_precompiled_layer = rule(
    implementation = _layer_impl,
    attrs = {
        "compression": attr.string(default = "gzip", values = _SUFFIXES.keys()),
        "directory": attr.string(default = "app", doc = "The folder of the image that all is put in."),
        "owner": attr.string(default = "0:0", doc = "User and group of every entry, by number."),
    } | _ATTRS,
    toolchains = [TOOLCHAIN_TYPE],
    doc = "A layer of an OCI image, as a tar; output groups `digest` and `diff_id` have what a manifest and a " +
          "configuration say of it. The same bytes on every machine.",
)
