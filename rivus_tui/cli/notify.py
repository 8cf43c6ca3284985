"""`rivus notify test`."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import click

from rivus_tui.cli.asked import Asked

_NAMES: Final = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


@click.group()
def notify() -> None:
    """Messages of the doctor to a person."""


@notify.command()
@click.pass_obj
def test(asked: Asked) -> None:
    """Send a message to every address of `settings: doctor: notify:` now; exit 1 when one does not take it.

    Quiet hours and the limit by the hour do not count for it. What is secret in an address is never shown.
    """
    from engine.contracts.errors import UseError
    from engine.doctor.apprise_notifier import AppriseNotifier, NotSent
    from engine.kit.redact import redact
    from engine.kit.safe_text import safe_line

    project = asked.project()
    addresses = project.settings.doctor.notify
    if not addresses:
        raise UseError("nobody is told anything: jobs.yaml has no `settings: doctor: notify:`")
    failed = False
    for number, address in enumerate(addresses, start=1):
        name = f"{number}. {safe_line(address.partition(':')[0], 40)}"
        try:
            asyncio.run(AppriseNotifier([address]).tell("Rivus", f"A test from {project.root.name}: this works."))
        except NotSent:
            failed = True
            missing = unset(address)
            why = f"{', '.join(missing)} not set" if missing else "it did not take the message"
            click.echo(f"{name}: {why}", err=True)
        except Exception as error:
            # Whatever a service's own library raises for an address that it cannot use.
            failed = True
            click.echo(f"{name}: {safe_line(redact(str(error)), 200)}", err=True)
        else:
            click.echo(f"{name}: sent")
    raise click.exceptions.Exit(1 if failed else 0)


def secrets_in(address: str) -> list[str]:
    """Return the names of the secrets that an address takes from the environment."""
    return _NAMES.findall(address)


def unset(address: str) -> list[str]:
    """Return those of them that are not set."""
    import os

    return [name for name in secrets_in(address) if not os.environ.get(name)]
