"""Builds the compiled kernels; everything that can be declared is in pyproject.toml.

One extension per ``kitnet/_kernels/*.pyx``, found by name. Cython's C goes to the build folder, never beside
the sources. Without a working compiler the package still installs, as pure NumPy. Environment variables:

KITNET_DISABLE_EXT=1   build nothing; the wheel is pure Python
KITNET_REQUIRE_EXT=1   a kernel that does not build is an error (implied by CIBUILDWHEEL=1)
KITNET_DEBUG_CYTHON=1  kernels with bounds checks, for debugging
CFLAGS, LDFLAGS        added to ours; a -O or -g of yours replaces ours; with -g, profilers see names
"""

import os
import re
import sys
import sysconfig
import tempfile
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

KERNELS = Path("kitnet", "_kernels")
SHARED = "kitnet._kernels._cyutility"  # Cython's own helpers, compiled once instead of into every module


def switch(name: str) -> bool:
    return os.environ.get(name, "0") not in ("", "0")


DISABLED = switch("KITNET_DISABLE_EXT")
REQUIRED = switch("KITNET_REQUIRE_EXT") or switch("CIBUILDWHEEL")
DEBUG = switch("KITNET_DEBUG_CYTHON")
ABI3 = not sysconfig.get_config_var("Py_GIL_DISABLED")

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "initializedcheck": DEBUG,
    "wraparound": False,
    "cdivision": True,
    "freethreading_compatible": True,
}

# -ffp-contract=fast lets a*b + c become one FMA; -ffast-math would also reorder sums and drop NaN tests.
# No -std: a strict C standard turns contraction off in GCC. No -march: simd/kn_*.c choose their own targets.
# Short rows of zeros are stored, not handed to memset.
UNIX_FLAGS = [
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-fno-tree-loop-distribute-patterns",
    "-fvisibility=hidden",
]
MSVC_FLAGS = ["/O2", "/fp:precise"]
OPENMP_PROBE = "#include <omp.h>\nint probe(void) { return omp_get_max_threads(); }\n"


def openmp_flags(compiler) -> tuple[list[str], list[str]]:
    """Compile and link flags for OpenMP; none where a library that uses it does not link. Nothing is run."""
    if compiler.compiler_type == "msvc":
        return ["/openmp"], []
    candidates = [(["-fopenmp"], ["-fopenmp"])]
    if sys.platform == "darwin":
        candidates.append((["-Xpreprocessor", "-fopenmp"], ["-lomp"]))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text(OPENMP_PROBE)
        for compile_args, link_args in candidates:
            try:
                objects = compiler.compile([str(source)], output_dir=folder, extra_postargs=compile_args)
                compiler.link_shared_object(objects, str(Path(folder, "probe.so")), extra_postargs=link_args)
            except (CompileError, LinkError):
                continue
            return compile_args, link_args
    print("kitnet: no OpenMP here, so the kernels will run on one thread", file=sys.stderr)
    return [], []


def compile_flags(compiler) -> list[str]:
    if compiler.compiler_type == "msvc":
        return MSVC_FLAGS
    own = own_flags()
    return UNIX_FLAGS + ["-O3"] * ("-O" not in own) + ["-g0"] * ("-g" not in own)


def link_flags() -> list[str]:
    """Without -g the names of inner functions stay out, 5 % of a wheel."""
    return ["-Wl,--strip-all"] if sys.platform == "linux" and "-g" not in own_flags() else []


def own_flags() -> list[str]:
    """The kinds of the flags in CFLAGS."""
    return [flag[:2] for flag in os.environ.get("CFLAGS", "").split()]


def simd_sources(compiler) -> list[str]:
    """The micro-kernels, one file per instruction set; without GNU vector extensions only the baseline."""
    pattern = "kn_baseline.c" if compiler.compiler_type == "msvc" else "kn_*.c"
    return sorted(glob(str(KERNELS / "simd" / pattern)))


def headers(source: Path) -> set[str]:
    """The headers of ours that C or Cython code includes, directly or through others."""
    found: set[str] = set()
    unread = [source]
    while unread:
        for name in re.findall(r'(?:include|extern from)\s+"([\w./]+)"', unread.pop().read_text()):
            for path in {KERNELS / name, KERNELS / "simd" / name}:
                if path.exists() and str(path) not in found:
                    found.add(str(path))
                    unread.append(path)
    return found


def extensions() -> list[Extension]:
    def extension(name: str, sources: list[str]) -> Extension:
        return Extension(
            name,
            sources,
            include_dirs=[str(KERNELS), str(KERNELS / "simd")],
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if ABI3 else [("Py_GIL_DISABLED", "1")],
            py_limited_api=ABI3,
            optional=not REQUIRED,
        )

    modules = sorted(KERNELS.glob("*.pyx"))
    if DISABLED or not modules:
        return []
    return [extension(SHARED, [])] + [extension(f"kitnet._kernels.{m.stem}", [str(m)]) for m in modules]


class BuildKernels(build_ext):
    """build_ext that runs Cython late (not for every ``egg_info``), in parallel, and knows our flags."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count()

    def build_extensions(self):
        self.translate()
        openmp_compile, openmp_link = openmp_flags(self.compiler)
        for ext in self.extensions:
            if ext.name.endswith("._dispatch"):
                ext.sources += simd_sources(self.compiler)
            ext.depends += [header for source in ext.sources for header in headers(Path(source))]
            ext.extra_compile_args = compile_flags(self.compiler) + openmp_compile
            ext.extra_link_args = openmp_link + link_flags()
        super().build_extensions()
        missing = [ext.name for ext in self.extensions if not Path(self.get_ext_fullpath(ext.name)).exists()]
        if missing:
            print(
                f"kitnet: not compiled: {', '.join(missing)}; it will run on slow NumPy code", file=sys.stderr
            )

    def translate(self):
        """Run Cython. Only its sources are taken over: its copies of the extensions are not optional."""
        from Cython.Build import cythonize

        translated = cythonize(
            self.extensions,
            build_dir=str(Path(self.build_temp, "cython-debug" if DEBUG else "cython")),
            compiler_directives=DIRECTIVES,
            shared_utility_qualified_name=SHARED,
            nthreads=os.cpu_count() if sys.platform == "linux" else 0,
            force=self.force,
        )
        sources = {ext.name: ext for ext in translated}
        for ext in self.extensions:
            ext.sources, ext.depends = sources[ext.name].sources, sources[ext.name].depends


class Wheel(bdist_wheel):
    """bdist_wheel whose tag tells the truth when no kernel could be compiled: py3-none-any."""

    def get_tag(self):
        if not any(Path(path).exists() for path in self.get_finalized_command("build_ext").get_outputs()):
            self.root_is_pure = True
        return super().get_tag()


if __name__ == "__main__":
    setup(
        ext_modules=extensions(),
        cmdclass={"build_ext": BuildKernels, "bdist_wheel": Wheel},
        options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
    )
