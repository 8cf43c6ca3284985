"""What holds for every test: no network, no influence from the environment, time that moves only when told to."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from engine.kit.clock import ManualClock
from tests.factories import OPEN

# At import, because Textual and others look at the environment when they are imported.
for _name in list(os.environ):
    if _name in {"NO_COLOR", "FORCE_COLOR", "COLORTERM"} or _name.startswith(("TEXTUAL", "GIT_", "XDG_")):
        del os.environ[_name]
os.environ.update(
    TZ="UTC",
    GIT_CONFIG_GLOBAL=os.devnull,
    GIT_CONFIG_NOSYSTEM="1",
    GIT_AUTHOR_NAME="Rivus tests",
    GIT_AUTHOR_EMAIL="tests@example.invalid",
    GIT_COMMITTER_NAME="Rivus tests",
    GIT_COMMITTER_EMAIL="tests@example.invalid",
    # No model provider can be reached, whatever keys are in the environment: only servers on this machine.
    RIVUS_NO_PROVIDERS="1",
)
time.tzset()
# A busy machine is not a fault of what is tested.
hypothesis.settings.register_profile("rivus", deadline=None)
hypothesis.settings.load_profile("rivus")


def pytest_collection_finish() -> None:
    """Look less often for cycles, and not at what lives to the end: an eighth of the tests' processor time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that starts at 2026-01-01 and moves only by `advance`."""
    return ManualClock()


@pytest.fixture(autouse=True)
def _grounds_are_closed() -> Iterator[None]:
    """A connection that is left to the garbage collector fails another test, from Python 3.13 on."""
    before = len(OPEN)
    yield
    while len(OPEN) > before:
        OPEN.pop().close()


@pytest.fixture(scope="session", autouse=True)
def _own_state_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing that a test starts writes to the state of the person who runs it."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state-home"))
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache-home"))


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Only loopback and Unix sockets connect; other names are not even looked up."""
    patch = pytest.MonkeyPatch()
    for method in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        _refuse_unless_local(host)
        return look_up(host, *args, **options)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    patch.undo()


def _guarded(original: Any) -> Any:
    def method(self: socket.socket, *args: Any) -> Any:
        address = args[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_unless_local(address[0])
        return original(self, *args)

    return method


def _refuse_unless_local(host: Any) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        local = ipaddress.ip_address(name).is_loopback
    except ValueError:
        local = False
    if not local:
        raise PermissionError(f"tests use no network, and this one wanted {name!r}")
