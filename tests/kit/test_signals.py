from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from engine.kit.signals import told_of


def test_signal_is_answered_by_what_needs_a_lock_that_the_main_thread_holds() -> None:
    lock, told, names = threading.Lock(), threading.Event(), set()

    def tell(_: signal.Signals) -> None:
        names.add(threading.current_thread().name)
        with lock:
            told.set()

    with told_of((signal.SIGUSR1,), tell):
        with lock:
            signal.raise_signal(signal.SIGUSR1)
            assert not told.is_set()
        assert told.wait(60.0)
    assert names == {"signals"}


def test_signals_are_answered_in_their_order_and_before_the_end() -> None:
    told: list[signal.Signals] = []
    with told_of((signal.SIGUSR1, signal.SIGUSR2), told.append):
        for number in (signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR1):
            signal.raise_signal(number)
    assert told == [signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR1]


def test_handler_of_before_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with told_of((signal.SIGUSR1,), lambda _: None):
        assert signal.getsignal(signal.SIGUSR1) is not before
    assert signal.getsignal(signal.SIGUSR1) is before


def test_answer_that_fails_is_logged_and_the_next_one_is_given(caplog: pytest.LogCaptureFixture) -> None:
    told = []

    def tell(number: signal.Signals) -> None:
        told.append(number)
        if len(told) == 1:
            raise ValueError("no")

    with told_of((signal.SIGUSR1,), tell):
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
    assert len(told) == 2
    assert "a signal could not be answered" in caplog.text


FORKS = """
import os, select, signal
from engine.kit.signals import told_of

with told_of((signal.SIGTERM,), print):
    begins, began = os.pipe()
    if (child := os.fork()) == 0:
        os.write(began, b"!")
        select.select([], [], [], 20.0)
        os._exit(7)
    os.read(begins, 1)  # before that, Python forgets what signals came
    os.kill(child, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_child_that_was_forked_meanwhile_is_ended_by_sigterm() -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{-signal.SIGTERM}\n"
