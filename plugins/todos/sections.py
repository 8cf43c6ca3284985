"""What the words of headings, lead-in lines and items say about the list they stand over.

Word lists in the languages that public TODO files are written in most; matched as whole words (or as they are, where a
script has no spaces). They shift confidence and state only, so a language that is missing costs certainty, not items.
"""

from __future__ import annotations

import re
from typing import Final

from plugins.todos.items import TodoState


def _words(latin: str, other: str = "") -> re.Pattern[str]:
    parts = [rf"\b(?:{latin})\b"] + ([other] if other else [])
    return re.compile("|".join(parts), re.I)


_DONE: Final = _words(
    r"done|completed?|finished|archived?|implemented|closed|resolved|fixed|shipped|released|changelog|accomplished"
    r"|achievements?"
    r"|recent(?:ly)? (?:fix(?:es|ed)?|chang(?:es|ed)|updates?|updated|improve\w+|add\w+|work)"
    r"|erledigt|fertig|abgeschlossen|termin[ée]e?s?|fait|hecho|completad[oa]s?|conclu[ií]d[oa]s?|feito"
    r"|completat[oie]|fatto|klaar|gereed|zrobione|ukończone",
    "已完成|历史完成|完成目标|完成済|完了|выполнен|готово|сделано|завершен|завершён|완료|✅|☑|✔|✓",
)
_NOT_DONE: Final = _words(
    r"not|un\w+|in ?complete|to be|definition of done|until|before|when|remaining|todo|to do|left", "未完成|не "
)
_PAUSED: Final = _words(
    r"deferred|someday|maybe(?: later)?|icebox|paused|on hold|postponed|parked|parking lot|zurückgestellt|blocked",
    "отложен|暂缓|延後|🅿|⏸",
)
_DROPPED: Final = _words(
    r"won'?t (?:do|fix)|dropped|cancell?ed|rejected|abandoned|discarded|not planned|verworfen", "❌"
)

_NOTES: Final = _words(
    r"legend|notes?|recap|related|links?|references?|refs|resources|dependencies|summary|overview|about|background|context"
    r"|how ?to(?! do)|usage|instructions?|guidelines?|conventions?|workflow|process|strategy|rules|rationale|motivation"
    r"|architecture|tech(?:nology)? stack|stack|glossary|faq|examples?|contributing|credits|license|key files|files"
    r"|success (?:criteria|metrics)|acceptance criteria|definition of done|metrics|lessons|learnings|standards?"
    r"|principles?|polic(?:y|ies)|guides?|best practices|patterns?|template|format|achievements?|decisions?"
    r"|table of contents|contents|toc|current (?:state|status|situation)|status|what works|known good|questions"
    r"|non-?goals|out of scope|assumptions|inspiration|see also|further reading|reading|risks?|timeline|log|history"
    r"|last updated|progress|prerequisites|requirements|installation|setup guide|environment|credentials|commands"
    r"|notizen|hinweise|legende|übersicht|remarques?|liens|notas?|enlaces|referencias|referências|nota|osservazioni",
    "说明|說明|备注|備註|注意|筆記|笔记|参考|參考|链接|примечани|ссылки|заметки|メモ|備考",
)
_NEVER_TASKS: Final = _words(
    r"(?:priority|status|effort|severity) (?:guidelines?|indicators?|levels?|keys?|markers?|icons?|labels?)"
    r"|legend|definitions?|formats?|glossary|conventions?|criteria|reference implementation|how to (?:use"
    r"|contribute|run)",
    "图例|凡例",
)
"""These win over a word of `_TASKS` in the same heading (`Priority definitions`)."""
_TASKS: Final = _words(
    r"to[ -]?dos?|tasks?|backlog|next(?: steps?| up)?|upcoming|planned|plans?|roadmap|features?|enhancements?"
    r"|improvements?|improve|bugs?|fix(?:es)?|issues|ideas?|wish ?list|wants?|need(?:s|ed|ing)?|updates?"
    r"|nice[ -]to[ -]haves?"
    r"|must[ -]haves?"
    r"|should|could|later|future|short[ -]term|long[ -]term|in progress|doing|wip|open|pending|remaining|missing"
    r"|refactor(?:ing|s)?|clean ?up|tech(?:nical)? debt|chores?|cosmetic|polish|priorit\w+|prio|urgent|critical|high"
    r"|medium|low|optional|maybe|someday|misc(?:ellaneous)?|other|research|investigate|explore|milestones?|goals|sprint"
    r"|v?\d+\.\d+(?:\.\d+)?|phase|stage|step|aufgaben|offen|ideen|fehler|verbesserungen|à faire|à venir"
    r"|plus tard|prochaines? étapes?|fonctionnalités|tâches|idées"
    r"|améliorations?|por hacer|pendientes?|tareas|mejoras|tarefas|pendências|a fazer|melhorias|da fare|ideetjes|taken"
    r"|do zrobienia|zadania|pomysły|att göra|yapılacaklar",
    "待办|待辦|计划|計劃|任务|任務|功能|问题|優化|优化|やること|課題|予定|задач|сделать|план|идеи|ошибки|баги|할 일"
    "|🚧|🐛|🚀|📋",
)

