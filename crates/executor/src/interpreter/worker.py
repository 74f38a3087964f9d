# The interpreter's side of the worker protocol (see protocol.rs). Compiles what it is sent and
# executes none of it. Runs on CPython 3.8 to 3.15 and imports built-in modules and `warnings` only.
def bytekiln_worker(magic, version):
    import sys

    # With `-c` the first entry is the current folder: nothing may be imported from there.
    sys.path[:] = [entry for entry in sys.path if entry.startswith("/")]

    import gc
    import marshal
    import posix
    import time
    import warnings
    from _io import open as open_stream

    # The frames get descriptors of their own, so that whatever prints cannot break them.
    requests = open_stream(posix.dup(0), "rb", 1 << 16)
    replies = posix.dup(1)
    nothing = posix.open("/dev/null", posix.O_RDONLY)
    posix.dup2(nothing, 0)
    posix.dup2(2, 1)
    posix.close(nothing)

    clock = time.perf_counter_ns
    warned = []

    def collect(warning):
        entry = (warning.category.__name__, str(warning.message), warning.lineno)
        if entry not in warned:
            warned.append(entry)

    # The compiler calls this for every warning that the filters let through.
    warnings.simplefilter("always")
    warnings._showwarnmsg = collect

    def u32(number):
        return number.to_bytes(4, "little")

    def field(text):
        data = text.encode("utf-8", "backslashreplace")
        return u32(len(data)) + data

    def send(parts):
        size = sum(map(len, parts))
        frame = memoryview(b"".join([size.to_bytes(8, "little")] + parts))
        while len(frame):
            frame = frame[posix.write(replies, frame):]

    def unify(source):
        return source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def encoding_of(source):
        """The declared encoding and its line (PEP 263)."""
        if source[:3] == b"\xef\xbb\xbf":
            return "utf-8-sig", None
        lines = unify(source[:4096]).split(b"\n")
        for number, line in enumerate(lines[:2], 1):
            line = line.lstrip(b" \t\f")
            if line and line[:1] != b"#":
                break
            for mark in (b"coding:", b"coding="):
                at = line.find(mark)
                if at >= 0:
                    name = line[at + len(mark):].lstrip(b" \t")
                    length = 0
                    while length < len(name) and (name[length:length + 1].isalnum() or name[length] in b"-_."):
                        length += 1
                    if length:
                        return name[:length].decode("ascii"), number
        return "utf-8", None

    def lines_of(source):
        """The decoded lines, and the line and column at which they could not be decoded."""
        encoding, declared = encoding_of(source)
        blame = (None, None)
        try:
            text = source.decode(encoding)
        except UnicodeDecodeError as error:
            before = source[:error.start].decode(encoding, "replace").replace("\r\n", "\n").split("\n")
            blame = (len(before), len(before[-1].lstrip("\ufeff")) + 1)
            text = source.decode(encoding, "backslashreplace")
        except Exception:
            blame = (declared, None)
            text = source.decode("ascii", "backslashreplace")
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), blame

    def diagnostic(category, message, lines, start, end):
        line = start[0]
        text = None
        if line is not None and 1 <= line <= len(lines):
            text = lines[line - 1].lstrip("\ufeff")[:1000]
        numbers = b"".join(
            u32(number if isinstance(number, int) and 0 < number < 1 << 32 else 0)
            for number in start + end
        )
        kept = b"\0" if text is None else b"\1" + field(text)
        return field(category) + field(message) + numbers + kept

    def rejection(error, source, level):
        """Compiles again under a name that no file has: the compiler quotes and counts columns in
        whatever file has the recorded path, which need not be this source."""
        try:
            compile(source, "<source>", "exec", dont_inherit=True, optimize=level)
        except Exception as neutral:
            error = neutral
        lines, blame = lines_of(source)
        start = end = (None, None)
        message = str(error)
        if isinstance(error, SyntaxError):
            message = str(error.msg)
            start = (error.lineno, error.offset)
            end = (getattr(error, "end_lineno", None), getattr(error, "end_offset", None))
        if not start[0] and b"\0" in source and "null" in message:
            before = unify(source[:source.index(b"\0")]).split(b"\n")
            start, end = (len(before), None), (None, None)
        elif blame[0] and start[0] in (None, 0, blame[0]):
            # What cannot be decoded is the cause, and CPython's columns do not count it.
            start, end = blame, (None, None)
        message = message.replace(" in file <source>", "").replace("<source>", "the source")
        return diagnostic(type(error).__name__, message, lines, start, end)

    def answer(number, path, source, level):
        payload = b""
        began = clock()
        try:
            payload = marshal.dumps(compile(source, path, "exec", dont_inherit=True, optimize=level))
            verdict = b"\0"
        except (MemoryError, RecursionError) as error:
            payload = field(type(error).__name__ + ": " + str(error))
            verdict = b"\2"
        except Exception as error:
            elapsed = clock() - began
            said = list(warned)
            payload = rejection(error, source, level)
            warned[:] = said
            began = clock() - elapsed
            verdict = b"\1"
        elapsed = clock() - began
        parts = [number, verdict, elapsed.to_bytes(8, "little"), u32(len(warned))]
        if warned:
            lines, _ = lines_of(source)
            for category, message, line in warned:
                parts.append(diagnostic(category, message, lines, (line, None), (None, None)))
            warned.clear()
        parts.append(payload)
        send(parts)

    identity = bytekiln_identity().encode("ascii")
    hello = memoryview(magic + u32(version) + u32(len(identity)) + identity)
    while len(hello):
        hello = hello[posix.write(replies, hello):]

    # Code objects and syntax trees hold no cycles; what errors leave behind is collected below.
    gc.collect()
    gc.disable()
    if hasattr(gc, "freeze"):
        gc.freeze()
    served = 0
    while True:
        head = requests.read(17)
        if len(head) < 17:
            return
        path = requests.read(int.from_bytes(head[9:13], "little")).decode("utf-8", "surrogatepass")
        size = int.from_bytes(head[13:17], "little")
        source = requests.read(size)
        if len(source) < size:
            return
        answer(head[:8], path, source, head[8])
        del source
        served += 1
        if served % 1024 == 0:
            gc.collect()
