"""Settings of the memory allocator, for work that makes large arrays again and again."""

import ctypes

# Of mallopt in glibc's malloc.h, with the values: freed memory that a process may keep, blocks
# below which it keeps it, and pools from which threads take it.
M_TRIM_THRESHOLD = -1, 2**27
M_MMAP_THRESHOLD = -3, 2**25
M_ARENA_MAX = -8, 2


def keep_freed_memory():
    """Keep freed memory for the next arrays, where the C library is glibc.

    Otherwise it returns that of large arrays to the system, which clears new memory page by page: a
    sixth of the time in which features are extracted.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for option, value in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX) if mallopt else ():
        mallopt(option, value)