_HEADING_WORDS: Final = 8
"""A longer heading is a sentence; a word in it says little of what follows."""

_LEAD_NOTES: Final = re.compile(
    r"^\W*(?:(?:\w+ )?(?:benefits|advantages)"
    r"|files?|requirements?|notes?|acceptance criteria|criteria|details?|benefits?|features implemented|changes"
    r"|example|e\.g\.|see|links?|references?|sources?|status|result|results|impact|reason|why|context|rationale"
    r"|dependencies|depends on|location|affected|pros|cons|options|legend|solution|approach|expected|current|problem"
    r"|background|tests?|testing|verification|success criteria|deliverables|goal|objective|outcome|steps to reproduce"
    r"|was completed|completed|what was done|implementation|files (?:modified|created|changed))\b[^.]{0,40}:\W*$",
    re.I,
)
_FIELD: Final = re.compile(
    r"^\W*(?:status|priority|effort|estimate|estimated \w+|due|owner|assignee|branch|pr|pull request|commits?|completed"
    r"|files?|location|dependenc(?:y|ies)|depends on|note|notes|impact|risk|severity|complexity|type|category"
    r"|labels?|date|started"
    r"|created|updated|version|author|description|rationale|reason|why|how|benefit|benefits|goal|purpose|example"
    r"|see|ref|link"
    r"|source|time|progress|state|current|result|solution|problem|cause|root cause|acceptance(?: criteria)?"
    r"|tests?|was|now"
    r"|options?|pros?|cons?|blocked by|blocker|requires?|context|background|what|where|when|who|scope"
    r"|deliverables?|output"
    r"|input|stack|tool|tools|url|repo|repository|stato|statut|estado|priorité|prioridad)\W{0,3}:",
    re.I,
)


def section_state(heading: str) -> TodoState | None:
    """Return the state that a heading gives to bare items below it, or None."""
    if _PAUSED.search(heading):
        return "paused"
    if _DROPPED.search(heading):
        return "dropped"
    if _DONE.search(heading) and not _NOT_DONE.search(heading):
        return "done"
    return None


def is_notes(heading: str) -> bool:
    """Whether what stands below is told, not asked for."""
    if _NEVER_TASKS.search(heading):
        return True
    return bool(_NOTES.search(heading)) and not _TASKS.search(heading)


def is_tasks(heading: str) -> bool:
    """Whether what stands below is work."""
    words = len(heading.split())
    return words <= _HEADING_WORDS and bool(_TASKS.search(heading)) and not _NEVER_TASKS.search(heading)


def is_section_name(text: str) -> bool:
    """Whether a heading only names a state or a kind of section, so that it cannot be an item itself."""
    words = re.sub(r"[^\w\s]", " ", text).split()
    return len(words) <= 3 and bool(
        _DONE.search(text)
        or _TASKS.search(text)
        or _PAUSED.search(text)
        or _NOTES.search(text)
        or _DROPPED.search(text)
    )


def is_notes_lead(paragraph: str) -> bool:
    """Whether the line before a list says that notes follow (`**Files**:`)."""
    return bool(_LEAD_NOTES.match(paragraph.rsplit("\n", 1)[-1].strip()))


def is_field(text: str) -> bool:
    """Whether an item is a `Status: …` line of a record, not a task."""
    return bool(_FIELD.match(text))
