"""A failure taken apart: who was raised because of whom, and what each of them says that can be relied on.

Words mislead: a URL may contain `rate-limit`, a missing key may be called `timeout`, the traceback shows source code.
So phrases are looked for in `words` only, from which addresses, paths, quoted names, commands and SQL were taken out;
statuses, error numbers and codes are read where their own syntax says what they are.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from engine.contracts.values import dataclass
from engine.contracts.verdict import Failure
from engine.rules.verdicts.tongues import in_english
from engine.rules.verdicts.waits import moment_asked, seconds_asked

MESSAGE_LIMIT: Final = 4_000
TAIL_LIMIT: Final = 12_000

_FRAME: Final = re.compile(r'^\s*File "([^"]{1,400})", line (\d+)(?:, in (.{1,200}))?$')
_RAISED: Final = re.compile(r"^((?:[A-Za-z_]\w*\.)*[A-Z]\w*|(?:\w+\.)+\w+)(?:: (.*))?$")
_CAUSED: Final = "The above exception was the direct cause of the following exception"
_HANDLED: Final = "During handling of the above exception, another exception occurred"
_GROUP_BAR: Final = re.compile(r"^\s*(?:\+[-+]+[^a-z]*$|\|\s?)")
_FOREIGN: Final = re.compile(
    r"site-packages|dist-packages|[/\\]lib(?:64)?[/\\]python\d|^<|[/\\]Python\d+[/\\]Lib[/\\]", re.I
)

_URL: Final = re.compile(
    r"\b(?:https?|wss?|ftp|s3|gs|postgres(?:ql)?|redis|mysql|amqps?|mongodb(?:\+srv)?)://[^\s'\"<>)\]}]+"
)
_PATH: Final = re.compile(r"(?<![\w.])(?:~|\.{1,2})?(?:/[\w.@+~%-]+){2,}/?|[a-z]:\\[^\s'\"]+")
_QUOTED_NAME: Final = re.compile(r"(?<!\w)(['\"`])[^'\"`\s]{1,200}\1(?!\w)")
_COMMAND: Final = re.compile(r"command '.{0,3000}?' (?=returned|died|timed)", re.S)
_SQL: Final = re.compile(r"\[sql: .*|\[parameters: .*|\nline \d+: .*", re.S)
_NOT_SO: Final = re.compile(
    r"\b(?:not|isn't|wasn't|no|never|nor|neither)\s+(?:(?:a|an|any|by|due to|because of|about)\s+)*"
    r"(?:rate[ -]?limit\w*|throttl\w*|quota|time(?:d )?-?out|network|permission\w*|auth\w*|credential\w*|"
    r"login|billing|server error)\b"
)
_STATUS: Final = re.compile(
    r"(?:\bhttp(?:/\d(?:\.\d)?)?(?: status)?(?: error)?|\bstatus(?:[ _-]?code)?|\berror[ _-]?code"
    r"|(?<!exit )(?<!return )\bcode"
    r"|\bresponse(?: code)?|\breturned|\bresponded(?: with)?|\bgot(?: an?)?|\bserver error|\bclient error|\berror"
    r"|\bhttp_status)['\"]?(?: was| is| of)?[\s:=\['\"(]{1,5}(?:http )?([1-5]\d\d)(?![\w.]\d|\d| ?(?:ms"
    r"|bytes|rows|items|seconds))\b"
)
_STATUS_NAMED: Final = re.compile(
    r"\b([45]\d\d)\b['\"]?[\s,:;(-]{0,4}(?:message=['\"])?(?:(?:client|server) error:? )?(?:bad request"
    r"|unauthori[sz]ed|payment"
    r" required|forbidden|not found|method not allowed|not acceptable|proxy auth|request time|conflict|gone|length"
    r" required|precondition|payload|request entity|content too|uri too|unsupported media|range not|requested range"
    r"|unprocessable|locked|too early|upgrade required|too many|request header|unavailable for|internal server"
    r"|not implemented|bad gateway|service (?:temporarily )?unavailable|gateway time|insufficient storage|overloaded"
    r"|bandwidth|network auth|web server|connection timed|origin|ssl handshake|invalid ssl)"
)
_STATUS_FIRST: Final = re.compile(
    r"^\s*['\"(\[]?([45]\d\d)(?=[\s,:;)\]'\"-]|$)|<response \[([45]\d\d)\]>|\(([45]\d\d)[,)]|<httperror ([45]\d\d) "
    r"|too many ([45]\d\d) error"
)
_ERRNO: Final = re.compile(
    r"\[errno (-?\d{1,4})\]|\berrno[ =:]{1,3}(-?\d{1,4})|\(os error (\d{1,4})\)|\[winerror (\d{1,5})\]"
)
_EXIT: Final = re.compile(
    r"(?:exit(?:ed)?(?: with)?(?: \w+)? ?(?:status|code)|returned non-zero exit status|return ?code"
    r"|exitcode|rc)[ :=]{1,3}"
    r"(-?\d{1,3})\b|died with <signals\.(\w+)"
)
_CODE: Final = re.compile(
    r"(?:\"|'|\b)(?:code|type|error|status|reason|error_?code|errortype|__type|errcode|error_?type|err"
    r"|name|title)['\"]?\s*[:=]\s*"
    r"['\"]?(?:statuscode\.)?([a-z][\w./-]{2,60})['\"]?(?=[\s,}\])'\"<.;]|$)|an error occurred \(([\w.]{3,60})\)"
    r"|<code>(\w{3,60})</code>"
    r"|statuscode\.([a-z_]{3,40})|\bsqlstate[ :=\[]{1,3}(\w{5})\b",
    re.I,
)
_SNAKE: Final = re.compile(r"['\"]([a-z]{2,20}(?:_[a-z]{2,20}){1,5})['\"]")
_SHOUTED: Final = re.compile(r"\b(?:E[A-Z]{3,14}|[A-Z]{2,20}(?:_[A-Z]{2,20}){1,5})\b")
_PURE_CODE: Final = frozenset(
    [
        "keyerror",
        "attributeerror",
        "nameerror",
        "indexerror",
        "typeerror",
        "assertionerror",
        "unboundlocalerror",
        "lookuperror",
        "syntaxerror",
        "indentationerror",
        "notimplementederror",
        "importerror",
        "modulenotfounderror",
        "zerodivisionerror",
    ]
)
"""Exceptions of the language, whose message quotes the program and not the world."""


@dataclass(frozen=True)
class Link:
    """One exception of the chain, or the text around it (`kind` is empty then)."""

    kind: str
    """Dotted type in lower case."""
    text: str
    """What it says, as it stands."""

    @property
    def name(self) -> str:
        return self.kind.rpartition(".")[2]

    @cached_property
    def raw(self) -> str:
        return self.text.replace("’", "'").replace("\\'", "'").lower()

    @cached_property
    def words(self) -> str:
        """What can be searched for phrases."""
        text = _SQL.sub(" ", _COMMAND.sub("command ", self.raw))
        text = _QUOTED_NAME.sub(" quoted ", _PATH.sub(" path ", _URL.sub(" url ", text)))
        told = " ".join(_NOT_SO.sub(" ", text).split())
        meant = in_english(told)
        return f"{told}; {meant}" if meant else told

    @cached_property
    def quotes_program(self) -> bool:
        """Whether what it says is about the program and not about the world."""
        if self.name == "assertionerror":
            return bool(re.search(r"expect|assert|should|[=!]=", self.raw))
        return self.name in ("keyerror", "attributeerror", "nameerror", "typeerror", "unboundlocalerror")

    @property
    def _is_code(self) -> bool:
        return self.name in _PURE_CODE

    @cached_property
    def statuses(self) -> tuple[int, ...]:
        """HTTP statuses, in the order of how plainly they are told."""
        if self._is_code:
            return ()
        text = _URL.sub(" url ", self.raw)
        found = [*_STATUS_FIRST.findall(text), *_STATUS.findall(text), *_STATUS_NAMED.findall(text)]
        numbers = [
            int(number) for group in found for number in ([group] if isinstance(group, str) else group) if number
        ]
        return tuple(dict.fromkeys(numbers))

    @cached_property
    def errnos(self) -> tuple[int, ...]:
        if self._is_code:
            return ()
        return tuple(int(next(filter(None, found))) for found in _ERRNO.findall(self.raw))

    @cached_property
    def exits(self) -> tuple[str, ...]:
        """Exit codes and names of signals of a command."""
        return tuple(next(filter(None, found)) for found in _EXIT.findall(self.raw))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Error codes with everything but letters and digits taken out; the type's own name is one."""
        found = [] if self._is_code else [next(filter(None, hit)) for hit in _CODE.findall(self.text)]
        shouted = [] if self._is_code else [*_SHOUTED.findall(self.text), *_SNAKE.findall(self.text)]
        return tuple(dict.fromkeys(squeeze(code) for code in (self.name, *found, *shouted) if code))

    @cached_property
    def retry_after_s(self) -> float | None:
        """Seconds that the other side asks to wait."""
        return seconds_asked(self.raw)

    @cached_property
    def retry_at(self) -> int | None:
        """Moment, ms UTC, that the other side asks to wait for."""
        return moment_asked(self.raw)


