"""The house rules that a reader relies on, read from the source itself."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dfsynth"

# Each knows records and nothing of the others; they meet in the jobs.
STAGES = frozenset({"source", "decode", "score", "report"})
# Lowest first. A component imports from layers below its own, never from its own or above.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "version", "resources", "progress", "printable_text", "counted_nouns"}),
    frozenset({"extras", "metering"}),
    frozenset({"records", "files", "threads", "devices", "statistics", "notebook"}),
    frozenset({"tasks"}),
    frozenset({"splits", "options", "checkpoint"}),
    frozenset({"models", "optimisation", "trust"}) | STAGES,
    frozenset({"manifest", "preprocess"}),
    frozenset({"store", "inference", "lung_segmentation"}),
    frozenset({"description"}),
    frozenset({"exports"}),
    frozenset({"datasets", "jobs", "simulation"}),
    frozenset({"evaluate", "doctor"}),
    frozenset({"train"}),
    frozenset({"commands"}),
    frozenset({"api"}),
    frozenset({"cli"}),
    # `import dfsynth` and `python -m dfsynth`.
    frozenset({"", "__main__"}),
)
# What users of a package's `__init__` meet is described.
DESCRIBED = STAGES | {
    "preprocess",
    "store",
    "manifest",
    "inference",
    "lung_segmentation",
    "simulation",
}
MOST_FILE_LINES = 450
MOST_FUNCTION_LINES = 60
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
# Each holds one function that no package offers under the same name.
NAMESAKES = frozenset({"dfsynth.decode.sniff"})
HEAVY = frozenset(
    {"torch", "pyarrow", "cv2", "duckdb", "zarr", "h5py", "pydicom", "imagecodecs", "numcodecs"}
)


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}


def component(module: str) -> str:
    """The part of the package that a module belongs to: `dfsynth.files.locks` → `files`."""
    return [*module.split("."), ""][1]


def rank(module: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if component(module) in layer)


def imports(module: str) -> Iterator[tuple[str, int]]:
    """Every module of ours that `module` imports, anywhere in its text, and in which line."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((a.name, node.lineno) for a in node.names if a.name in PATHS)
        elif isinstance(node, ast.ImportFrom) and node.module in PATHS:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in PATHS else node.module, node.lineno


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def stage_names() -> list[tuple[str, str]]:
    """(package, name) of all that these packages offer in their `__all__`."""
    found = []
    for package in (f"dfsynth.{name}" for name in sorted(DESCRIBED)):
        for node in TREES[package].body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found += [(package, name) for name in ast.literal_eval(node.value)]
    return found


def definition(package: str, name: str) -> ast.stmt | None:
    """The function or class that a package offers as `name`; None for a constant or a type."""
    for node in TREES[package].body:
        if isinstance(node, ast.ImportFrom) and node.module in PATHS:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return definition(node.module, alias.name)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
    return None


def test_the_walk_sees_the_package() -> None:
    assert len(PATHS) > 80
    assert {"dfsynth", "dfsynth.files.locks", "dfsynth.cli"} <= PATHS.keys()
    assert "dfsynth.models.unet" in [m for m, _ in imports("dfsynth.models.cascade")]
    # Also inside functions.
    assert "dfsynth.inference" in [m for m, _ in imports("dfsynth.jobs.checkpoint_generator")]
    assert len(stage_names()) > 40


def test_every_part_has_its_layer() -> None:
    placed = frozenset().union(*LAYERS)
    homeless = sorted({component(name) for name in PATHS} - placed)
    assert not homeless, f"say in LAYERS where these belong: {homeless}"


def test_imports_point_down() -> None:
    upward = [
        f"{module}:{line} imports {imported}"
        for module in PATHS
        for imported, line in imports(module)
        if component(imported) != component(module) and rank(imported) >= rank(module)
    ]
    assert not upward, "\n".join(upward)


