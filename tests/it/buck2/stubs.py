"""What Buck2 gives to the rules of integrations/buck2, strict about names and keywords: the rules are loaded
and their implementations called, and actions run at once. Knows nothing of what they do.

stubs.py RULES ARGUMENTS: RULES is the .bzl; ARGUMENTS is JSON, {"bytekiln", "python", "version", "package",
"srcs", "invalidation_mode", "optimize"}. Prints the default output and the manifest of py_precompile, as JSON.
"""

import builtins
import json
import os
import subprocess
import sys
import types


class Artifact:
    def __init__(self, path, short_path=None, dir=False):
        self.path, self.short_path, self.dir, self.made_by = path, short_path, dir, None

    def as_output(self):
        return Output(self)


class Output:
    def __init__(self, artifact):
        self.artifact = artifact


class cmd_args:
    def __init__(self, *args, hidden=(), delimiter=None, format=None, prepend=None, quote=None,
                 ignore_artifacts=False, absolute_prefix=None, absolute_suffix=None, parent=0,
                 relative_to=None, replace_regex=()):
        self.args, self.format = args, format


def words(value, outputs):
    """The command line that a value stands for; outputs in it are gathered."""
    if isinstance(value, cmd_args):
        found = [word for one in value.args for word in words(one, outputs)]
        return [value.format.replace("{}", word) for word in found] if value.format else found
    if isinstance(value, (list, tuple)):
        return [word for one in value for word in words(one, outputs)]
    if isinstance(value, RunInfo):
        return words(value.args, outputs)
    if isinstance(value, Output):
        outputs.append(value.artifact)
        return [value.artifact.path]
    if isinstance(value, Artifact):
        # As Buck2 has it: what no action makes cannot be an input.
        assert value.made_by is not None or os.path.exists(value.path), "nobody makes " + value.path
        return [value.path]
    assert isinstance(value, str), "no part of a command line: %r" % (value,)
    return [value]


class Actions:
    """Keywords as in Buck2's app/buck2_action_impl/src/context."""

    def __init__(self, folder):
        self.folder, self.declared, self.categories = folder, [], []
        os.makedirs(folder)

    def declare_output(self, prefix, filename=None, *, dir=False):
        artifact = Artifact(os.path.join(self.folder, prefix, filename or "").rstrip("/"), prefix, dir)
        self.declared.append(artifact)
        return artifact

    def write_json(self, output, content, *, with_inputs=False, pretty=False, absolute=False):
        artifact = self.declare_output(output)
        artifact.made_by = "write_json"
        plain = lambda one: one.path if isinstance(one, Artifact) else str(one)
        with open(artifact.path, "w") as file:
            json.dump(content, file, default=plain)
        return cmd_args(artifact) if with_inputs else artifact

    def run(self, arguments, *, category, identifier=None, env=None, local_only=False,
            prefer_local=False, prefer_remote=False, allow_cache_upload=None, no_outputs_cleanup=False,
            error_handler=None, weight=None):
        assert isinstance(category, str) and category.isidentifier(), category
        assert isinstance(local_only, bool) and isinstance(allow_cache_upload, (bool, type(None)))
        outputs = []
        command = words(arguments, outputs)
        assert outputs, "an action without outputs"
        for output in outputs:
            assert output in self.declared and output.made_by is None, output.path
            output.made_by = category
        self.categories.append((category, identifier))
        assert len(set(self.categories)) == len(self.categories), "two actions of one category"
        subprocess.run(command, env=env or {}, check=True)
        for output in outputs:
            assert os.path.isdir(output.path) if output.dir else os.path.isfile(output.path), output.path

    def finish(self):
        for artifact in self.declared:
            assert artifact.made_by is not None, "declared, and made by no action: " + artifact.path


def provider(*, fields, doc=""):
    class Provider:
        def __init__(self, **values):
            assert set(values) == set(fields), (sorted(values), sorted(fields))
            self.__dict__.update(values)

    return Provider


def provider_field(type, default=None):
    return type


class RunInfo:
    def __init__(self, args):
        self.args = args


class DefaultInfo:
    def __init__(self, default_output=None, default_outputs=None, other_outputs=(), sub_targets=()):
        assert default_output is None or default_outputs is None
        self.default_output, self.other_outputs = default_output, other_outputs
        for output in [default_output, *other_outputs]:
            assert isinstance(output, Artifact), output


