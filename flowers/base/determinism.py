"""Pin what makes the same arithmetic give other bits on another x86 processor.

OpenBLAS picks its kernels by processor and cuts a product into as many parts as it has threads;
numpy's ``exp`` rounds differently with AVX-512 than with AVX2. All are held at what every x86-64
processor since 2013 has. The variables are not read after numpy has been imported, so this module
is imported before it and imports nothing heavy.
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
    """Set the pins for this process and its children; a value the user has set stays.

    Warns
    -----
    RuntimeWarning
        If numpy was imported before, which then has other bits and, with as many BLAS threads as
        workers, takes many times as long.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return
    unset = [name for name in DETERMINISTIC_ENVIRONMENT if name not in os.environ]
    if unset and "numpy" in sys.modules:
        warnings.warn(
            f"numpy was imported before {', '.join(unset)} could be pinned: this process computes "
            "slower and with other last bits. Import stages or scoring before numpy",
            RuntimeWarning,
            stacklevel=2,
        )
    for name in unset:
        os.environ[name] = DETERMINISTIC_ENVIRONMENT[name]
