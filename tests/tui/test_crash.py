"""A crash: whole traceback, no values of variables, no secrets, a file for its owner only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rivus_tui.cli.crash import redacted, write_crash


def test_crash_file_is_private_and_holds_no_locals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "hunter2hunter2")
    password = "local-value"
    try:
        raise ValueError("GET https://user:pass1@host/?api_key=abcdef123 with hunter2hunter2 failed")
    except ValueError as error:
        said = write_crash(error, tmp_path)
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert said == f"its traceback is in {path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Traceback" in text
    assert "https://***@host" in text
    assert not [secret for secret in ("hunter2", "pass1", "abcdef123") if secret in text]
    assert password not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        ("token='s3cr3tvalue' x", "token='***' x"),
        ("key sk-abcdefghijklmnop1234 end", "key *** end"),
        ("nothing here: KeyError 'section'", "nothing here: KeyError 'section'"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, shown: str) -> None:
    assert redacted(text, {"PATH": "/usr/bin", "HOME": "/root"}) == shown
