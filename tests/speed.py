"""How slow this machine is at this moment: bounds on processor time are meant for an idle one of 2020 or newer."""

from __future__ import annotations

import time
from typing import Final

_LOOP: Final = 200_000
_IDLE_S: Final = 0.012
"""What the loop takes there."""


def slowness() -> float:
    """Return by which factor this machine is slower, at least 1."""
    return max(1.0, max(_probe() for _ in range(3)) / _IDLE_S)


def _probe() -> float:
    began = time.perf_counter()
    sum(n * n for n in range(_LOOP))
    return time.perf_counter() - began
