"""List the files that have grown past the length at which to think about a second duty."""

from __future__ import annotations

import pytest

from tests.architecture.source import modules

SOFT_LIMIT = 300


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    long = sorted((-module.text.count("\n"), module.path) for module in modules())
    for lines, path in long:
        if -lines > SOFT_LIMIT:
            terminalreporter.write_line(f"longer than {SOFT_LIMIT} lines: {path} ({-lines})")
