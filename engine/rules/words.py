"""Numbers in words, for reasons that people read."""

from __future__ import annotations


def span(seconds: float) -> str:
    """A duration in its largest whole unit, as jobs.yaml writes it: `40s`, `15m`, `3h`, `2d`."""
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "m")):
        if seconds >= size:
            n = seconds / size
            return f"{n:.0f}{unit}" if n >= 10 or n == int(n) else f"{n:.1f}{unit}"
    return f"{seconds:.0f}s"


def items(n: int) -> str:
    """`1 item`, `3 items`."""
    return f"{n:,} {'item' if n == 1 else 'items'}"
