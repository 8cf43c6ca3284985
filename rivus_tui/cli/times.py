"""Times and durations as people type them."""

from __future__ import annotations

import time

import click

from rivus_tui.times import moment_of


def duration(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Return the seconds of an option: `30s`, `10m`; a bare number is seconds."""
    from engine.config.units import parse_duration

    try:
        return parse_duration(f"{value}s" if value.replace(".", "", 1).isdecimal() else value)
    except ValueError as error:
        raise click.BadParameter(f"`{value}` {error}") from error


def earlier(text: str) -> int:
    """Return ms UTC from `8h` (so long ago), `2027-01-31` or `2027-01-31T09:00`; UseError if wrong."""
    now = round(time.time() * 1000)
    at = moment(text)
    return at if at <= now else 2 * now - at


def moment(text: str) -> int:
    """Return ms UTC from `2h`, `3d`, `2027-01-31` (its start, local) or `2027-01-31T09:00`; UseError if wrong."""
    from engine.contracts.errors import UseError

    try:
        return moment_of(text, round(time.time() * 1000))
    except ValueError as error:
        raise UseError(str(error)) from None
