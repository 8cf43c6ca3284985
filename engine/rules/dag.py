"""Order the stages of a job: each after what it needs, otherwise as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class CycleError(ValueError):
    """Some names wait for each other."""

    def __init__(self, cycle: Sequence[str]) -> None:
        self.cycle = tuple(cycle)
        """The names in waiting order; each one waits for the next, the last for the first."""
        super().__init__(" → ".join((*self.cycle, self.cycle[0])))


def order(after: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names so that each stands behind all that it comes after.

    `after` maps every name, in the order written, to the names it needs; a needed name that is no key is ignored.
    Among the names that are free the one written first goes first. CycleError names one cycle.
    """
    waiting = {name: {needed for needed in needs if needed in after} for name, needs in after.items()}
    ordered: list[str] = []
    while waiting:
        name = next((name for name, needs in waiting.items() if not needs), None)
        if name is None:
            raise CycleError(_cycle(waiting))
        del waiting[name]
        for needs in waiting.values():
            needs.discard(name)
        ordered.append(name)
    return ordered


def _cycle(waiting: Mapping[str, set[str]]) -> list[str]:
    """Return one cycle among names of which each waits for at least one other."""
    name = next(iter(waiting))
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(other for other in waiting if other in waiting[name])
    return path[path.index(name) :]
