"""The canonical form once more, from docs/canonical-form.md and not from the Rust code.

Frames as in compile.py: the release, the profile (empty, or nan=positive), the recorded path and the
payload, answered by the canonical payload. What the document refuses beyond the grammar is not refused here. An empty release ends it.
"""
import re, struct, sys

READ, WRITE = sys.stdin.buffer, sys.stdout.buffer
LAYOUTS = {
    False: ("6i", "code consts names varnames freevars cellvars filename name".split(), ["lnotab"]),
    True: (
        "5i",
        "code consts names localsplusnames kinds filename name qualname".split(),
        ["linetable", "exceptiontable"],
    ),
}
NAMES = {"names", "varnames", "freevars", "cellvars", "localsplusnames"}


class Code:
    """Compared by identity, as code objects are here."""

    def __init__(self):
        self.numbers, self.fields, self.line = (), {}, 0


class Nan(Code):
    def __init__(self, kind, content):
        self.kind, self.content = kind, content


def receive():
    (length,) = struct.unpack("<I", READ.read(4))
    return READ.read(length)


class Reader:
    def __init__(self, minor, profile, data):
        self.data, self.at, self.slots = data, 0, []
        self.positive = profile == b"nan=positive"
        self.layout = LAYOUTS[minor >= 11]

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count : self.at]

    def number(self, form="<i"):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def object(self):
        byte = self.number("B")
        kind, flagged = chr(byte & 0x7F), byte & 0x80
        if kind in "NFT.S":
            return (kind,)
        if kind == "r":
            return self.slots[self.number()]
        slot = len(self.slots)
        if flagged:
            self.slots.append(None)
        value = self.value(kind)
        if flagged:
            self.slots[slot] = value
        return value

    def value(self, kind):
        if kind == "i":
            return ("int", self.number())
        if kind == "I":
            return ("int", self.number("<q"))
        if kind == "l":
            count = self.number()
            digits = struct.unpack("<%dH" % abs(count), self.take(2 * abs(count)))
            size = sum(digit << 15 * place for place, digit in enumerate(digits))
            return ("int", size if count > 0 else -size)
        if kind in "gy":
            return self.float("g" if kind == "g" else "y", self.take(8 if kind == "g" else 16))
        if kind == "f":
            return self.float("g", self.text_float())
        if kind == "x":
            return self.float("y", self.text_float() + self.text_float())
        if kind == "s":
            return ("bytes", self.take(self.number()))
        if kind in "zZ":
            return ("str", self.take(self.number("B")).decode("latin-1"))
        if kind in "aA":
            return ("str", self.take(self.number()).decode("latin-1"))
        if kind in "ut":
            return ("str", self.take(self.number()).decode("utf-8", "surrogatepass"))
        if kind in ")(":
            count = self.number("B" if kind == ")" else "<i")
            return ("tuple",) + tuple([self.object() for _ in range(count)])
        if kind == ">":
            return ("frozenset", frozenset([self.object() for _ in range(self.number())]))
        if kind == ":":
            return ("slice", self.object(), self.object(), self.object())
        if kind == "}":
            items = []
            while self.data[self.at] != ord("0"):
                items += [self.object(), self.object()]
            self.at += 1
            return ("frozendict",) + tuple(items)
        assert kind == "c", kind
        code, (form, before, after) = Code(), self.layout
        code.numbers = self.take(struct.calcsize("<" + form))
        code.fields = {name: self.object() for name in before}
        code.line = self.number()
        code.fields.update({name: self.object() for name in after})
        return code

    def text_float(self):
        return struct.pack("<d", float(self.take(self.number("B"))))

    def float(self, kind, content):
        parts = struct.unpack("<%dd" % (len(content) // 8), content)
        if not any(part != part for part in parts):
            return (kind, content)
        return Nan(kind, without_sign(content) if self.positive else content)


def children(value):
    if type(value) is Code:
        return list(value.fields.values())
    if type(value) is tuple and value[0] in ("tuple", "slice", "frozendict"):
        return value[1:]
    if type(value) is tuple and value[0] == "frozenset":
        return in_order(value[1])
    return ()


ORDERS = {}


def in_order(elements):
    if elements not in ORDERS:
        ORDERS[elements] = sorted(elements, key=lambda element: Writer(element, set()).out)
    return ORDERS[elements]


class Writer:
    def __init__(self, root, names):
        self.names, self.met, self.slots, self.out = names, {}, {}, b""
        self.count(root)
        parts = self.parts = []
        self.write(root)
        self.out = b"".join(parts)

    def count(self, value):
        self.met[value] = self.met.get(value, 0) + 1
        frozendict = type(value) is tuple and value[0] == "frozendict"
        if self.met[value] == 1 or frozendict:
            for child in children(value):
                self.count(child)

    def write(self, value):
        put = self.parts.append
        kind = value[0] if type(value) is tuple else None
        if kind in ("N", "F", "T", ".", "S"):
            return put(kind.encode())
        if kind == "frozendict":
            put(b"}")
            for child in value[1:]:
                self.write(child)
            return put(b"0")
        if value in self.slots:
            return put(b"r" + struct.pack("<i", self.slots[value]))
        flag = 0
        if self.met[value] > 1:
            self.slots[value] = len(self.slots)
            flag = 0x80

        def tagged(letter, rest=b""):
            put(bytes([ord(letter) | flag]) + rest)

        def sized(letter, size, rest=b""):
            tagged(letter, struct.pack("<i", size) + rest)

        if type(value) is Nan:
            return tagged(value.kind, value.content)
        if kind in ("g", "y"):
            return tagged(kind, value[1])
        if kind == "int":
            return self.integer(value[1], tagged, sized)
        if kind == "bytes":
            return sized("s", len(value[1]), value[1])
        if kind == "str":
            return self.text(value[1], tagged, sized)
        if kind == "tuple" and len(value) <= 256:
            tagged(")", bytes([len(value) - 1]))
        elif kind == "tuple":
            sized("(", len(value) - 1)
        elif kind == "frozenset":
            sized(">", len(value[1]))
        elif kind == "slice":
            tagged(":")
        else:
            tagged("c", value.numbers)
        for place, child in enumerate(children(value)):
            if kind is None and place == 8:
                put(struct.pack("<i", value.line))
            self.write(child)

    def integer(self, number, tagged, sized):
        if -(1 << 31) <= number < 1 << 31:
            return tagged("i", struct.pack("<i", number))
        digits, rest = [], abs(number)
        while rest:
            digits.append(rest & 0x7FFF)
            rest >>= 15
        count = len(digits) if number > 0 else -len(digits)
        sized("l", count, struct.pack("<%dH" % len(digits), *digits))

    def text(self, text, tagged, sized):
        data = text.encode("utf-8", "surrogatepass")
        interned = text in self.names or re.match(r"[A-Za-z0-9_]*\Z", text)
        if len(data) > len(text) or any(byte > 127 for byte in data):
            sized("t" if interned else "u", len(data), data)
        elif len(data) < 256:
            tagged("Z" if interned else "z", bytes([len(data)]) + data)
        else:
            sized("A" if interned else "a", len(data), data)


def without_sign(content):
    """The content of a float or a complex number, its NaNs quiet, positive and empty."""
    parts = [content[at : at + 8] for at in range(0, len(content), 8)]
    nan = bytes([0, 0, 0, 0, 0, 0, 0xF8, 0x7F])
    return b"".join([part if float_of(part) == float_of(part) else nan for part in parts])


def float_of(part):
    return struct.unpack("<d", part)[0]


def code_objects(value, seen):
    if value not in seen:
        seen[value] = None
        for child in children(value):
            code_objects(child, seen)
    return [code for code in seen if type(code) is Code]


def canonical(minor, profile, path, payload):
    ORDERS.clear()
    reader = Reader(minor, profile, payload)
    root = reader.object()
    assert type(root) is Code and reader.at == len(payload)
    old, names = root.fields["filename"], set()
    for code in code_objects(root, {}):
        for field, value in code.fields.items():
            if field in NAMES:
                names.update(name[1] for name in value[1:])
            elif minor >= 13 and field in ("name", "qualname"):
                names.add(value[1])
        if code.fields["filename"] == old:
            code.fields["filename"] = ("str", path.decode("utf-8", "surrogatepass"))
    return Writer(root, names).out


def main():
    sys.setrecursionlimit(5000)
    while True:
        release = receive()
        if not release:
            break
        profile, path, payload = receive(), receive(), receive()
        answer = canonical(int(release), profile, path, payload)
        WRITE.write(struct.pack("<I", len(answer)) + answer)
        WRITE.flush()


main()
