"""Prints the facts about the instruction set of the interpreter that runs it, as a Rust table.

The output is the body of crates/bytecode/src/tables/python_3_N.rs before formatting. What an
argument selects is taken from the interpreter's own modules; how names carry flags is not stated
anywhere but in the code of `dis`, so it is stated here by release, and the oracle tests of the crate
compare the outcome with `dis`.
"""

import __future__
import dis
import opcode
import sys

minor = sys.version_info[1]
opcodes = dict(getattr(dis, "_all_opmap", opcode.opmap))
bases = getattr(dis, "deoptmap", {})
operators = [symbol for _, symbol in getattr(opcode, "_nb_ops", [])]
conversions = ["", "str", "repr", "ascii"]
used = set()


def literal(text):
    assert '"' not in text and "\\" not in text, text
    return '"%s"' % text


def strings(items):
    return "&[%s]" % ", ".join(map(literal, items))


def combinations(names):
    """The names of the bits that are set in each number, as `dis` joins them."""
    for number in range(1 << len(names)):
        yield ", ".join(name for bit, name in enumerate(names) if number >> bit & 1)


def constant(value):
    return value.__name__ if isinstance(value, type) else repr(value)


comparisons = list(opcode.cmp_op)
compare_shift = {12: 4}.get(minor, 0)
if minor >= 13:
    # The lowest of the bits that select tells whether the result is made a bool.
    compare_shift = 4
    comparisons = [text for symbol in opcode.cmp_op for text in (symbol, "bool(%s)" % symbol)]

# Opcode, its shift, the name of its table.
selections = {"COMPARE_OP": (compare_shift, "COMPARISONS")}
tables = {"COMPARISONS": comparisons}


def select(name, table, items):
    if name in opcodes and items:
        selections[name] = (0, table)
        tables[table] = list(items)


select("BINARY_OP", "OPERATORS", operators)
select("CALL_INTRINSIC_1", "UNARY_INTRINSICS", getattr(opcode, "_intrinsic_1_descs", []))
select("CALL_INTRINSIC_2", "BINARY_INTRINSICS", getattr(opcode, "_intrinsic_2_descs", []))
select("LOAD_COMMON_CONSTANT", "CONSTANTS", map(constant, getattr(opcode, "_common_constants", [])))
select("LOAD_SPECIAL", "SPECIAL_METHODS", getattr(opcode, "_special_method_names", []))
select("CONVERT_VALUE", "CONVERSIONS", conversions)
formats = conversions + [", ".join(filter(None, (name, "with format"))) for name in conversions]
select("FORMAT_VALUE", "FORMATS", formats)
attributes = getattr(dis, "FUNCTION_ATTR_FLAGS", getattr(dis, "MAKE_FUNCTION_FLAGS", ()))
attribute_opcode = "SET_FUNCTION_ATTRIBUTE" if minor >= 13 else "MAKE_FUNCTION"
select(attribute_opcode, "ATTRIBUTES", combinations(attributes))
select("IS_OP", "IDENTITY", ["is", "is not"])
select("CONTAINS_OP", "MEMBERSHIP", ["in", "not in"])

# Opcode: how many low bits of the argument are no part of the index, and what they add.
flags = {}
if minor >= 11:
    flags["LOAD_GLOBAL"] = (1, ["", "NULL"])
if minor >= 12:
    flags["LOAD_ATTR"] = (1, ["", "NULL|self"])
    flags["LOAD_SUPER_ATTR"] = (2, ["", "NULL|self"] * 2)
if minor >= 15:
    flags["IMPORT_NAME"] = (2, ["", "lazy", "eager", "lazy"])


def kind(name, number):
    """The variant of `Kind`, with its fields."""
    if name == "EXTENDED_ARG":
        return "Prefix"
    if hasattr(opcode, "hasarg"):
        if number not in opcode.hasarg:
            return "Bare"
    elif number < opcode.HAVE_ARGUMENT:
        return "Bare"
    if name in selections:
        return "Select(%d, %s)" % selections[name]
    if name in flags:
        return "Flagged(%d, %s)" % (flags[name][0], strings(flags[name][1]))
    if name == "END_ASYNC_FOR":
        return "Origin"
    if name == "LOAD_SMALL_INT":
        return "SmallInt"
    if number in opcode.hasconst:
        return "Const"
    if number in opcode.hasname:
        return "Name"
    if number in opcode.hasjabs:
        return "Absolute"
    if number in opcode.hasjrel:
        return "Backward" if "BACKWARD" in name else "Forward"
    if number in opcode.hasfree or "DEREF" in name:
        return "Cell"
    if name.count("_FAST") == 2 and "CLEAR" not in name:
        return "LocalPair"
    if number in opcode.haslocal:
        return "Local"
    return "Number"


def caches(name, number):
    entries = getattr(opcode, "_inline_cache_entries", {})
    return entries.get(name, 0) if hasattr(entries, "get") else entries[number]


rows = []
for name, number in sorted(opcodes.items(), key=lambda item: item[1]):
    if number > 255:
        continue
    # A specialized or instrumented opcode has the layout of what it stands in for.
    base = bases.get(name, name)
    if base.startswith("INSTRUMENTED_") and base[13:] in opcodes:
        base = base[13:]
    what = kind(base, opcodes[base])
    used.add(what.split("(")[0])
    rows.append('(%d, "%s", %s, %d),' % (number, name, what, caches(base, opcodes[base])))

names = dict(dis.COMPILER_FLAG_NAMES)
for feature in __future__.all_feature_names:
    flag = getattr(__future__, feature).compiler_flag
    if flag and flag not in names:
        names[flag] = "FUTURE_" + feature.upper()

print("//! Instruction set of CPython 3.%d. Knows nothing of how it is used." % minor)
print("// Written by `cargo xtask opcodes`, which asks an interpreter of the release.\n")
print("use crate::opcode::{Kind::{%s}, Row, Set};\n" % ", ".join(sorted(used)))
print("pub(super) static SET: Set = Set::new(")
# Of opcodes that do not exist, older releases know whether they have an argument.
unknown = 256 if hasattr(opcode, "hasarg") else opcode.HAVE_ARGUMENT
print("ROWS, FLAGS, %d, %d);\n" % (1 if minor < 10 else 2, unknown))
print("const ROWS: &[Row] = &[")
print("\n".join(rows))
print("];\n")
print("const FLAGS: &[(u32, &str)] = &[")
for flag, name in sorted(names.items()):
    print('(0x%x, "%s"),' % (flag, name))
print("];")
for table, items in tables.items():
    print("\nconst %s: &[&str] = %s;" % (table, strings(items)))
