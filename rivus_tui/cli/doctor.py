"""`rivus doctor`: failures as few, named incidents, with a cause, an action and a person's last word."""

from __future__ import annotations

import click

from rivus_tui.cli.doctor_classify import classify


@click.group()
def doctor() -> None:
    """Show incidents, classify failures, overrule verdicts, apply and probe."""


doctor.add_command(classify)