@dataclass(frozen=True)
class Frame:
    """One line of the stack."""

    path: str
    function: str
    source: str
    """The line of code, as printed; may be empty."""

    @property
    def is_own(self) -> bool:
        """Whether it is code of the project, not of Python or of an installed package."""
        return not _FOREIGN.search(self.path)


@dataclass(frozen=True)
class Facts:
    """Everything that rules look at."""

    links: tuple[Link, ...]
    """The chain; what decides first stands first: a cause before what it caused, an error before what it was met by."""
    around: Link
    """Text of the traceback that is neither frame nor exception: what a command printed, a reply that was logged."""
    frames: tuple[Frame, ...]
    """Of the exception that ended the attempt; of what came before it when that has none."""

    @property
    def outer(self) -> Link:
        """What ended the attempt."""
        return next(link for link in self.links if isinstance(link, _Outer))

    @cached_property
    def own(self) -> Frame | None:
        """The deepest frame of the project's own code."""
        return next((frame for frame in reversed(self.frames) if frame.is_own), None)

    @cached_property
    def source(self) -> str:
        """The deepest lines of code, in lower case."""
        return "\n".join(frame.source for frame in self.frames[-4:]).lower()


class _Outer(Link):
    """The link that ended the attempt."""


def squeeze(code: str) -> str:
    """An error code without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", code.lower())


def facts_of(failure: Failure) -> Facts:
    """Take a failure apart."""
    outer = _Outer(failure.exc_type.strip()[:300].lower(), failure.message[:MESSAGE_LIMIT])
    before: list[Link] = []
    after: list[Link] = []
    blocks, around = _blocks(failure.traceback_tail[-TAIL_LIMIT:])
    frames: list[Frame] = []
    relation = ""
    for block in reversed(blocks):
        if not frames:
            frames = block.frames
        for kind, text in reversed(block.raised):
            if _same(kind, text, outer):
                # What stands after the message is not the exception's own: a command's output, a reply.
                around += "\n" + text[len(outer.text.strip()) :]
                continue
            link = Link(kind.lower(), text[:MESSAGE_LIMIT])
            (before if relation == _CAUSED or block.grouped else after).append(link)
        relation = block.relation
    return Facts(
        links=(*reversed(before), outer, *after), around=Link("", around[:MESSAGE_LIMIT]), frames=tuple(frames)
    )


def _same(kind: str, text: str, outer: Link) -> bool:
    start, told = text.strip()[:80].lower(), outer.text.strip()[:80].lower()
    return kind.lower().rpartition(".")[2] == outer.name and (start == told[: len(start)] or told == start[: len(told)])


@dataclass
class _Block:
    """One traceback of a chain."""

    relation: str
    """How it is related to the block before it: what is printed between them."""
    frames: list[Frame]
    raised: list[tuple[str, str]]
    grouped: bool = False


def _blocks(tail: str) -> tuple[list[_Block], str]:
    """Read a traceback: its blocks in the order printed, and the lines that belong to none."""
    blocks = [_Block("", [], [])]
    around: list[str] = []
    in_frame = said = False
    for printed in tail.splitlines():
        line = printed
        block = blocks[-1]
        if bar := _GROUP_BAR.match(line):
            block.grouped = True
            line = line[bar.end() :]
        bare = line.strip()
        if not bare:
            in_frame = False
            continue
        if bare.startswith((_CAUSED, _HANDLED)):
            blocks.append(_Block(_CAUSED if bare.startswith(_CAUSED) else _HANDLED, [], []))
            in_frame = said = False
        elif frame := _FRAME.match(line):
            block.frames.append(Frame(frame[1], frame[3] or "", ""))
            in_frame, said = True, False
        elif bare.startswith("Traceback (most recent call last)"):
            in_frame = said = False
        elif in_frame and line[:1].isspace():
            if not set(bare) <= set("^~ ") and not block.frames[-1].source:
                block.frames[-1] = Frame(block.frames[-1].path, block.frames[-1].function, bare[:300])
        elif (raised := _RAISED.match(line)) and (raised[2] is not None or _is_exception(raised[1])):
            block.raised.append((raised[1], raised[2] or ""))
            in_frame, said = False, True
        else:
            in_frame = False
            if said and block.raised and (line[:1].isspace() or len(block.raised[-1][1]) < 2_000):
                kind, text = block.raised[-1]
                block.raised[-1] = (kind, f"{text}\n{bare}")
            else:
                around.append(bare)
    return blocks, "\n".join(around)


def _is_exception(name: str) -> bool:
    return name.rpartition(".")[2].endswith(("Error", "Exception", "Timeout", "Interrupt", "Exit", "Group", "Exceeded"))
