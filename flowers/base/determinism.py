"""Settings that make the same arithmetic give the same bits on every x86-64 processor since 2013.

OpenBLAS chooses its kernels by processor and splits a product into one part per thread; numpy's
``exp`` rounds differently with AVX-512 than with AVX2. numpy reads the variables when it is
imported, so this module is imported before numpy and imports nothing heavy.
"""

import os
import platform
import sys
import warnings

DETERMINISTIC_ENVIRONMENT = {
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
}


def set_deterministic():
    """Set the variables for this process and its children; values that are set already stay.

    Warns
    -----
    RuntimeWarning
        If numpy was imported before: its last bits may differ, and many BLAS threads beside many
        workers take many times as long.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return
    unset = [name for name in DETERMINISTIC_ENVIRONMENT if name not in os.environ]
    if unset and "numpy" in sys.modules:
        warnings.warn(
            f"numpy was imported before {', '.join(unset)} could be set: this process is slower "
            "and its last bits may differ. Import stages or scoring before numpy",
            RuntimeWarning,
            stacklevel=2,
        )
    for name in unset:
        os.environ[name] = DETERMINISTIC_ENVIRONMENT[name]
