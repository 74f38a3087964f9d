"""Compiles files of the standard library and says what `dis` makes of each code object.

Arguments: how many files (0: all, spread evenly over the sorted list otherwise). Writes records to
standard output; a record is a list of lists of texts or bytes, each length-prefixed (u32, little
endian). Texts are UTF-8 with what cannot be encoded as escapes.
"""

import dis
import os
import random
import struct
import sys
import sysconfig

minor = sys.version_info[1]
out = sys.stdout.buffer
LONGEST = 60


def number(value):
    out.write(struct.pack("<I", value))


def record(*lists):
    number(len(lists))
    for items in lists:
        number(len(items))
        for item in items:
            if not isinstance(item, bytes):
                item = str(item).encode("utf-8", "backslashreplace")
            number(len(item))
            out.write(item)


def nested(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from nested(constant)


def instructions(code):
    """Lines of: first prefix, offset, name, argument, meaning."""
    start = None
    for one in dis.get_instructions(code):
        if start is None:
            start = one.offset
        if one.opname == "EXTENDED_ARG":
            continue
        meaning = one.argrepr
        jump = one.opcode in dis.hasjrel or one.opcode in dis.hasjabs
        if jump:
            # Some releases say nothing, or a label's number instead of an offset.
            meaning = "%s %d" % ((meaning.split() or ["to"])[0], one.argval)
        elif one.opname == "KW_NAMES":
            meaning = repr(code.co_consts[one.arg])
        argument = "" if one.arg is None else one.arg
        yield "%d %d %s %s %s" % (start, one.offset, one.opname, argument, meaning[:LONGEST])
        start = None


def lines(code):
    """The line of each code unit; before 3.10 only where a line starts."""
    if minor < 10:
        return ["%d %d" % pair for pair in dis.findlinestarts(code)]
    table = [None] * (len(code.co_code) // 2)
    for start, end, line in code.co_lines():
        table[start // 2 : end // 2] = [line] * (end // 2 - start // 2)
    return table


def positions(code):
    if minor < 11:
        return []
    return [" ".join(map(str, position)) for position in code.co_positions()]


def handlers(code):
    if minor < 11:
        return []
    entries = dis._parse_exception_table(code)
    return ["%d %d %d %d %d" % (e.start, e.end, e.target, e.depth, e.lasti) for e in entries]


def variables(code):
    if minor < 11:
        return code.co_varnames, code.co_cellvars + code.co_freevars
    names = []
    try:
        while True:
            names.append(code._varname_from_oparg(len(names)))
    except IndexError:
        return names, names


def table_of(code):
    return code.co_lnotab if minor < 10 else code.co_linetable


def dump(label, code):
    slots, cells = variables(code)
    flags = [name for bit, name in sorted(dis.COMPILER_FLAG_NAMES.items()) if code.co_flags & bit]
    exceptions = getattr(code, "co_exceptiontable", b"")
    record(
        [label, code.co_code, table_of(code), code.co_firstlineno, exceptions, code.co_flags],
        [repr(constant)[:LONGEST] for constant in code.co_consts],
        code.co_names,
        slots,
        cells,
        list(instructions(code)),
        lines(code),
        positions(code),
        handlers(code),
        flags,
    )


def varint(value):
    while value > 63:
        yield value & 63 | 64
        value >>= 6
    yield value


def signed(value):
    return varint(-value << 1 | 1 if value < 0 else value << 1)


def random_positions(chance, units):
    """A table of PEP 657 with entries of all forms."""
    line = 1000
    while units:
        length = chance.randint(1, min(8, units))
        units -= length
        form = chance.randint(0, 15)
        yield 128 | form << 3 | length - 1
        lines = chance.choice([0, 1, -1, 40, -40, 70000]) if line > 100 else 100
        if form < 10:
            yield chance.randint(0, 127)
        elif form < 13:
            line += form - 10
            yield chance.randint(0, 127)
            yield chance.randint(0, 127)
        elif form < 15:
            line += lines
            yield from signed(lines)
            if form == 14:
                yield from varint(chance.choice([0, 1, 63, 64, 5000]))
                yield from varint(chance.choice([0, 1, 63, 64, 5000]))
                yield from varint(chance.choice([0, 1, 63, 64, 5000]))


def random_ranges(chance, units):
    """A table of PEP 626."""
    while units:
        length = chance.randint(0, min(127, units))
        units -= length
        yield 2 * length
        yield chance.choice([0, 1, 127, 128, 129, 200, 255])


def random_pairs(chance, units):
    """Pairs of the old kind, some of them behind the end."""
    for _ in range(chance.randint(0, units)):
        yield 2 * chance.choice([0, 0, 1, 2, 127])
        yield chance.choice([0, 0, 1, 127, 128, 250, 255])


def random_tables(count):
    """Code that does nothing, with tables that no compiler would write."""
    chance = random.Random(3)
    code = compile("", "", "exec")
    name, make = {8: ("co_lnotab", random_pairs), 9: ("co_lnotab", random_pairs)}.get(
        minor, ("co_linetable", random_ranges if minor == 10 else random_positions)
    )
    for index in range(count):
        units = chance.randint(1, 300)
        nothing = bytes([dis.opmap["NOP"], 0]) * units
        # Lines stay far from -1, which stands for none.
        table = {"co_code": nothing, "co_firstlineno": 100000}
        table[name] = bytes(make(chance, units))
        dump("random table %d" % index, code.replace(**table))


def random_code(count):
    """Bytes that no compiler would write, specialized opcodes among them; from 3.10, before which
    `dis` carries prefixes over instructions without argument."""
    if minor < 10:
        return
    chance = random.Random(4)
    known = getattr(dis, "_all_opmap", dis.opmap)
    strange = ("INSTRUMENTED_", "ENTER_EXECUTOR")
    names = {number: name for name, number in known.items() if number < 256}
    plain = [number for number, name in names.items() if not name.startswith(strange)]
    prefixes = [dis.EXTENDED_ARG] * (len(plain) // 4)
    for _ in range(count):
        units = chance.randint(1, 200)
        code = bytearray()
        for _ in range(units):
            code += bytes([chance.choice(plain + prefixes), chance.randint(0, 255)])
        found = []
        start = None
        for row in dis._unpack_opargs(bytes(code)):
            offset, number, argument = row[0], row[-2], row[-1]
            start = offset if start is None else start
            if getattr(dis, "deoptmap", {}).get(names[number], names[number]) == "EXTENDED_ARG":
                continue
            argument = "" if argument is None else argument & 0xFFFFFFFF
            found.append("%d %d %s %s" % (start, offset, names[number], argument))
            start = None
        record([bytes(code)], found)


def main():
    if minor >= 11 and hasattr(sys.flags, "int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    library = sysconfig.get_path("stdlib")
    files = []
    for folder, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in ("site-packages", "__pycache__")]
        files += [os.path.join(folder, name) for name in names if name.endswith(".py")]
    files.sort()
    wanted = int(sys.argv[1])
    step = max(1, len(files) // wanted) if wanted else 1
    for path in files[::step]:
        try:
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        for one in nested(code):
            dump("%s, line %d" % (path, one.co_firstlineno), one)
    random_tables(100)
    record()
    random_code(300)
    record()


main()
