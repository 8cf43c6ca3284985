"""Before all ranks: what a stage has judged itself (`Fail`), above all how the session of an agent came to its end.

Only the kind decides. The words may quote what an agent has said, and that is no evidence of anything.
"""

from __future__ import annotations

from typing import Final

from engine.rules.verdicts.rule import Rule

SESSIONS: Final = (
    Rule(
        id="session-over-limit",
        cls="item",
        sure="high",
        types="sessionoverlimit",
        example=("SessionOverLimit", "claude was stopped: it worked longer than 60 minutes; what it had done is kept"),
        fix="Break the item up, or raise the limit in `agents`; then try it again.",
    ),
    Rule(
        id="session-sent-back",
        cls="item",
        sure="high",
        types="sessionsentback",
        example=("SessionSentBack", "sent back 3 times, which is the limit; its work stays on rivus/t-1-3"),
        fix="Say in the item what is wanted, break it up, or do the rest by hand; try it again to be asked once more.",
    ),
    Rule(
        id="session-rejected",
        cls="item",
        sure="high",
        types="sessionrejected",
        example=("SessionRejected", "rejected; its work stays on rivus/t-1-1"),
        fix="Drop the item, or say in it what is wanted, and run it again from `execute`.",
    ),
    Rule(
        id="session-without-change",
        cls="item",
        sure="medium",
        types="sessionwithoutchange",
        example=("SessionWithoutChange", 'it changed nothing. Its last words: "all done"'),
        fix="Say in the item what is to be changed; where only words are wanted, let its tier say `wants: report`.",
    ),
    Rule(
        id="change-refused",
        cls="item",
        sure="high",
        types="changerefused",
        example=("ChangeRefused", "its change is not taken: 200 files are changed, 40 are allowed"),
        fix="Look at what was kept; where it is only too much, break the item up, or raise `max_files`, `max_lines`.",
    ),
    Rule(
        id="change-fails",
        cls="item",
        sure="medium",
        types="changefails",
        example=("ChangeFails", "the change does not pass: `make test` fails"),
        fix="See whether the command passes without the change, too; then try the item again, or mend what was kept.",
    ),
    Rule(
        id="bad-agent",
        cls="systemic",
        sure="high",
        types="badagent",
        example=("BadAgent", "there is no agent `claude`; `agents` of this stage names: none"),
        fix="Mend `agents` of the stage in jobs.yaml; then resume the job.",
    ),
    Rule(
        id="given-up",
        cls="item",
        sure="medium",
        types="fail",
        example=("Fail", "it does not merge into main: a.txt; rivus/t-1-1 is kept"),
        fix="",
    ),
)
