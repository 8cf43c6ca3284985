"""What several answers come to: majority, median on a scale, one decisive vote, or a ranking. Pure."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.values import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """The value (None: no consensus), its share of the answers (0 to 1), and how it was found."""

    value: Any
    agreement: float
    how: str


def decide(
    votes: Sequence[Any], *, asked: int, scale: Sequence[Any] = (), decisive: Any = None, quorum: int | None = None
) -> Decision:
    """Compare what members answered; `asked`: how many there are. See `LLM.jury` for the rest.

    A decisive vote counts without a quorum: the missing ones could only have agreed with it or been overruled.
    """
    if decisive is not None and decisive in votes:
        return Decision(decisive, votes.count(decisive) / len(votes), "one vote decides")
    needed = quorum if quorum is not None else asked // 2 + 1
    if len(votes) < max(1, needed):
        return Decision(None, 0.0, "no quorum")
    if scale:
        ranks = sorted(list(scale).index(vote) for vote in votes if vote in scale)
        if not ranks:
            return Decision(None, 0.0, "no majority")
        # Between two middles the later (stricter) one: a scale runs from the harmless to the grave.
        value = scale[ranks[len(ranks) // 2]]
        return Decision(value, votes.count(value) / len(votes), "median")
    counted = Counter(json.dumps(vote, sort_keys=True, default=str) for vote in votes)
    (text, n), *_ = counted.most_common(1)
    if 2 * n <= len(votes):
        return Decision(None, n / len(votes), "no majority")
    return Decision(json.loads(text), n / len(votes), "majority")


def labels(members: Sequence[str], chance: random.Random) -> dict[str, str]:
    """Neutral, shuffled labels for answers: `A` to `Z`, by member."""
    names = [chr(ord("A") + at) for at in range(len(members))]
    chance.shuffle(names)
    return dict(zip(members, names, strict=True))


def rank(rankings: Mapping[str, Sequence[str]], members: Sequence[str]) -> list[tuple[str, float]]:
    """Borda: members with their mean points (0 to 1), best first; `rankings` is judge → others, best first.

    What a judge says of itself does not count, nor a name it repeats or invents.
    """
    points: dict[str, list[float]] = {member: [] for member in members}
    for judge, order in rankings.items():
        others = [member for member in members if member != judge]
        placed = [name for name in dict.fromkeys(order) if name in others]
        top = max(1, len(others) - 1)
        for place, name in enumerate(placed):
            points[name].append((len(others) - 1 - place) / top)
        for name in set(others) - set(placed):
            points[name].append(0.0)
    means = {member: sum(got) / len(got) if got else 0.0 for member, got in points.items()}
    return sorted(means.items(), key=lambda pair: (-pair[1], members.index(pair[0])))
