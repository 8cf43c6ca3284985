"""`rivus status --check`: whether work goes on here, for a monitor that reads exit codes."""

from __future__ import annotations

from rivus_tui.cli.asked import Asked


def unhealthy(asked: Asked) -> list[str]:
    """Say what keeps the engine of this project from its work; nothing when it is at work and answers."""
    from engine.contracts.errors import RivusError
    from engine.remote import RemoteEngine

    state = asked.state_dir()
    owner = state.owner()
    if owner is None:
        return ["no engine runs; start one with `rivus` or `rivus --serve`"]
    found = [] if owner.state == "running" else [f"the engine (pid {owner.pid}) is {owner.state}"]
    try:
        # Its loop greets whoever comes: a process that is stopped or spins does not.
        RemoteEngine(state).close()
    except RivusError as error:
        found.append(str(error))
    reader = asked.reader()
    if reader is not None:
        try:
            problem = reader.status().problem
            found += [problem] if problem else []
            found += [f"job {job.name} is {job.state}: {job.why}" for job in reader.jobs() if job.state == "broken"]
        finally:
            reader.close()
    return found
