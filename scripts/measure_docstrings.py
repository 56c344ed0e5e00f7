"""Measures how much the docstrings of the package say; `tests/test_docstrings.py` holds the floors.

python scripts/measure_docstrings.py [--missing]

Public functions, methods included, are those without a leading underscore in their own name, their
class's and their module's. Measured are: whether there is a docstring; whether it gives a shape
where arrays or tensors are taken or given; whether it says `Raises` where the function's own text
raises; and whether every float (a parameter of a public function, a field of a public class) has
its unit in its name or a sentence of its own. `See ...` counts as what it points to.
"""

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dfsynth"
_ARRAYS = re.compile(r"\b(Tensor|NDArray|ndarray|Float32Map|StoredMap|Array|PairBatch)\b")
_SHAPE = re.compile(
    r"\([\w ·×+\-/*…]+(, [\w ·×+\-/*…]+)+\)|\((n|draws|pixels|rows|columns|levels|samples)\)"
    r"|\((images|entries|views|side|detector_pixels)\)"
    r"|\b(scalars?|shapes?|one number)\b"
)
_UNITS = (
    *("s", "hz", "um", "mm", "mm2", "mm3", "cm", "cm2", "m2", "l", "px", "pixels", "bytes"),
    *("kv", "kvp", "kev", "deg", "degrees", "rad", "hu", "per_m", "per_cm"),
    *("sd", "share", "percentile", "fraction", "rate", "factor", "loss", "gain", "weight"),
    "probability",
)
_PLAIN = (
    *("kvp", "seed", "share", "low", "high", "sd", "loss", "rate", "dropout", "gain"),
    *("alpha", "beta", "gamma", "sigma", "k", "t", "x", "y"),
)
_UNIT = re.compile(rf"(^|_)seconds(_|$)|_({'|'.join(_UNITS)})$|^({'|'.join(_PLAIN)})$")
"""Names that say their unit, and those of textbooks that have none."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is measured, and whether it is there."""

    measure: str
    where: str
    there: bool


def measure(package: Path = PACKAGE) -> list[Item]:
    """All items of all modules, in the order of their files."""
    found: list[Item] = []
    for path in sorted(package.rglob("*.py")):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, node, owner in _public(tree):
            where = f"{module}:{node.lineno} {name}"
            found += _measure_function(node, owner, where)
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                where = f"{module}:{statement.lineno} {statement.name}"
                found.append(Item("docstring", where, ast.get_docstring(statement) is not None))
                found += _measure_fields(statement, module)
    return found


def shares(items: list[Item]) -> dict[str, tuple[int, int]]:
    """Measure → (there, all)."""
    counts: dict[str, tuple[int, int]] = {}
    for item in items:
        there, total = counts.get(item.measure, (0, 0))
        counts[item.measure] = there + item.there, total + 1
    return counts


def _public(
    tree: ast.Module,
) -> Iterator[tuple[str, ast.FunctionDef, ast.ClassDef | None]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, None
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and _is_called(inner):
                    yield f"{node.name}.{inner.name}", inner, node


def _is_called(method: ast.FunctionDef) -> bool:
    """Whether users call it: public, or by calling the class or its object; no overload."""
    public = not method.name.startswith("_") or method.name in ("__call__", "__init__")
    return public and not any("overload" in ast.unparse(d) for d in method.decorator_list)


def _measure_function(
    node: ast.FunctionDef, owner: ast.ClassDef | None, where: str
) -> Iterator[Item]:
    text = ast.get_docstring(node) or ""
    # What a class says of its arrays and errors holds for making one and for calling one.
    around = (ast.get_docstring(owner) or "") if owner and node.name.startswith("__") else ""
    inherited = text.startswith("See ")
    # A property says what it is in its name, and a constructor in its class.
    plain = any(ast.unparse(d) == "property" for d in node.decorator_list)
    if not plain and node.name != "__init__":
        yield Item("docstring", where, bool(text))
    if _mentions_arrays(node):
        yield Item("shape", where, inherited or bool(_SHAPE.search(text + around)))
    if _raises(node):
        yield Item("raises", where, inherited or "Raises:" in text + around)
    for argument in (*node.args.args, *node.args.kwonlyargs):
        if _is_float(argument.annotation):
            named = _UNIT.search(argument.arg) or re.search(rf"`?\b{argument.arg}\b", text + around)
            yield Item("unit", f"{where}({argument.arg})", inherited or bool(named))


def _mentions_arrays(node: ast.FunctionDef) -> bool:
    hints = [a.annotation for a in (*node.args.args, *node.args.kwonlyargs)] + [node.returns]
    return any(hint is not None and _ARRAYS.search(ast.unparse(hint)) for hint in hints)


def _raises(node: ast.FunctionDef) -> bool:
    """Whether it raises on purpose; what a caught error is raised again as counts as well."""
    return any(
        isinstance(inner, ast.Raise)
        and inner.exc is not None
        and not re.match(r"(AssertionError|typer\.Exit|AttributeError)", ast.unparse(inner.exc))
        for inner in ast.walk(node)
    )


def _is_float(hint: ast.expr | None) -> bool:
    return hint is not None and re.fullmatch(r"float( \| None)?", ast.unparse(hint)) is not None


def _measure_fields(node: ast.ClassDef, module: str) -> Iterator[Item]:
    text = ast.get_docstring(node) or ""
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or not _is_float(field.annotation):
            continue
        name = ast.unparse(field.target)
        described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        known = described or _UNIT.search(name) or re.search(rf"`?\b{name}\b", text)
        yield Item("unit", f"{module}:{field.lineno} {node.name}.{name}", bool(known))


def main() -> None:
    """Prints a line for each measure, and what is missing where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--missing", action="store_true", help="name what is missing")
    wanted = parser.parse_args()
    items = measure()
    for name, (there, total) in shares(items).items():
        print(f"{name:<10} {there:>5} of {total:>5}  {100 * there / total:.1f} %")
    if wanted.missing:
        for item in items:
            if not item.there:
                print(f"{item.measure:<10} {item.where}")


if __name__ == "__main__":
    main()
