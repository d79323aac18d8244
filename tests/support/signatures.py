"""What calls the library takes, read from its source without importing it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from baking import TREE

LIBRARY = TREE / "channels_live"
PUBLIC_MODULES = {"runner", "testing", "utils"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Signature:
    """The arguments of a function, without self or cls."""

    names: tuple[str, ...]  # of arguments by position
    required: frozenset[str]
    keywords: frozenset[str]  # that have no position
    takes_more: bool

    @classmethod
    def of(cls, function: Function, *, is_method: bool = False) -> "Signature":
        given = function.args
        names = [arg.arg for arg in [*given.posonlyargs, *given.args]]
        required = names[: len(names) - len(given.defaults)]
        pairs = list(zip(given.kwonlyargs, given.kw_defaults, strict=True))
        required += [arg.arg for arg, default in pairs if default is None]
        if is_method:
            required.remove(names.pop(0))
        return cls(
            tuple(names),
            frozenset(required),
            frozenset(arg.arg for arg, _ in pairs),
            given.vararg is not None,
        )

    @classmethod
    def of_class(cls, definition: ast.ClassDef) -> "Signature | None":
        """That of the constructor, unless a base class has it."""
        methods = dict(functions(definition))
        for name in ("__init__", "__new__"):
            if name in methods:
                return cls.of(methods[name], is_method=True)
        if [ast.unparse(base) for base in definition.bases] != ["NamedTuple"]:
            return None
        fields = [node for node in definition.body if isinstance(node, ast.AnnAssign)]
        names = [ast.unparse(field.target) for field in fields]
        required = {ast.unparse(one.target) for one in fields if one.value is None}
        return cls(tuple(names), frozenset(required), frozenset(), takes_more=False)

    def objections(self, call: ast.Call) -> Iterator[str]:
        """What is wrong with a call. `…` stands for any arguments."""
        args = [arg for arg in call.args if not is_anything(arg)]
        is_open = len(args) < len(call.args)
        given = {keyword.arg for keyword in call.keywords if keyword.arg}
        for name in sorted(given - {*self.names, *self.keywords}):
            yield f"it has no {name}"
        if len(args) > len(self.names) and not self.takes_more:
            yield f"it takes {len(self.names)}"
        missing = self.required - given - {*self.names[: len(args)]}
        if missing and not is_open:
            yield f"it needs {', '.join(sorted(missing))}"


def is_anything(node: ast.expr) -> bool:
    """Whether an argument stands for any number of them."""
    is_ellipsis = isinstance(node, ast.Constant) and node.value is Ellipsis
    return is_ellipsis or isinstance(node, ast.Starred)


def functions(node: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Function]]:
    for child in node.body:
        if isinstance(child, Function):
            yield child.name, child


def public_names() -> set[str]:
    """What `channels_live` has in it, as it tells type checkers."""
    stub = parse(LIBRARY / "__init__.pyi")
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def names_of(path: Path) -> set[str]:
    """What can be imported from a module."""
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ClassDef | Function):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


@cache
def signatures() -> dict[str, Signature]:
    """Of the public functions and classes, and of methods that projects call.

    Methods have the name of their object before them: of a consumer, or of a region.
    """
    found: dict[str, Signature] = {}
    for node in parse(LIBRARY / "__init__.pyi").body:
        if isinstance(node, ast.ImportFrom):
            path = LIBRARY / f"{str(node.module).replace('.', '/')}.py"
            found |= of_module(path, {alias.name for alias in node.names})
    for name in ("testing", "utils"):
        found |= of_module(LIBRARY / f"{name}.py")
    for module, name in (("consumers", "self"), ("live/region", "Live")):
        for definition in parse(LIBRARY / f"{module}.py").body:
            if isinstance(definition, ast.ClassDef):
                for method, function in functions(definition):
                    one = Signature.of(function, is_method=True)
                    found[f"{name}.{method}"] = one
    return found


def of_module(path: Path, wanted: set[str] | None = None) -> dict[str, Signature]:
    found: dict[str, Signature] = {}
    for node in parse(path).body:
        if isinstance(node, Function):
            found[node.name] = Signature.of(node)
        elif isinstance(node, ast.ClassDef) and (one := Signature.of_class(node)):
            found[node.name] = one
    return {name: one for name, one in found.items() if not wanted or name in wanted}


def objections(tree: ast.AST) -> Iterator[str]:
    """What is wrong with the calls of the library in a tree."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, Function)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name):
                known = None if name in own else signatures().get(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                known = None if name in own else signatures().get(f"self.{name}")
            case ast.Attribute(
                value=ast.Name(), attr="changed" | "changed_all" as name
            ):
                known = signatures()[f"Live.{name}"]
            case _:
                continue
        for objection in known.objections(node) if known else ():
            yield f"{ast.unparse(node)}: {objection}"
