"""The settings, variables `PARLEY_*`, that the code of a function reads: found in its source.

A function reaches the definitions whose names its handler mentions, those that these mention, and so on, in the modules
that are imported on the way. So a setting counts as read only if something that the function can call reads it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.template import ROOT
from tools import bot

_Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_ROOTS = (ROOT / "shared", ROOT / bot.SAMPLE)


def settings_of(function: str) -> dict[str, bool]:
    """The settings that `functions/<function>/app.py` reads: names without the prefix, and whether each is required."""
    return _reached(function).settings


def modules_of(function: str) -> set[str]:
    """The modules that `functions/<function>/app.py` can come to import: `parley/engine/calls`."""
    roots = [(root, path) for path in _reached(function).modules for root in _ROOTS if path.is_relative_to(root)]
    return {str(path.relative_to(root).with_suffix("")) for root, path in roots}


@cache
def _reached(function: str) -> "_Reach":
    handler = ROOT / "functions" / function / "app.py"
    # A handler may be imported and not mentioned again.
    imports = [node for node in _parsed(handler).body if isinstance(node, ast.ImportFrom)]
    reach = _Reach(names={alias.name for node in imports for alias in node.names})
    reach.enter(handler)
    while reach.names - reach.done:
        for name in reach.names - reach.done:
            reach.follow(name)
    return reach


@dataclass
class _Reach:
    """The names and modules that are reached so far. A method's name is written `.name`.

    `done`: names whose definitions are followed. A further module may add definitions of such a name.
    """

    names: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    settings: dict[str, bool] = field(default_factory=dict)
    modules: set[Path] = field(default_factory=set)
    definitions: dict[str, list[_Def]] = field(default_factory=dict)

    def enter(self, path: Path) -> None:
        """Import a module: its own statements run, and its definitions can be reached."""
        if path in self.modules:
            return
        self.modules.add(path)
        for name, definition in _definitions(_parsed(path)):
            self.definitions.setdefault(name, []).append(definition)
            self.done.discard(name)
        self.read(_parsed(path))

    def follow(self, name: str) -> None:
        self.done.add(name)
        for definition in self.definitions.get(name, ()):
            self.read(definition)

    def read(self, node: ast.AST) -> None:
        """Note what `node` mentions, but not what stands in definitions within it that have names of their own."""
        local = {inner.id for inner in _own(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
        for inner in _own(node):
            if isinstance(inner, ast.Name) and inner.id not in local:
                self.names.add(inner.id)
            elif isinstance(inner, ast.Attribute):
                self.names.add(f".{inner.attr}")
                if isinstance(inner.value, ast.Name) and inner.value.id in {path.stem for path in self.modules}:
                    self.names.add(inner.attr)
            elif isinstance(inner, ast.Import | ast.ImportFrom):
                for path in _imported(inner):
                    self.enter(path)
            elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "setting":
                self._setting(inner)

    def _setting(self, call: ast.Call) -> None:
        name = ast.literal_eval(call.args[0])
        required = len(call.args) == 1 and not call.keywords
        self.settings[name] = self.settings.get(name, False) or required


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _definitions(module: ast.Module) -> Iterator[tuple[str, _Def]]:
    """Functions, classes and methods by name. Methods that Python calls by itself belong to their class."""
    for node in module.body:
        if isinstance(node, _Def):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, _Def):
                    yield (node.name if method.name.startswith("__") else f".{method.name}"), method


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node`; of definitions that a module or class holds, the decorators and defaults alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Def) and isinstance(node, ast.Module | ast.ClassDef):
            yield from (inner for decorator in child.decorator_list for inner in ast.walk(decorator))
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _own(child)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[Path]:
    """The project's own modules that an import names."""
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
    for name in names:
        for root in _ROOTS:
            path = root.joinpath(*name.split("."))
            yield from (found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file())
