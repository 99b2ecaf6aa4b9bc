"""Installing the lab compiles the chip model; everything else is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

sys.path.insert(0, str(Path(__file__).resolve().parent))
from hw.esp32.build import BuildError, build


def compile_chip() -> None:
    try:
        build()
    except BuildError as error:
        sys.exit(f"lab: {error}")


class BuildPy(build_py):
    def run(self) -> None:
        compile_chip()
        super().run()


class EditableWheel(editable_wheel):
    def run(self) -> None:
        compile_chip()
        super().run()


class BinaryDistribution(Distribution):
    """A wheel of this project holds a shared library, so it is for one platform."""

    def has_ext_modules(self) -> bool:
        return True


setup(
    cmdclass={"build_py": BuildPy, "editable_wheel": EditableWheel},
    distclass=BinaryDistribution,
)
