import inspect
from dataclasses import dataclass
from enum import Enum
from typing import List, Optional

from pydantic import BaseModel, Field
from pydantic_ai import Agent

from helpers import HELP, as_prompt, errors_of, lookup

agent = Agent("model-a", system_prompt=HELP)


class Finding(BaseModel):
    """One finding; the model is told so."""

    title: str = Field(description="a short title")
    detail: Optional[str] = None
    tags: List[str] = []


class Level(Enum):
    """How bad."""

    LOW = 1
    HIGH = 2


@dataclass
class Row:
    """A row."""

    key: str
    level: Level = Level.LOW


class Table:
    """Rows by key."""

    size = 10

    def __init__(self, rows):
        """Take rows."""
        self.rows = rows

    def first(self):
        """Return the first."""
        return self.rows[0]

    def last(self):
        """Return the last."""
        return self.rows[-1]


@agent.tool_plain
def weather(city: str) -> str:
    """Return the weather of a city."""
    return lookup(city)


def spell(word: str) -> str:
    """Spell a word."""
    return " ".join(word)


def check(value: int) -> int:
    """Check a value."""
    if value < 0:
        raise ValueError("negative value")
    return value


async def stage(ctx):
    """Ask the agent."""
    table = Table([Row(key=k) for k in ctx.item.data["keys"]])
    question = as_prompt(table.first().key)
    problem = None
    try:
        check(len(ctx.item.data["keys"]) - 1)
    except ValueError as error:
        problem = str(error)
    reply = await agent.run(question, output_type=Finding, tools=[spell])
    rule = inspect.getdoc(check)
    return {"reply": reply.output, "problem": problem, "rule": rule, "errors": errors_of(question)}
