"""What a crash must not lose of the sessions on an item: the checkpoint of the stage, and their last words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from plugins.maintenance.agents.session import Ended

_WORDS: Final = "words.md"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is left of a session that has ended well and is paid: its work lies in the clone, and is not judged yet."""

    turns: int
    seconds: float
    confined: bool
    cost_known: bool
    denied: tuple[str, ...]
    moved: bool
    """The checkout changed while the agent worked."""
    folder: str

    @classmethod
    def of(cls, ended: Ended, folder: Path, *, moved: bool) -> Heard:
        """Keep what is known of how a session ended; its words go into its folder."""
        (folder / _WORDS).write_text(ended.report.text, "utf-8", "replace")
        return cls(
            turns=ended.report.turns,
            seconds=round(ended.seconds, 1),
            confined=ended.confined,
            cost_known=ended.report.cost_usd_micros is not None,
            denied=tuple(sorted(set(ended.report.denied)))[:20],
            moved=moved,
            folder=str(folder),
        )

    @property
    def text(self) -> str:
        """Its last words."""
        try:
            return Path(self.folder, _WORDS).read_text("utf-8")
        except OSError:
            return ""


@dataclass(frozen=True, slots=True)
class Saved:
    """How far the sessions on an item are."""

    agent: str
    session_id: str
    base: str
    round: int
    spent_usd_micros: int = 0
    note: str = ""
    is_open: bool = False
    """The session runs, or was cut off: what it has cost is not in what was spent."""
    heard: Heard | None = None
    """The session has ended, and what it left is still to be judged."""
    done: Mapping[str, Any] = field(default_factory=dict)
    """The output of the stage, when the branch is published."""

    @classmethod
    def of(cls, told: object) -> Saved | None:
        """Read a checkpoint."""
        if not isinstance(told, Mapping):
            return None
        heard = told.get("heard")
        return cls(**{**told, "heard": Heard(**{**heard, "denied": tuple(heard["denied"])}) if heard else None})

    def encoded(self) -> dict[str, Any]:
        """The checkpoint."""
        return asdict(self)
