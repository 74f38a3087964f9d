"""Prints the imports of Python sources as CPython's own parser sees them.

Reads paths from standard input, one a line. For each prints `= path`, or `! path` if it does not
compile, then one line an import. main.rs prints the same from the scanner.
"""

import ast
import io
import re
import sys
import tokenize
import warnings

warnings.simplefilter("ignore")
sys.setrecursionlimit(20000)

FUNCTIONS = {
    "importlib": "import_module",
    "builtins": "__import__",
    "runpy": "run_module",
    "pytest": "importorskip",
}
KEYWORDS = {
    "import_module": "name",
    "__import__": "name",
    "run_module": "mod_name",
    "importorskip": "modname",
}
OPERATORS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=",
    ast.GtE: ">=", ast.Gt: ">", ast.In: "in", ast.NotIn: "not in",
}
FUNCTION, CLASS, LOOP, WITH, MATCH = "function", "class", "loop", "with", "match"
TRY = (ast.Try, getattr(ast, "TryStar", ast.Try))


class Facts:
    def __init__(self, text):
        self.lines = re.split("\r\n|\r|\n", text)
        self.found = []
        self.type_checking = set()
        self.sys = {"sys"}
        self.sys_attributes = {}
        self.modules = set()
        self.functions = set()
        self.rendered = {}

    # Walking: the chain holds strings, and (test, holds) to be read later.

    def each(self, nodes, chain):
        for node in nodes:
            if node is not None:
                self.visit(node, chain)

    def visit(self, node, chain):
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Call)):
            self.found.append((node.lineno, node.col_offset, len(self.found), node, chain))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.each(node.decorator_list, chain)
            self.each([node.args, node.returns], chain)
            self.each(node.body, chain + (FUNCTION,))
        elif isinstance(node, ast.Lambda):
            self.visit(node.args, chain)
            self.visit(node.body, chain + (FUNCTION,))
        elif isinstance(node, ast.ClassDef):
            self.each(node.decorator_list + node.bases + node.keywords, chain)
            self.each(node.body, chain + (CLASS,))
        elif isinstance(node, ast.If):
            self.visit(node.test, chain)
            self.each(node.body, chain + ((node.test, True),))
            self.each(node.orelse, chain + ((node.test, False),))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.each([node.target, node.iter], chain)
            self.each(node.body + node.orelse, chain + (LOOP,))
        elif isinstance(node, ast.While):
            self.visit(node.test, chain)
            self.each(node.body + node.orelse, chain + (LOOP,))
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self.each(node.items, chain)
            self.each(node.body, chain + (WITH,))
        elif isinstance(node, TRY):
            everything = "".join(self.catches(handler) for handler in node.handlers)
            self.each(node.body, chain + ("try" + both(everything),))
            for handler in node.handlers:
                inner = chain + ("except" + both(self.catches(handler)),)
                self.each([handler.type, *handler.body], inner)
            self.each(node.orelse, chain + ("try-else",))
            self.each(node.finalbody, chain + ("finally",))
        elif hasattr(ast, "Match") and isinstance(node, ast.Match):
            self.visit(node.subject, chain)
            for case in node.cases:
                self.each([case.pattern, case.guard], chain)
                self.each(case.body, chain + (MATCH,))
        else:
            self.each(ast.iter_child_nodes(node), chain)

    @staticmethod
    def catches(handler):
        if handler.type is None:
            return "E"
        found = ""
        for node in ast.walk(handler.type):
            name = getattr(node, "id", getattr(node, "attr", None))
            if name in ("ImportError", "ModuleNotFoundError"):
                found += "I"
            elif name in ("Exception", "BaseException"):
                found += "E"
        return found

    # Tests.

    def chain(self, chain):
        parts = []
        for guard in chain:
            if isinstance(guard, str):
                parts.append([guard])
                continue
            key = (id(guard[0]), guard[1])
            if key not in self.rendered:
                self.rendered[key] = self.literals(*guard)
            parts.append(self.rendered[key])
        flat = []
        for part in parts:
            for literal in part:
                if not (flat and flat[-1] == literal and literal.startswith(("if ", "not "))):
                    flat.append(literal)
        return "/".join(flat)

    def literals(self, test, holds):
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self.literals(test.operand, not holds)
        if isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.And) == holds:
                return [found for part in test.values for found in self.literals(part, holds)]
            return [("if " if holds else "not ") + "other"]
        text = self.leaf(test) or "other"
        if text.startswith("!"):
            text, holds = text[1:], not holds
        return [("if " if holds else "not ") + text]

    def leaf(self, test):
        if isinstance(test, ast.Constant) and type(test.value) in (bool, int):
            return "true" if test.value else "!true"
        path = dotted(test)
        if path:
            base, _, last = path.rpartition(".")
            if last == "TYPE_CHECKING" or (not base and path in self.type_checking):
                return "TYPE_CHECKING"
            if path in ("six.PY2", "six.PY3"):
                return "version whole %s 3" % (">=" if path.endswith("3") else "<")
            return None
        if isinstance(test, ast.Call) and not test.keywords and len(test.args) == 1:
            path = dotted(test.func)
            if path and self.sys_attribute(path) == "platform.startswith":
                values = texts(test.args[0], "tuple") or texts(test.args[0], "one")
                return values and "platform sys.platform startswith " + values
            return None
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            return None
        left, right = test.left, test.comparators[0]
        operator = OPERATORS.get(type(test.ops[0]))
        if operator is None:
            return None
        if isinstance(left, ast.Constant) and left.value == "__main__":
            left, right = right, left
        if isinstance(left, ast.Name) and left.id == "__name__":
            if isinstance(right, ast.Constant) and right.value == "__main__":
                return {"==": "main", "!=": "!main"}.get(operator)
            return None
        return self.version(left, operator, right) or self.platform(left, operator, right)

    def version(self, left, operator, right):
        subject = "whole"
        if isinstance(left, ast.Subscript):
            index = left.slice
            if isinstance(index, ast.Slice):
                if index.lower or index.step or not number(index.upper):
                    return None
                subject = "first %d" % index.upper.value
            elif number(index):
                subject = "component %d" % index.value
            else:
                return None
            left = left.value
        attribute = self.sys_attribute(dotted(left) or "")
        if subject == "whole" and attribute in ("version_info.major", "version_info.minor"):
            subject = "component %d" % attribute.endswith("minor")
        elif attribute != "version_info":
            return None
        if operator in ("in", "not in"):
            return None
        if subject.startswith("component"):
            numbers = [right]
        elif isinstance(right, (ast.Tuple, ast.List, ast.Set)):
            numbers = right.elts
        else:
            return None
        if not all(map(number, numbers)):
            return None
        return "version %s %s %s" % (subject, operator, ".".join(str(n.value) for n in numbers))

    def platform(self, left, operator, right):
        called = isinstance(left, ast.Call)
        if called and (left.args or left.keywords):
            return None
        path = dotted(left.func if called else left) or ""
        attribute = self.sys_attribute(path)
        if called:
            calls = ("platform.system", "platform.machine", "platform.python_implementation")
            if path not in calls:
                return None
            subject = path
        elif attribute in ("platform", "implementation.name"):
            subject = "sys." + attribute
        elif path == "os.name":
            subject = path
        else:
            return None
        wanted = {"==": "one", "!=": "one", "in": "many", "not in": "many"}.get(operator)
        values = wanted and texts(right, wanted)
        return values and "platform %s %s %s" % (subject, operator, values)

    def sys_attribute(self, path):
        first, _, rest = path.partition(".")
        if first == "sys" or (rest and first in self.sys):
            return rest
        attribute = self.sys_attributes.get(first)
        return attribute and (attribute + "." + rest if rest else attribute)

    # Imports, in the order of the text.

    def lines_of(self):
        for line, byte, _, node, chain in sorted(self.found, key=lambda found: found[:3]):
            before = self.lines[line - 1].encode("utf-8", "surrogatepass")[:byte]
            place = "%d:%d" % (line, len(before.decode("utf-8", "surrogatepass")) + 1)
            lazy = " lazy" if getattr(node, "is_lazy", 0) else ""
            if isinstance(node, ast.Call):
                call = self.call(node)
                if call:
                    yield "%s call %s [%s]" % (place, call, self.chain(chain))
                continue
            shown = self.chain(chain)
            for alias in node.names:
                renamed = " as " + alias.asname if alias.asname else ""
                if isinstance(node, ast.Import):
                    what = "import " + alias.name
                    self.note_module(alias)
                else:
                    what = "from %s%s import %s" % ("." * node.level, node.module or "", alias.name)
                    if node.level == 0:
                        self.note_name(node.module, alias)
                yield "%s%s %s%s [%s]" % (place, lazy, what, renamed, shown)

    def note_module(self, alias):
        bound = alias.asname or alias.name.partition(".")[0]
        module = alias.name if alias.asname else bound
        if module == "sys":
            self.sys.add(bound)
        if module in FUNCTIONS:
            self.modules.add((bound, FUNCTIONS[module]))

    def note_name(self, module, alias):
        bound = alias.asname or alias.name
        if alias.name == "TYPE_CHECKING":
            self.type_checking.add(bound)
        elif module == "sys" and alias.name in ("version_info", "platform"):
            self.sys_attributes[bound] = alias.name
        elif FUNCTIONS.get(module) == alias.name:
            self.functions.add((bound, alias.name))

    def call(self, node):
        func = node.func
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            if (func.value.id, func.attr) not in self.modules:
                return None
            function = func.attr
        elif isinstance(func, ast.Name):
            names = [name for bound, name in self.functions if bound == func.id]
            if not names and func.id != "__import__":
                return None
            function = names[0] if names else func.id
        else:
            return None
        argument = node.args[0] if node.args else None
        if argument is None and node.keywords and node.keywords[0].arg == KEYWORDS[function]:
            argument = node.keywords[0].value
        return "%s %s" % (function, self.constant(argument) or "?")

    def constant(self, node):
        """A string constant without escapes and concatenation."""
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            return None
        if node.lineno != node.end_lineno:
            return None
        line = self.lines[node.lineno - 1].encode("utf-8", "surrogatepass")
        text = line[node.col_offset : node.end_col_offset].decode("utf-8", "surrogatepass")
        match = re.fullmatch("[rRuU]?(\"\"\"|'''|[\"'])(.*)\\1", text, re.DOTALL)
        return node.value if match and match[2] == node.value else None


def both(found):
    return ("I" if "I" in found else "") + ("E" if "E" in found else "")


def number(node):
    return isinstance(node, ast.Constant) and type(node.value) is int


def dotted(node):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def texts(node, wanted):
    if wanted == "one":
        values = [node]
    elif isinstance(node, ast.Tuple) or (wanted == "many" and isinstance(node, (ast.List, ast.Set))):
        values = node.elts
    else:
        return None
    if not all(isinstance(value, ast.Constant) and isinstance(value.value, str) for value in values):
        return None
    return ",".join(value.value for value in values)


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    for path in sys.stdin.read().splitlines():
        try:
            with open(path, "rb") as file:
                source = file.read()
            tree = ast.parse(source)
            encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
            facts = Facts(source.decode(encoding))
            facts.visit(tree, ())
            lines = list(facts.lines_of())
        except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
            print("! " + path)
            continue
        print("= " + path)
        for line in lines:
            print(line)


main()
