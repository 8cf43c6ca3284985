"""How fast something may happen."""

from __future__ import annotations

from engine.contracts.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A pace: `count` in `per_s` seconds, with `burst` of them at once."""

    count: float
    per_s: float
    burst: int = 1

    def __str__(self) -> str:
        units = {1.0: "s", 60.0: "m", 3_600.0: "h", 86_400.0: "d"}
        burst = f", burst {self.burst}" if self.burst > 1 else ""
        return f"{self.count:g}/{units.get(self.per_s, f'{self.per_s:g}s')}{burst}"
