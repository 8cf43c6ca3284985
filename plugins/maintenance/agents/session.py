"""One run of an agent: started confined, heard while it works, bounded in time, silence, money and output.

Its output goes to a file that is read as it grows, so nothing it prints can hold up anybody. It runs below a keeper:
when the engine goes, however it goes, the agent and all that it has started go too.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.kit import keeper
from plugins.maintenance.agents import jail
from plugins.maintenance.agents.agent import Agent
from plugins.maintenance.agents.clone import Clone
from plugins.maintenance.agents.report import PARSERS, TELL_THEIR_ID, Report, id_of

Stop = Literal["time", "silence", "money", "output"]
OUTPUT_MAX: Final = 64 << 20
"""Bytes that an agent may print; then it is stopped."""
LINE_MAX: Final = 8 << 20
_LOOK_S: Final = 0.25
_GRACE_S: Final = 10.0
_PROBE_S: Final = 20.0
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/opt", "/nix")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LIMITS: Final = {"RLIMIT_CORE": 0, "RLIMIT_NPROC": 4_096, "RLIMIT_NOFILE": 4_096}


class SessionProblem(Exception):
    """The agent cannot be run here; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    code: int
    """Its exit code; 128 and more for a signal."""
    stopped: Stop | None
    """Which of our limits ended it; None: it ended by itself."""
    report: Report
    confined: bool
    seconds: float
    errors: str
    """The end of what it wrote to stderr."""


@functools.cache
def cannot_confine() -> str | None:
    """Say why agents cannot be confined on this machine; None when they can."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", jail.__file__, "--probe"],
            capture_output=True,
            env={"PATH": _PATH},
            stdin=subprocess.DEVNULL,
            timeout=_PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip() or "it does not work here"


async def run_agent(
    agent: Agent,
    clone: Clone,
    *,
    prompt: str,
    session_id: str,
    resume: bool,
    budget_usd_micros: int,
    minutes: float,
    heard: Callable[[Report], None],
) -> Ended:
    """Run an agent on its clone until it ends or a limit ends it; cancelling kills it with all that it started."""
    prompt_file = clone.folder / "prompt.md"
    _write(prompt_file, prompt)
    home = Path.home() if agent.home else clone.folder / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    values = {
        "prompt": prompt,
        "prompt_file": str(prompt_file),
        "session_id": session_id,
        "budget_usd": f"{budget_usd_micros / 1_000_000:.2f}",
        "max_turns": str(agent.turns),
    }
    words = agent.words(resume=resume, values=values)
    found = shutil.which(words[0])
    if found is None:
        raise SessionProblem(f"command not found: `{words[0]}`; agents.{agent.name}.command names it")
    environment = {name: os.environ[name] for name in agent.env_pass if name in os.environ}
    return await _run(
        clone,
        [found, *words[1:]],
        name=agent.name,
        home=home,
        environment=environment,
        stdin=prompt_file if agent.prompt == "stdin" else None,
        read=(*agent.read, *_installed_in(found), str(prompt_file)),
        network=agent.network,
        confined=agent.confined,
        minutes=minutes,
        silent_minutes=agent.silent_minutes,
        budget_usd_micros=budget_usd_micros,
        report=Report(session_id=session_id),
        parse=PARSERS[agent.output],
        heard=heard,
    )


def read_again(agent: Agent, clone: Clone) -> Report:
    """Return what the output of a session tells that was cut off together with its engine."""
    report, parse = Report(tells_its_id=agent.output in TELL_THEIR_ID), PARSERS[agent.output]
    with contextlib.suppress(FileNotFoundError), (clone.folder / f"{agent.name}.out").open("rb") as output:
        for line in output.read(OUTPUT_MAX).split(b"\n"):
            parse(report, line[:LINE_MAX].decode("utf-8", "replace"))
    report.session_id = id_of(report)
    return report


async def verify(clone: Clone, command: Sequence[str], *, read: Sequence[str], confined: str, minutes: float) -> Ended:
    """Run a command of the project on what the agent left, confined as the agent was: it runs the agent's code."""
    home = clone.folder / "verify-home"
    home.mkdir(mode=0o700, exist_ok=True)
    found = shutil.which(command[0]) or command[0]
    return await _run(
        clone,
        [found, *command[1:]],
        name="verify",
        home=home,
        environment={},
        stdin=None,
        read=(*read, *_installed_in(found)),
        network=False,
        confined=confined,
        minutes=minutes,
        silent_minutes=minutes,
        budget_usd_micros=None,
        report=Report(),
        parse=PARSERS["text"],
        heard=lambda _: None,
    )


def _installed_in(command: str) -> tuple[str, ...]:
    """Folders of a command that the jail does not show by itself: its own, and that of what its link leads to."""
    places = {os.path.dirname(command), os.path.dirname(os.path.realpath(command))}
    return tuple(sorted(place for place in places if not place.startswith(_SYSTEM)))


