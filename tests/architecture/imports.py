"""Which module imports which, read from the source without running it.

Every import counts, also one inside a function or under TYPE_CHECKING: a lazy import that hides a layer
leak is a layer leak.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """`module` (dotted, with the name imported from it if that may be a module) at `line`."""

    module: str
    line: int


class Project:
    """The modules under `root` that belong to `packages`, and what they import."""

    def __init__(self, root: Path, packages: tuple[str, ...]) -> None:
        self.root = root
        self.packages = packages

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Dotted name -> file. Migrations are Django's to write and left out."""
        found = {}
        for package in self.packages:
            for path in sorted((self.root / package).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                if "migrations" in parts or "__pycache__" in parts:
                    continue
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return found

    @cached_property
    def imports(self) -> dict[str, tuple[Import, ...]]:
        """Dotted name -> everything it imports, with ``from a import b`` as ``a.b``."""
        return {name: tuple(_imports(name, path)) for name, path in self.modules.items()}

    def resolve(self, dotted: str) -> str:
        """The module of ours that `dotted` is in (``a.b.Name`` -> ``a.b``), or `dotted` itself."""
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            if (candidate := ".".join(parts[:end])) in self.modules:
                return candidate
        return dotted

    def reached(self, module: str) -> dict[str, str]:
        """Every module that importing `module` runs, ours or not -> the chain of ours that leads there.

        The packages above a module are run too, and so count.
        """
        chains = {module: module}
        waiting = [module]
        while waiting:
            current = waiting.pop()
            for name in [imported.module for imported in self.imports.get(current, ())] + _parents(current):
                target = self.resolve(name)
                if target not in chains:
                    chains[target] = f"{chains[current]} -> {target}"
                    waiting.append(target)
        return chains


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    """Is `module` one of `packages`, or inside one?"""
    return any(module == package or module.startswith(package + ".") for package in packages)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _imports(name: str, path: Path) -> Iterator[Import]:
    is_package = path.name == "__init__.py"
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                base = name.split(".") if is_package else name.split(".")[:-1]
                source = ".".join([*base[: len(base) - node.level + 1], *([source] if source else [])])
            for alias in node.names:
                yield Import(f"{source}.{alias.name}", node.lineno)
