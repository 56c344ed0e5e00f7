"""How much memory something takes, by Python's own count."""

import tracemalloc
from collections.abc import Callable

import pyarrow as pa


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory that Python and NumPy held at once while `work` ran."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def all_peak_bytes(work: Callable[[], object]) -> int:
    """The most memory that Python, NumPy and Arrow took up, each at its own peak."""
    pool, counted = pa.default_memory_pool(), pa.proxy_memory_pool(pa.system_memory_pool())
    pa.set_memory_pool(counted)
    try:
        return peak_bytes(work) + (counted.max_memory() or 0)
    finally:
        pa.set_memory_pool(pool)
