"""The machine code of the micro-kernels is what their source means it to be.

A wrong flag or pragma costs 5 to 20 times the speed and fails no other test: contraction switched off (no FMA
at all), accumulators in memory, a vector split in halves, a scalar instruction per broadcast. So each
micro-kernel is compiled with the package's flags, and its innermost loop is read.
"""

import ast
import platform
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIMD = ROOT / "kitnet" / "_kernels" / "simd"
REGISTER = {"baseline": "%xmm", "avx2": "%ymm", "avx512": "%zmm", "neon": "v"}
HOST = (sysconfig.get_config_var("CC") or "cc").split()[0]


def compilers():
    """The instruction sets whose code can be generated here, each with the compiler for it."""
    host = platform.machine().lower().replace("amd64", "x86_64").replace("arm64", "aarch64")
    for machine, isas in (("x86_64", ("baseline", "avx2", "avx512")), ("aarch64", ("neon",))):
        compiler = HOST if machine == host else f"{machine}-linux-gnu-gcc"
        if shutil.which(compiler):
            yield from ((isa, compiler) for isa in isas)


COMPILERS = dict(compilers())


def flags():
    """UNIX_FLAGS of setup.py, which cannot be imported without setuptools."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "UNIX_FLAGS":
            return ["-O3", "-g0", "-fPIC", *ast.literal_eval(node.value)]
    raise AssertionError("setup.py has no UNIX_FLAGS")


@dataclass
class Tile:
    """One micro-kernel of a table: ``rows`` by ``width`` accumulators."""

    kind: str
    isa: str
    dtype: str
    rows: int
    width: int
    variant: str = ""

    @property
    def name(self):
        return f"kn_{self.dtype}_{self.kind}_{self.rows}{self.variant}__{self.isa}"


@dataclass
class Stream:
    """One micro-kernel that runs through arrays."""

    kind: str
    isa: str
    dtype: str

    @property
    def name(self):
        return f"kn_{self.dtype}_{self.kind}__{self.isa}"


def tiles(kind):
    """The tiles that each instruction set's source asks for: KN_MAC_TILES and the like."""
    for isa in COMPILERS:
        source = (SIMD / f"kn_{isa}.c").read_text().replace("\\\n", " ")
        listed = re.search(rf"#define KN_{kind.upper()}_TILES\(X\)(.*)", source).group(1)
        for dtype in ("f32", "f64"):
            for rows, width in re.findall(r"X\((\d+),\s*(\d+)\)", listed):
                yield Tile(kind, isa, dtype, int(rows), int(width))
                if kind == "mac":
                    yield Tile("mac_half", isa, dtype, int(rows), (int(width) + 1) // 2)
            for rows in re.findall(r"X\((\d+)\)", listed):  # by 1 and 2 vectors, in steps of 1 and 2
                for width, step in ((1, 1), (1, 2), (2, 1), (2, 2)):
                    if rows == "1" and step == 2:
                        continue  # one pixel has no next one: the same code
                    yield Tile(kind, isa, dtype, int(rows), width, f"_{width}_{step}")


@cache
def assembly(isa):
    """The lines of assembly for one instruction set, without directives and comments."""
    command = [COMPILERS[isa], *flags(), f"-I{SIMD}", "-S", "-o", "-", str(SIMD / f"kn_{isa}.c")]
    text = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    lines = (re.split(r"\s(?://|#)", line)[0].strip() for line in text.splitlines())
    return [line for line in lines if line and (line.endswith(":") or not line.startswith("."))]


def body(name, isa):
    """The lines of one function."""
    lines = assembly(isa)
    start = lines.index(f"{name}:")
    end = next(
        (i for i in range(start + 1, len(lines)) if re.fullmatch(r"[A-Za-z]\w*:", lines[i])), len(lines)
    )
    return lines[start + 1 : end]


def inner_loops(lines):
    """The instructions of each loop that has no loop in it: from a label to the branch back to it."""
    label_at = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    spans = []
    for i, line in enumerate(lines):
        branch = re.match(r"(?:j\w+|b(?:\.?\w\w)?|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.L\w+)$", line)
        if branch and label_at.get(branch.group(1), i) < i:
            spans.append((label_at[branch.group(1)], i))
    inner = [a for a in spans if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in spans)]
    return [[line for line in lines[start : end + 1] if not line.endswith(":")] for start, end in inner]


