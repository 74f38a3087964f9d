"""The one action: sources to caches."""

load(":names.bzl", "cache_path", "entry")
load(":providers.bzl", "TOOLCHAIN_TYPE")

# Attributes that decide about bytes, of rules and of the aspect alike.
ATTRS = {
    "grain": attr.string(
        default = "file",
        values = ["file", "library"],
        doc = "file: an action for each source, so that an edit recompiles one. library: one for all " +
              "sources of a target, fewer actions.",
    ),
    "invalidation_mode": attr.string(
        default = "auto",
        values = ["auto", "checked-hash", "unchecked-hash"],
        doc = "auto: unchecked-hash with -c opt, else checked-hash.",
    ),
    "optimize": attr.string(default = "0", values = ["0", "1", "2"], doc = "As python -O, -OO."),
}

_WORKER = {
    "requires-worker-protocol": "json",
    "supports-multiplex-sandboxing": "1",
    "supports-multiplex-workers": "1",
    "supports-worker-cancellation": "1",
    "supports-workers": "1",
}

def _place(source):
    """The source's path in runfiles, below its repository's folder or that of the main one."""
    return source.short_path[len("../"):] if source.short_path.startswith("../") else source.short_path

def _is_in_package(source, label):
    """Whether an output beside the source is one of this package."""
    prefix = label.package + "/" if label.package else ""
    path = source.short_path
    if path.startswith("../"):
        path = path.split("/", 2)[2]
    same = source.owner.workspace_name == label.workspace_name
    return same and source.owner.package == label.package and path.startswith(prefix)

def compile(ctx, label, sources, options):
    """Declares the caches of sources, and the actions that make them.

    Args:
      ctx: of the rule or aspect.
      label: of the target whose sources they are.
      sources: list of File; those that are not called *.py are passed over.
      options: struct(grain, invalidation_mode, optimize).

    Returns:
      list of struct(source, pyc, path, in_place).
    """
    toolchain = ctx.toolchains[TOOLCHAIN_TYPE].bytekiln
    made = []
    for source in sources:
        if source.extension != "py" or source.is_directory:
            continue
        path = cache_path(_place(source), toolchain.cache_tag, options.optimize)
        in_place = _is_in_package(source, label)
        if in_place:
            below = cache_path(source.short_path, toolchain.cache_tag, options.optimize)
            if below.startswith("../"):
                below = below.split("/", 2)[2]
            below = below[len(label.package) + 1:] if label.package else below
        else:
            # A source of another package: its cache is made here, and put in its place in runfiles.
            below = "_bytekiln/%s/%s" % (label.name, path)
        pyc = ctx.actions.declare_file(below)
        made.append(struct(source = source, pyc = pyc, path = path, in_place = in_place))
    if options.grain == "library":
        if made:
            _run(ctx, toolchain, made, options, "Compiling %d Python sources of %%{label}" % len(made))
    else:
        for one in made:
            _run(ctx, toolchain, [one], options, "Compiling %{input}")
    return made

def _run(ctx, toolchain, made, options, message):
    mode = options.invalidation_mode
    if mode == "auto":
        mode = "unchecked-hash" if ctx.var["COMPILATION_MODE"] == "opt" else "checked-hash"
    args = ctx.actions.args()
    args.set_param_file_format("multiline")
    args.use_param_file("@%s", use_always = True)
    args.add("--python", toolchain.python)

    # In one word each: what begins with @ in a parameter file, Bazel reads for its workers.
    args.add(toolchain.identity, format = "--expect-python=@%s")
    args.add(toolchain.identity, format = "--expect-compiler=@%s")
    args.add("--optimize", options.optimize)
    args.add("--invalidation-mode", mode)
    for one in made:
        args.add(entry(one.source.path, _place(one.source), one.pyc.path))
    ctx.actions.run(
        executable = toolchain.bytekiln,
        arguments = ["worker", "--protocol", "json", args],
        inputs = [one.source for one in made] + [toolchain.identity],
        tools = [toolchain.python_files],
        outputs = [one.pyc for one in made],
        mnemonic = "BytekilnCompile",
        progress_message = message,
        execution_requirements = _WORKER,
        toolchain = TOOLCHAIN_TYPE,
    )