def test_no_stage_knows_another() -> None:
    crossing = [
        f"{module}:{line} imports {imported}"
        for module in PATHS
        if component(module) in STAGES
        for imported, line in imports(module)
        if component(imported) in STAGES - {component(module)}
    ]
    assert not crossing, "\n".join(crossing)


def test_no_import_goes_round_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module in PATHS:
        graph[module] = set()
        for imported, _ in imports(module):
            graph[module].add(imported)
            # Importing a module runs the packages around it first.
            parts = imported.split(".")
            around = {".".join(parts[:n]) for n in range(1, len(parts))}
            graph[module] |= {p for p in around if not f"{module}.".startswith(f"{p}.")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" ← ".join(error.args[1]))


def test_no_relative_imports() -> None:
    found = [
        f"{module}:{node.lineno}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not found


def test_modules_are_named_for_what_they_hold() -> None:
    assert not [name for name in PATHS if FORBIDDEN_NAMES & set(name.split("."))]


def test_no_module_bears_the_name_of_a_function_in_it() -> None:
    """`from package import name` would give the function or the module, whichever came last."""
    found = {
        name
        for name, tree in TREES.items()
        if component(name) != "cli"
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == name.split(".")[-1]
    }
    assert found == NAMESAKES


def test_files_are_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in PATHS.items()}
    long = {name: lines for name, lines in lengths.items() if lines > MOST_FILE_LINES}
    assert not long


def test_functions_are_short() -> None:
    lengths = {}
    for module in PATHS:
        for node in functions(module):
            # A command's options are its signature; only what it does with them counts.
            first = node.body[0].lineno if component(module) == "cli" else node.lineno
            lengths[f"{module}.{node.name}"] = (node.end_lineno or first) - first + 1
    long = {name: lines for name, lines in lengths.items() if lines > MOST_FUNCTION_LINES}
    assert not long


def test_nothing_is_unpickled() -> None:
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    calls = {"torch.load", "torch.save", "np.load", "numpy.load"}
    found = []
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").split(".")[0]}
            elif isinstance(node, ast.Attribute):
                names = {ast.unparse(node)} & calls
                names |= {"pickle"} if "allow_pickle" in ast.unparse(node) else set()
            else:
                continue
            if names & (forbidden | calls):
                found.append(f"{module}:{node.lineno}")
    assert not found


def test_one_place_alone_catches_everything() -> None:
    """The boundary of one bad input, and what HDF5 calls, which keeps what it caught to raise it
    when HDF5 has let go; all else catches what it can name, or raises again."""
    broad = []
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = (
                {"Exception"}
                if node.type is None
                else {ast.unparse(n) for n in ast.walk(node.type)}
            )
            passes_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if caught & {"Exception", "BaseException"} and not passes_on:
                broad.append(module)
    # What a call raises in a thread of the third, whoever waits for the call raises again.
    assert broad == [
        "dfsynth.jobs.model_inputs",
        "dfsynth.store.hdf5.file",
        "dfsynth.threads.deadline",
    ]


def test_cores_are_counted_in_one_place() -> None:
    counting = {"sched_getaffinity", "cpu_count", "process_cpu_count"}
    found = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in counting
    }
    assert found == {"dfsynth.threads.pool"}


def test_no_function_changes_its_modules_names() -> None:
    found = [
        f"{module}:{node.lineno}"
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ]
    assert not found


@pytest.mark.parametrize(("package", "name"), stage_names())
def test_what_stages_offer_is_described(package: str, name: str) -> None:
    node = definition(package, name)
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        assert ast.get_docstring(node), f"{package}.{name} has no docstring"


def test_every_module_says_what_it_is() -> None:
    assert not [name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]


@pytest.mark.parametrize(
    "statement",
    [
        "import dfsynth, dfsynth.cli",
        "import dfsynth.jobs.checkpoint_generator",
        "import dfsynth.doctor",
    ],
)
def test_the_command_starts_without_the_heavy_libraries(statement: str) -> None:
    """`dfsynth --help` answers at once; torch alone takes seconds."""
    listing = "import sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; {listing}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert not HEAVY & set(done.stdout.split())
