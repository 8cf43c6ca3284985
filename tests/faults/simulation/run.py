"""Run worlds by seed."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.simulation.patience import unwatched
from tests.faults.simulation.scratch import scratch
from tests.faults.simulation.world import Outcome, World


@contextmanager
def untidied() -> Iterator[None]:
    """Collect no cycles meanwhile: a seventh of the time, and when they are collected is no part of a seed."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()


@contextmanager
def quietly() -> Iterator[None]:
    """Faults on purpose are not worth a log, and what a killed engine was about to begin is not worth a warning."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            yield
    finally:
        logging.disable(level)


def simulate(seed: int, executions: int, *, tell: int | None = None) -> Outcome:
    """Live through one seed in a folder of its own."""
    with quietly(), unwatched(), untidied(), scratch() as folder:
        return World(folder, seed, executions=executions, tell=tell).run()


def replay(seed: int, executions: int) -> str:
    """The command that tells a seed again."""
    return f".venv/bin/python -m tests.faults.simulation --seed {seed} --executions {executions}"
