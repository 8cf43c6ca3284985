"""What one judgement says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """One measured share."""

    name: str
    n: int
    """Cases."""
    right: int

    def row(self) -> dict[str, object]:
        """Return it as printed."""
        return {"name": self.name, "n": self.n, "right": self.right, "value": round(self.right / max(1, self.n), 4)}
