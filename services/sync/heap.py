"""The C library's heap, as an engine needs it."""

import ctypes

LARGE_BYTES = 1024 * 1024  # a batch unpacked, its rows
_M_MMAP_THRESHOLD = -3  # of mallopt(3)


def give_back_large_blocks() -> None:
    """Have glibc map every block of `LARGE_BYTES` by itself, so that its memory goes back to the system with it.

    Left alone it keeps blocks of a size that was freed before in its heap. Small ones that stay then lie between them,
    and the heap never shrinks again: 208 MB instead of 190 with sixteen origins that catch up. Other C libraries are
    left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
