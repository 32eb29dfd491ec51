"""The house keeps its shape: arrows between the parts, what may stand where, and how it is written.

training -> models -> layers -> functional -> _kernels -> simd
"""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kitnet"
KERNELS = PACKAGE / "_kernels"

# Each part may import from itself and from the rows above its own, never from its own row or below.
ROWS = [
    {"_kernels", "_geometry", "_files", "_text"},
    {"_backend"},
    {"_arrays", "_config"},
    {"functional", "init", "datasets"},
    {"layers"},
    {"models"},
    {"training", "article", "explain", "onnx"},
    {"cli"},
    {"__main__", "__init__"},
]
RANK = {part: rank for rank, row in enumerate(ROWS) for part in row}
ONLY_FOR = {"_kernels": {"_backend"}, "onnx": {"__init__"}}

PUBLIC = ["kitnet"] + [
    f"kitnet.{part}"
    for part in ("article", "datasets", "functional", "init", "layers", "models", "onnx", "training")
]


def sources(*patterns):
    found = [path for pattern in patterns for path in PACKAGE.rglob(pattern)]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def name_of(path):
    return str(path.relative_to(ROOT))


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """The dotted names under kitnet that a Python file imports, relative ones made absolute."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sources("*.py"), ids=name_of)
def test_imports_follow_the_arrows(path):
    part = part_of(path)
    for name in imported(path):
        words = name.split(".")
        if words[0] != "kitnet" or words[1:2] == ["__version__"]:
            continue
        target = words[1] if len(words) > 1 and words[1] in RANK else "__init__"
        allowed = target == part or RANK[target] < RANK[part]
        assert allowed, f"{part} (row {RANK[part]}) must not import {name} (row {RANK[target]})"
        assert part in ONLY_FOR.get(target, {part}) | {target}, f"{part} may not import {name}"


@pytest.mark.parametrize("path", sources("*.pyx", "*.pxd"), ids=name_of)
def test_compiled_kernels_import_only_each_other(path):
    modules = re.findall(r"^\s*(?:from\s+(\S+)\s+c?import|c?import\s+(\S+))", path.read_text(), re.MULTILINE)
    for module in (a or b for a, b in modules):
        outside = module.startswith(("kitnet", ".."))
        assert not outside, f"{path.name} imports {module}, which is outside _kernels"
        assert module.split(".")[0] != "numpy", "kernels use typed memoryviews only"


@pytest.mark.parametrize("path", sources("*.pyx", "*.pxd", "*.c", "*.h", "*.inc", "*.py"), ids=name_of)
def test_only_the_threads_helper_calls_openmp(path):
    if path.name not in ("_threads.pyx", "kn_openmp.h"):
        assert not re.search(r"\bomp_[a-z]", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((KERNELS / "simd").iterdir()), ids=name_of)
def test_micro_kernels_are_leaves(path):
    """No threads, no allocation, no Python, no error path."""
    text = path.read_text()
    assert not re.search(
        r"\b(omp|pthread|malloc|calloc|realloc|free|alloca|Python|PyObject|abort|assert)\b", text
    )
    assert not re.search(r"#\s*pragma\s+omp", text)


def test_only_dispatch_includes_the_micro_kernels():
    by = {path.stem for path in sources("*.pyx", "*.pxd") if '"kn_table.h"' in path.read_text()}
    assert by == {"_dispatch"}


@pytest.mark.parametrize("path", sources("*.py"), ids=name_of)
def test_nothing_executes_what_it_reads(path):
    """No pickle in any disguise, no eval: a model file is data."""
    modules = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not modules & {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level or node.module.split(".")[0] not in modules
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "compile", "__import__"), f"line {node.lineno}"
            if called in ("np.load", "numpy.load"):
                assert "allow_pickle=False" in ast.unparse(node), f"line {node.lineno}"


@pytest.mark.parametrize(
    "path",
    [
        *sources("*.py", "*.pyx", "*.pxd", "*.c", "*.h", "*.inc"),
        *(ROOT / "tests").rglob("*.py"),
        ROOT / "setup.py",
    ],
    ids=name_of,
)
def test_files_are_rooms_not_halls(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", sources("*.py", "*.pyx", "*.c", "*.h", "*.inc"), ids=name_of)
def test_files_say_what_they_are(path):
    assert path.read_text(encoding="utf-8").lstrip().startswith(('"""', "/*")), "expected a note at the top"


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_listed_and_documented(module):
    module = importlib.import_module(module)
    assert module.__doc__
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        thing = getattr(module, name)
        if callable(thing):
            assert thing.__doc__, f"{module.__name__}.{name} has no docstring"
            assert ">>>" in thing.__doc__, f"{module.__name__}.{name} has no example"