def operations(loop, isa, dtype):
    """How many vector multiply-adds a loop does: FMAs, or multiplications where there is no FMA."""
    letter = dtype.replace("f32", "s").replace("f64", "d")
    if isa == "neon":
        size = {"f32": "4s", "f64": "2d"}[dtype]
        return sum(bool(re.match(rf"fmla\s+v\d+\.{size}", line)) for line in loop)
    name = rf"mulp{letter}" if isa == "baseline" else rf"vfmadd(?:132|213|231)p{letter}"
    return sum(bool(re.match(rf"{name}\s.*{REGISTER[isa]}\d+$", line)) for line in loop)


def hot_loop(tile):
    lines = body(tile.name, tile.isa)
    loops = inner_loops(lines)
    assert loops, f"{tile.name} has no loop"
    return max(loops, key=lambda loop: operations(loop, tile.isa, tile.dtype))


def stack_references(tile):
    """The instructions that touch the stack; %rbp points there only in functions that keep a frame."""
    frame = any(re.match(r"movq\s+%rsp, %rbp", line) for line in body(tile.name, tile.isa))
    stack = r"\(%rsp|\[sp|\[x29" + (r"|\(%rbp" if frame else "")
    return [line for line in hot_loop(tile) if re.search(stack, line)]


SCALAR = r"v?(?:add|mul|sub|div|sqrt|fmadd\w*)s[sd]\b|f(?:add|mul|madd|div|sqrt)\s+[sd]\d"
THREES = [Tile("threes", t.isa, t.dtype, t.rows, 3) for t in tiles("cast") if t.variant == "_1_1"]
ALL_TILES = [*tiles("mac"), *tiles("dot"), *tiles("cast"), *tiles("cast_weight"), *THREES]


@pytest.mark.parametrize("tile", ALL_TILES, ids=lambda tile: tile.name)
def test_one_multiply_add_per_accumulator(tile):
    assert operations(hot_loop(tile), tile.isa, tile.dtype) == tile.rows * tile.width


@pytest.mark.parametrize("tile", ALL_TILES, ids=lambda tile: tile.name)
def test_accumulators_stay_in_registers(tile):
    assert stack_references(tile) == []


@pytest.mark.parametrize("tile", ALL_TILES, ids=lambda tile: tile.name)
def test_no_scalar_arithmetic_in_the_hot_loop(tile):
    assert [line for line in hot_loop(tile) if re.match(SCALAR, line)] == []


@pytest.mark.parametrize("tile", ALL_TILES, ids=lambda tile: tile.name)
def test_little_else_in_the_hot_loop(tile):
    """Loads, broadcasts and the loop itself: at most two instructions a row and a column, and ten more."""
    loop = hot_loop(tile)
    arithmetic = tile.rows * tile.width * (2 if tile.isa == "baseline" else 1)
    copies = tile.rows * tile.width if tile.isa == "baseline" else 0  # SSE overwrites one of its operands
    assert len(loop) <= arithmetic + copies + 2 * (tile.rows + tile.width) + 10


# Multiply-adds of the main loop: of four vectors, or of one where the compiler vectorises a plain loop.
STREAMS = {
    "norm_moments": 4,
    "norm_slopes": 4,
    "norm_apply": 4,
    "norm_gradient": 4,
    "softmax_backward": 4,
    "silu_forward_loop": 6,
    "gelu_backward_loop": 12,
    "tanh_forward_loop": 6,
    "softplus_forward_loop": 8,
    "bce_with_logits_slope_loop": 6,
    "sgd": 3,
    "adam": 4,
}
ALL_STREAMS = [Stream(kind, isa, dtype) for kind in STREAMS for isa in COMPILERS for dtype in ("f32", "f64")]


@pytest.mark.parametrize("stream", ALL_STREAMS, ids=lambda stream: stream.name)
def test_passes_over_arrays_run_in_vectors_of_their_dtype(stream):
    loops = inner_loops(body(stream.name, stream.isa))
    whole = [loop for loop in loops if operations(loop, stream.isa, stream.dtype) >= STREAMS[stream.kind]]
    assert whole, f"{stream.name} has no loop of {STREAMS[stream.kind]} multiply-adds"
    main = min(whole, key=len)
    assert [line for line in main if re.match(rf"{SCALAR}|v?cvt|fcvt", line)] == []


def test_some_instruction_set_was_read():
    assert ALL_TILES
