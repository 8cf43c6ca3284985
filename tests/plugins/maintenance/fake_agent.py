"""A coding agent that does what its first argument says, well or badly: `python fake_agent.py DEED [MORE]`.

It speaks the `last_line_json` kind of output, or whatever its deed is about.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def say(**told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def works(*_: str) -> None:
    prompt = sys.stdin.read()
    write("hello.py", "print('hello')\n")
    write("PROMPT.txt", prompt)
    say(result="wrote hello.py", cost_usd=0.25, session_id="abc")


def nothing(*_: str) -> None:
    say(result="all done, everything is perfect", cost_usd=0.01)


def escapes(outside: str, *_: str) -> None:
    """Try what an agent must not do, and tell how each try went."""
    tried: dict[str, str] = {}

    def attempt(name: str, deed: object) -> None:
        try:
            answer = deed()  # type: ignore[operator]
            tried[name] = "did it" if answer is None else f"got {answer!r}"[:200] if answer else "found nothing"
        except BaseException as error:
            tried[name] = type(error).__name__

    target = Path(outside)
    attempt("write outside", lambda: (target / "pwned").write_text("x") and None)
    attempt("overwrite", lambda: (target / "a.txt").write_text("x") and None)
    attempt(
        "git config",
        lambda: (
            subprocess.run(
                ["git", "-C", outside, "config", "core.fsmonitor", "touch pwned"], check=True, capture_output=True
            )
            and None
        ),
    )
    attempt("hook", lambda: (target / ".git" / "hooks" / "pre-commit").write_text("x") and None)
    attempt("read secret", lambda: Path(sys.argv[3]).read_text())
    attempt("parent environment", lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes() or None)
    attempt("home", lambda: [name for name in os.listdir("/root") if name != ".pyenv"])
    attempt("shadow", lambda: Path("/etc/shadow").read_text())
    attempt("environment", lambda: os.environ["CANARY"])
    attempt("network", lambda: __import__("socket").create_connection(("127.0.0.1", int(sys.argv[4])), 2) and None)
    attempt("kill", lambda: os.kill(int(sys.argv[5]), signal.SIGKILL))
    attempt("system", lambda: Path("/usr/pwned").write_text("x") and None)
    attempt(
        "remount", lambda: subprocess.run(["mount", "-o", "remount,rw", "/"], check=True, capture_output=True) and None
    )
    attempt(
        "push",
        lambda: (
            subprocess.run(["git", "push", outside, "HEAD:refs/heads/pwned"], check=True, capture_output=True) and None
        ),
    )
    with Path(".git/config").open("a", encoding="utf-8") as config:
        config.write("[core]\n\tfsmonitor = touch /tmp/pwned\n\thooksPath = /tmp\n")
    write("tried.json", json.dumps(tried))
    say(result="tried it all", cost_usd=0.0)


def symlink(*_: str) -> None:
    os.symlink("/etc/passwd", "link")
    say(result="a link", cost_usd=0.0)


def many(*_: str) -> None:
    for number in range(200):
        write(f"file{number}.txt", "x\n")
    say(result="many", cost_usd=0.0)


def secret(*_: str) -> None:
    write("key.pem", "-----BEGIN RSA PRIVATE KEY-----\nabc\n")
    say(result="a key", cost_usd=0.0)


def hangs(*_: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write("half.txt", "half of the work\n")
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    say(working=True)
    time.sleep(1000)


def floods(*_: str) -> None:
    while True:
        sys.stdout.write("x" * 65_536)


def asks(*_: str) -> None:
    say(question="Shall it be blue or green?")


def spends(*_: str) -> None:
    say(cost_usd=50.0)
    time.sleep(1000)


def crashes(*_: str) -> None:
    sys.stderr.write("segmentation fault, more or less\n")
    sys.exit(7)


def silent(*_: str) -> None:
    """End with 0 and not a word."""


def twice(*_: str) -> None:
    """Leave something broken, and mend it when told to go on."""
    write("check.txt", "good\n" if "--resume" in sys.argv else "bad\n")
    say(result="did my best", cost_usd=0.1, session_id="abc")


def held_back(*words: str) -> None:
    """Say what was done, if anything, and that the provider lets it go no further."""
    for text in words:
        say(type="item.completed", item={"type": "agent_message", "text": text})
    say(type="turn.failed", error={"message": "You've hit your usage limit."})


def mute(*_: str) -> None:
    """Change something, and do not tell what it cost."""
    write("check.txt", "bad\n")
    say(result="did my best")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
