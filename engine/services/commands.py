"""Commands of a person, by name: checked here once, run as one transaction each."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from engine.contracts.commands import COMMANDS, SETS_GOING, CommandOutcome, CommandSpec
from engine.contracts.errors import UseError
from engine.contracts.verdict import CLASSES
from engine.services import adjusting, bulks
from engine.store import amends, doctor_people, pauses, people, stale, triage, undo, wishes
from engine.store.plan import JobPlan, Plan

DOCTORS = ("overrule", "apply", "dismiss", "send", "probe", "clear-errors")
"""Commands that the doctor has to look at afterwards."""
_KEYS_MAX = 200_000
_NUMBERS = (
    ("until", "a time in ms UTC"),
    ("operation", "a number of the journal"),
    ("judgement", "the number of a judgement"),
    ("sample", "a number of items"),
)
_NUMBER_MAX = 2**53


def check(name: str, args: Mapping[str, Any]) -> CommandSpec:
    """Return the command's spec; UseError for an unknown name, missing or unknown arguments, or wrong types."""
    spec = COMMANDS.get(name)
    if spec is None:
        raise UseError(f"there is no command `{name}`; there are: {', '.join(COMMANDS)}")
    if missing := [arg for arg in spec.args if arg not in args]:
        raise UseError(f"`{name}` needs {', '.join(missing)}")
    if unknown := [arg for arg in args if arg not in (*spec.args, *spec.optional)]:
        raise UseError(f"`{name}` does not take {', '.join(unknown)}")
    keys = args.get("keys", ())
    if not isinstance(keys, (list, tuple)) or len(keys) > _KEYS_MAX or not all(isinstance(key, str) for key in keys):
        raise UseError(f"`{name}`: keys must be a list of at most {_KEYS_MAX:,} strings")
    listed = args.get("items", ())
    if not isinstance(listed, (list, tuple)) or len(listed) > _KEYS_MAX:
        raise UseError(f"`{name}`: items must be a list of at most {_KEYS_MAX:,} maps")
    priority = args.get("priority")
    if priority is not None and (isinstance(priority, bool) or priority not in (0, 1, 2, 3)):
        raise UseError(f"`{name}`: the priority is 0, 1, 2, 3 or null")
    if not isinstance(args.get("drain", True), bool):
        raise UseError(f"`{name}`: drain is true or false")
    fields = args.get("fields", {})
    if not isinstance(fields, dict) or not all(isinstance(one, str) for one in fields):
        raise UseError("`amend`: fields are a map of names to values")
    if name == "bulk":
        bulks.check(args)
    if name == "adjust":
        adjusting.check(args)
    if "class" in args and args["class"] not in CLASSES:
        raise UseError(f"`{name}`: the class is one of {', '.join(CLASSES)}")
    for number, what in _NUMBERS:
        value = args.get(number)
        if not (value is None and number in spec.optional) and number in args and not _is_count(value):
            raise UseError(f"`{name}`: {number} is {what}")
    return spec


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _NUMBER_MAX


def transition(plan: Plan, name: str, args: Mapping[str, Any]) -> Callable[[sqlite3.Connection, int], CommandOutcome]:
    """Return the change that a checked command makes; UseError when its job is not there."""
    if name == "undo":
        operation = args.get("operation")
        return lambda connection, now: undo.undo(connection, plan, now, operation)
    if name in DOCTORS:
        return _doctor(plan, name, args)
    if name == "revoke":
        return lambda connection, now: stale.revoke(connection, plan, int(args["judgement"]), now)
    job = find_job(plan, str(args["job"]))
    keys = [str(key) for key in args.get("keys", ())]

    def run(connection: sqlite3.Connection, now: int) -> CommandOutcome:
        outcome = act(connection, now)
        return pauses.noted(connection, job, outcome) if name in SETS_GOING else outcome

    def act(connection: sqlite3.Connection, now: int) -> CommandOutcome:
        match name:
            case "accept":
                return people.accept(connection, plan, job, keys, now)
            case "drop":
                return people.drop(connection, plan, job, keys, str(args.get("why") or ""), now)
            case "snooze":
                return people.snooze(connection, plan, job, keys, int(args["until"]), str(args.get("why") or ""), now)
            case "prioritise":
                return people.prioritise(connection, plan, job, keys, args["priority"], now)
            case "answer":
                return people.answer(connection, plan, job, keys, str(args["answer"]), now)
            case "retry":
                return people.retry(connection, plan, job, keys, now)
            case "cancel":
                return people.cancel(connection, plan, job, keys, now)
            case "add":
                key = secrets.token_hex(4)
                return wishes.add(
                    connection, plan, job, str(args["title"]), key=key, priority=args.get("priority"), now=now
                )
            case "import":
                return wishes.put_in(connection, plan, job, args["items"], now)
            case "amend":
                return amends.amend(connection, plan, job, keys, args["fields"], now)
            case "edit":
                return wishes.edit(connection, plan, job, keys, str(args["title"]), now)
            case "merge":
                return wishes.merge(connection, plan, job, keys, str(args["into"]), now)
            case "triage":
                return triage.apply(connection, plan, job, keys, now)
            case "start":
                return wishes.start(connection, plan, job, keys, now)
            case "bless":
                return stale.bless(connection, plan, job, str(args["stage"]), args, now)
            case "reset":
                return stale.reset(connection, plan, job, str(args["stage"]), args, now)
            case "pause":
                why, until = str(args.get("why") or ""), args.get("until")
                return pauses.pause(connection, plan, job, why, now, stage=args.get("stage"), until=until)
            case "resume":
                return pauses.resume(connection, plan, job, now, stage=args.get("stage"))
        raise UseError(f"`{name}` needs a running engine")

    return run


def _doctor(plan: Plan, name: str, args: Mapping[str, Any]) -> Callable[[sqlite3.Connection, int], CommandOutcome]:
    """A command about an incident, or about the breakers of a job."""
    incident = str(args.get("incident", ""))
    job = find_job(plan, str(args["job"])) if "job" in args else None

    def run(connection: sqlite3.Connection, now: int) -> CommandOutcome:
        match name:
            case "overrule":
                why = str(args.get("why") or "")
                return doctor_people.overrule(connection, plan, incident, args["class"], why, now)
            case "apply":
                return doctor_people.apply(connection, plan, incident, now)
            case "dismiss":
                return doctor_people.dismiss(connection, plan, incident, now)
            case "send":
                return doctor_people.send(connection, plan, incident, now)
        assert job is not None
        if name == "probe":
            return doctor_people.probe(connection, job, now)
        return doctor_people.clear_errors(connection, plan, job, now)

    return run


def find_job(plan: Plan, name: str) -> JobPlan:
    """Return a job by name; UseError names those there are."""
    job = plan.jobs.get(name)
    if job is None:
        raise UseError(f"there is no job `{name}`; there are: {', '.join(plan.jobs) or 'none'}")
    return job
