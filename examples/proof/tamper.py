"""Changes one number in a .pyc, as somebody might who hopes that people read only sources."""

import marshal
import sys
import types


def change(code, old, new):
    constants = tuple(
        change(value, old, new) if isinstance(value, types.CodeType)
        else new if type(value) is int and value == old
        else value
        for value in code.co_consts
    )
    return code.replace(co_consts=constants)


path, old, new = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, "rb") as file:
    header, payload = file.read(16), file.read()
with open(path, "wb") as file:
    file.write(header + marshal.dumps(change(marshal.loads(payload), old, new)))