class Target(dict):
    """A dependency: providers by their types."""


class Attribute:
    def __init__(self, check, default=None, has_default=False):
        self.check, self.default, self.has_default = check, default, has_default


NOTHING = object()


def attribute(check, default):
    return Attribute(check, None if default is NOTHING else default, default is not NOTHING)


def has(providers):
    return lambda value: isinstance(value, Target) and all(one in value for one in providers)


class attrs:
    @staticmethod
    def exec_dep(*, providers=(), default=NOTHING, doc=""):
        return attribute(has(providers), default)

    @staticmethod
    def toolchain_dep(*, providers=(), default=NOTHING, doc=""):
        assert default is NOTHING or default.startswith("toolchains//:"), default
        return Attribute(has(providers))

    @staticmethod
    def option(inner, *, default=NOTHING, doc=""):
        return attribute(lambda value: value is None or inner.check(value), default)

    @staticmethod
    def string(*, default=NOTHING, validate=None, doc=""):
        return attribute(lambda value: isinstance(value, str), default)

    @staticmethod
    def int(*, default=NOTHING, doc=""):
        return attribute(lambda value: isinstance(value, builtins.int), default)

    @staticmethod
    def enum(variants, *, default=NOTHING, doc=""):
        assert default is NOTHING or default in variants
        return attribute(lambda value: value in variants, default)

    @staticmethod
    def source(*, default=NOTHING, allow_directory=False, doc=""):
        return attribute(lambda value: isinstance(value, Artifact), default)

    @staticmethod
    def list(inner, *, default=NOTHING, doc=""):
        return attribute(lambda value: all(inner.check(one) for one in value), default)


def rule(*, impl, attrs, doc="", is_toolchain_rule=False, is_configuration_rule=False, cfg=None,
         uses_plugins=None):
    for name, one in attrs.items():
        assert name.isidentifier() and isinstance(one, Attribute), name

    def instantiate(label, folder, **values):
        assert set(values) <= set(attrs), sorted(set(values) - set(attrs))
        for name, one in attrs.items():
            assert name in values or one.has_default, "an attribute is missing: " + name
            values.setdefault(name, one.default)
            assert one.check(values[name]), (name, values[name])
        actions = Actions(folder)
        ctx = types.SimpleNamespace(attrs=types.SimpleNamespace(**values), label=label, actions=actions)
        providers = impl(ctx)
        actions.finish()
        assert isinstance(providers[0], DefaultInfo)
        return Target({type(one): one for one in providers})

    return instantiate


def load_file(path):
    names = {
        "DefaultInfo": DefaultInfo, "RunInfo": RunInfo, "attrs": attrs, "cmd_args": cmd_args,
        "provider": provider, "provider_field": provider_field, "rule": rule,
        "typing": types.SimpleNamespace(Any=object),
    }

    def load(module, *wanted):
        assert module.startswith(":"), module
        loaded = load_file(os.path.join(os.path.dirname(path), module[1:]))
        names.update((name, loaded[name]) for name in wanted)

    def fail(*why):
        raise SystemExit(" ".join(why))

    names.update(load=load, fail=fail)
    # Of Python's own names those that Starlark has too, and nothing else.
    both = ["bool", "dict", "int", "len", "list", "str"]
    names["__builtins__"] = {name: vars(builtins)[name] for name in both}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), names)
    return names


def main():
    rules, asked = load_file(sys.argv[1]), json.loads(sys.argv[2])
    label = types.SimpleNamespace(
        package=asked["package"],
        raw_target=lambda: "root//%s:pyc" % asked["package"],
    )
    out = os.path.abspath("buck-out")
    toolchain = rules["bytekiln_toolchain"](
        label,
        os.path.join(out, "toolchain"),
        bytekiln=Target({RunInfo: RunInfo(args=[asked["bytekiln"]])}),
        python_path=asked["python"],
        python_version=asked["version"],
    )
    made = rules["py_precompile"](
        label,
        os.path.join(out, asked["package"]),
        srcs=[Artifact(os.path.join(asked["package"], path), path) for path in asked["srcs"]],
        _toolchain=toolchain,
        optimize=asked["optimize"],
        invalidation_mode=asked["invalidation_mode"],
    )
    info = made[rules["BytekilnInfo"]]
    assert made[DefaultInfo].default_output is info.tree
    print(json.dumps({"tree": info.tree.path, "manifest": info.manifest.path}))




main()
