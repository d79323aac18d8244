"""Adds a route to a file of routes, and leaves the rest of it as somebody wrote it."""

import ast
import io
import re
from dataclasses import dataclass
from pathlib import Path

LINE_LENGTH = 88


class RouteTaken(Exception):  # noqa: N818
    """Raised where another route has the name or the path; its text says which."""


class Unreadable(Exception):  # noqa: N818
    """Raised where a file does not list its routes as expected."""


@dataclass(frozen=True)
class Route:
    """`path(path, view, name=name)`, where `view` is or begins with what is imported."""

    path: str
    view: str
    name: str
    module: str

    def __str__(self) -> str:
        return f'path("{self.path}", {self.view}, name="{self.name}"),'

    @property
    def item(self) -> str:
        """The route as an item of a list, formatted."""
        if len(f"    {self}") <= LINE_LENGTH:
            return f"    {self}\n"
        parts = [f'"{self.path}",', f"{self.view},", f'name="{self.name}",']
        lines = ["    path(", *(f"        {part}" for part in parts), "    ),"]
        return "\n".join(lines) + "\n"

    @property
    def thing(self) -> str:
        return self.view.partition(".")[0]

    @property
    def import_line(self) -> str:
        line = f"from {self.module} import {self.thing}"
        if len(line) <= LINE_LENGTH:
            return line
        return f"from {self.module} import (\n    {self.thing},\n)"


class RouteFile:
    """A file with a list of routes in it."""

    def __init__(self, path: Path, variable: str) -> None:
        self.path = path
        try:
            self.text = path.read_bytes().decode()
            self.tree = ast.parse(self.text)
        except (OSError, ValueError, SyntaxError) as error:
            raise Unreadable(f"It cannot be read: {error}.") from None
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self.routes = find_list(self.tree, variable)

    @property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.routes.elts if isinstance(node, ast.Call)]

    def has(self, route: Route) -> bool:
        """Whether the route is there already. Raises RouteTaken where another is."""
        for call in self.calls:
            texts = constants(call)
            if {route.name, route.path} <= texts and route.view in ast.unparse(call):
                return True
            if texts & {route.name, route.path}:
                name = f"{self.path.parent.name}/{self.path.name}"
                raise RouteTaken(f"{name} has {ast.unparse(call)} already.")
        return False

    def add(self, route: Route) -> None:
        """Write the route into the file, first: no other can hide it there."""
        # Not splitlines(), which knows more ends of lines than Python's parser.
        lines = list(io.StringIO(self.text, newline=""))
        self._insert_item(lines, route)
        self._insert_import(lines, route)
        self.path.write_bytes("".join(lines).encode())

    def _insert_item(self, lines: list[str], route: Route) -> None:
        first, last = self.routes.lineno - 1, (self.routes.end_lineno or 0) - 1
        # Offsets of the parser count bytes.
        before = lines[first].encode()[: self.routes.col_offset + 1].decode()
        item = self._own(route.item)
        if first == last:
            after = lines[last].encode()[(self.routes.end_col_offset or 0) - 1 :]
            others = [ast.get_source_segment(self.text, one) for one in self.calls]
            if len(others) < len(self.routes.elts):
                raise Unreadable("Its list holds more than calls of path().")
            items = "".join(self._own(f"    {other},\n") for other in others)
            lines[first] = before + self.newline + item + items + after.decode()
        elif re.fullmatch(r"\s*(#.*)?\s*", lines[first][len(before) :]):
            lines.insert(first + 1, item)
        else:
            raise Unreadable("Its list begins in the middle of a line.")

    def _insert_import(self, lines: list[str], route: Route) -> None:
        imports = [
            node
            for node in self.tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            and node.lineno < self.routes.lineno
        ]
        if not imports:
            raise Unreadable("It imports nothing.")
        own: list[tuple[str, ast.ImportFrom]] = [
            (node.module, node)
            for node in imports
            if isinstance(node, ast.ImportFrom)
            and node.module
            and not node.level
            and node.module.split(".")[0] == route.module.split(".")[0]
        ]
        text = self._own(f"{route.import_line}\n")
        for module, node in own:
            if module == route.module and route.thing in {n.name for n in node.names}:
                return
            if natural(module) > natural(route.module):
                lines.insert(node.lineno - 1, text)
                return
        relative = [one for one in imports if getattr(one, "level", 0)]
        if own:
            lines.insert(own[-1][1].end_lineno or 0, text)
        elif relative:
            lines.insert(relative[0].lineno - 1, text + self.newline)
        else:
            lines.insert(imports[-1].end_lineno or 0, self.newline + text)

    def _own(self, text: str) -> str:
        return text.replace("\n", self.newline)


def find_list(tree: ast.Module, variable: str) -> ast.List:
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {one.id for one in targets if isinstance(one, ast.Name)}
        if variable in names and isinstance(node.value, ast.List):
            return node.value
    raise Unreadable(f"It has no list “{variable} = […]”.")


def constants(call: ast.Call) -> set[object]:
    values = [*call.args, *(word.value for word in call.keywords)]
    return {one.value for one in values if isinstance(one, ast.Constant)}


def natural(module: str) -> list[tuple[str, int]]:
    """A key that sorts modules as ruff does: a2 before a10."""
    parts = re.findall(r"(\D*)(\d*)", module.lower())
    return [(text, int(digits or -1)) for text, digits in parts]
