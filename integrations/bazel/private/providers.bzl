"""What the rules tell each other."""

TOOLCHAIN_TYPE = Label("//:toolchain_type")

BytekilnInfo = provider(
    doc = "Compiled sources of a target and of all that it depends on.",
    fields = {
        "direct": "list of struct(source, pyc, path, in_place): of the target itself. `path` is the place " +
                  "of the .pyc in runfiles, with the repository's name for those of other repositories; " +
                  "`in_place`: it is there by itself",
        "transitive": "depset of such structs",
    },
)

BytekilnToolchainInfo = provider(
    doc = "Who compiles.",
    fields = {
        "bytekiln": "FilesToRunProvider of the command",
        "python": "path of the interpreter, as actions see it",
        "python_files": "depset of the interpreter's files; empty for one of the system",
        "identity": "File: who command and interpreter are, as `--print-identity` says it",
        "cache_tag": "such as cpython-311",
    },
)
