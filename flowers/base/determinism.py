"""Settings that make the same arithmetic give the same bits on every x86-64 processor since 2013.

OpenBLAS chooses its kernels by processor and splits a product into one part per thread; numpy's
``exp`` rounds differently with AVX-512 than with AVX2. numpy reads the variables when it is
imported, so this module is imported before numpy and imports nothing heavy.

``NUMERICS=native`` leaves both to the processor: perhaps faster, with other last bits.
"""

import os
import platform
import sys
import warnings

from flowers.base.environment import read_choice
from flowers.base.errors import BadInput

LIBRARIES = ("joblib", "numpy", "Pillow", "scikit-learn", "scipy")
NUMERICS = ("pinned", "native")
DETERMINISTIC_ENVIRONMENT = {
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
}


def read_numerics():
    """Read ``NUMERICS``, one of `NUMERICS`; the default is "pinned"."""
    return read_choice("NUMERICS", NUMERICS)


def read_library_versions():
    """Return the installed versions of Python (the minor one, as pickles need) and `LIBRARIES`."""
    from importlib.metadata import version  # 25 ms

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": python} | {name: version(name) for name in LIBRARIES}


def set_deterministic():
    """Set the variables for this process and its children; values that are set already stay.

    With ``NUMERICS=native`` only the number of BLAS threads is set.

    Raises
    ------
    SystemExit
        If ``NUMERICS`` has a wrong value, with one line.

    Warns
    -----
    RuntimeWarning
        If numpy was imported before: its last bits may differ, and many BLAS threads beside many
        workers take many times as long.
    """
    try:
        native = read_numerics() == "native"
    except BadInput as error:
        sys.exit(str(error))  # packages call this when they are imported, before any command
    if platform.machine() not in ("x86_64", "AMD64"):
        return
    names = ["OPENBLAS_NUM_THREADS"] if native else DETERMINISTIC_ENVIRONMENT
    unset = [name for name in names if name not in os.environ]
    if unset and "numpy" in sys.modules:
        warnings.warn(
            f"numpy was imported before {', '.join(unset)} could be set: this process is slower "
            "and its last bits may differ. Import stages or scoring before numpy",
            RuntimeWarning,
            stacklevel=2,
        )
    for name in unset:
        os.environ[name] = DETERMINISTIC_ENVIRONMENT[name]
