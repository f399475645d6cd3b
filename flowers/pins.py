"""Pin what makes the same arithmetic give other bits on another x86 processor.

OpenBLAS picks its kernels by processor and cuts a product into as many parts as it has threads;
numpy's ``exp`` rounds differently with AVX-512 than with AVX2. All are held at what every x86-64
processor since 2013 has. The variables are not read after numpy has been imported, so this module
is imported before it and imports nothing heavy.
"""

import os
import platform

PINS = {
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
}


def pin():
    """Set the pins for this process and its children; a value the user has set stays."""
    if platform.machine() in ("x86_64", "AMD64"):
        for name, value in PINS.items():
            os.environ.setdefault(name, value)
