"""Settings of the memory allocator, for work that makes large arrays again and again."""

import ctypes
import os

# Option of glibc's mallopt and value, by environment variable: freed memory that a process may
# keep, size of the blocks that it keeps, and pools from which threads take them.
MALLOC_OPTIONS = {
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**27),
    "MALLOC_MMAP_THRESHOLD_": (-3, 2**25),
    "MALLOC_ARENA_MAX": (-8, 2),
}


def keep_freed_memory():
    """Keep freed memory for the next arrays, where the C library is glibc.

    Otherwise it returns that of large arrays to the system, which clears new memory page by page: a
    sixth of the time in which features are extracted. Child processes inherit the settings;
    environment variables that are set already stay.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for name, (option, value) in MALLOC_OPTIONS.items() if mallopt else ():
        if name not in os.environ:
            mallopt(option, value)
            os.environ[name] = str(value)