async def _run(
    clone: Clone,
    words: list[str],
    *,
    name: str,
    home: Path,
    environment: Mapping[str, str],
    stdin: Path | None,
    read: Sequence[str],
    network: bool,
    confined: str,
    minutes: float,
    silent_minutes: float,
    budget_usd_micros: int | None,
    report: Report,
    parse: Callable[[Report, str], None],
    heard: Callable[[Report], None],
) -> Ended:
    why_not = None if confined == "no" else await asyncio.to_thread(cannot_confine)
    if confined == "required" and why_not is not None:
        raise SessionProblem(f"`{name}` must be confined, and cannot be here: {why_not}")
    is_confined = confined != "no" and why_not is None
    plan = {
        "folder": str(clone.folder),
        "command": words,
        "cwd": str(clone.tree),
        "stdin": str(stdin) if stdin else None,
        "write": [str(clone.tree), str(home)],
        "read": list(read),
        "network": network,
        "confined": is_confined,
        "limits": {**_LIMITS, "RLIMIT_FSIZE": 4 << 30},
    }
    _write(clone.folder / "plan.json", json.dumps(plan))
    watch = _Watch(
        report,
        parse,
        heard,
        until=time.monotonic() + minutes * 60,
        silent_s=silent_minutes * 60,
        budget_usd_micros=budget_usd_micros,
    )
    begun = time.monotonic()
    output, errors = clone.folder / f"{name}.out", clone.folder / f"{name}.err"
    with output.open("wb") as out, errors.open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", keeper.__file__, "-", f"{resource.RLIMIT_CORE}=0"),
            *(sys.executable, "-I", "-S", jail.__file__, str(clone.folder / "plan.json")),
            stdin=PIPE,
            stdout=out,
            stderr=err,
            start_new_session=True,
            cwd=clone.folder,
            env={"PATH": _PATH, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb", **environment},
        )
    heard(report)
    try:
        stopped = await _follow(process, output, errors, watch)
    finally:
        await asyncio.shield(_end(process))
    code = process.returncode or 0
    tail = _tail(errors)
    if code == jail.NOT_CONFINED and is_confined:
        raise SessionProblem(tail or "the agent could not be confined")
    if code == jail.NOT_STARTED:
        raise SessionProblem(f"{tail or words[0]}; name the folder it is installed in below `read`")
    return Ended(128 - code if code < 0 else code, stopped, report, is_confined, time.monotonic() - begun, tail)


class _Watch:
    """What is known of a run that goes on."""

    def __init__(
        self,
        report: Report,
        parse: Callable[[Report, str], None],
        heard: Callable[[Report], None],
        *,
        until: float,
        silent_s: float,
        budget_usd_micros: int | None,
    ) -> None:
        self._report = report
        self._parse = parse
        self._heard = heard
        self._until = until
        self._silent_s = silent_s
        self._budget = budget_usd_micros
        self._spoke_at = time.monotonic()
        self._rest = b""

    def hear(self, data: bytes) -> None:
        """Take what came since the last look."""
        self._spoke_at = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_MAX:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._parse(self._report, line[:LINE_MAX].decode("utf-8", "replace"))
        self._heard(self._report)

    def last(self) -> None:
        """Take a last line without an end."""
        if self._rest:
            self.hear(b"\n")

    def over(self, printed: int) -> Stop | None:
        """Which limit is reached."""
        now = time.monotonic()
        cost = self._report.cost_usd_micros
        if now >= self._until:
            return "time"
        if now - self._spoke_at >= self._silent_s:
            return "silence"
        if self._budget is not None and cost is not None and cost > self._budget:
            return "money"
        return "output" if printed > OUTPUT_MAX else None


async def _follow(process: Process, output: Path, errors: Path, watch: _Watch) -> Stop | None:
    """Read the output as it grows until the process ends or a limit does; returns which."""
    ended = asyncio.ensure_future(process.wait())
    at = 0
    stopped: Stop | None = None
    try:
        with output.open("rb") as file:
            while True:
                done, _ = await asyncio.wait({ended}, timeout=_LOOK_S)
                while data := await asyncio.to_thread(file.read, 1 << 20):
                    at += len(data)
                    watch.hear(data)
                    if at > OUTPUT_MAX:
                        break
                if done:
                    watch.last()
                    return stopped
                printed = at + (await asyncio.to_thread(errors.stat)).st_size
                if stopped is None and (stopped := watch.over(printed)) is not None:
                    await _ask_to_end(process, ended)
    finally:
        ended.cancel()


async def _ask_to_end(process: Process, ended: asyncio.Future[int]) -> None:
    """Let it end by itself for a moment, then make it."""
    assert process.stdin is not None
    process.stdin.write(b"t")
    done, _ = await asyncio.wait({ended}, timeout=_GRACE_S)
    if not done:
        process.stdin.close()


async def _end(process: Process) -> None:
    """End it with all that it started; the keeper does that when its standard input closes."""
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


def _write(path: Path, text: str) -> None:
    """Write a file for its owner only."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2_000))
        return file.read().decode("utf-8", "replace").strip()
