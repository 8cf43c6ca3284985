import importlib
import logging
import os

logger = logging.getLogger("odd")
MODE = "fast"
REGISTRY = {}
RULES = [("a", 1), ("b", 2)]


class Audit:
    """Keeps what it is told."""

    def __init__(self):
        self.lines = []

    def info(self, text):
        self.lines.append(text)


class Cursor:
    """Moves when it is looked at."""

    def __init__(self):
        self.at = 0

    @property
    def position(self):
        self.at += 1
        return self.at


audit = Audit()


def register(name):
    """Put a function into the registry."""

    def put(function):
        REGISTRY[name] = function
        return function

    return put


@register("double")
def double(value):
    """Twice."""
    return value * 2


def set_mode(mode):
    """Change how it works."""
    global MODE
    MODE = mode


def by_rule(value, *, strict=False):
    """Apply the rules."""
    found = []
    for name, weight in RULES:
        if value > weight or strict:
            found.append(name)
    return found


def stage(item, mode="auto"):
    """Work."""
    audit.info("start")
    cursor = Cursor()
    value = item["value"]
    first = REGISTRY[item["kind"]](value)
    assert first is not None, "nothing came back"
    total = first + 1
    names = by_rule(total, strict=False)
    text = f"{total:.2f} of {value}"
    if MODE == "slow":
        total += sum(1 for _ in range(10))
    logger.info("total %s", total)
    return {"total": total, "text": text, "names": sorted(names), "log": list(audit.lines), "at": cursor.position}
