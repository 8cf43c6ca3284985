"""Whether a text reads like a task: it starts with a verb that asks for something."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final


def _read(name: str) -> frozenset[str]:
    """Return the words of a list beside this module."""
    return frozenset((Path(__file__).parent / "words" / f"{name}.txt").read_text(encoding="utf-8").split())


_VERBS: Final = _read("verbs")
COMMON_WORDS: Final = _read("common")
"""Words that say nothing about the matter, such as `better`, `issue` and `user`."""
LEGEND_WORDS: Final = _read("legend")
"""Words that explain what a box means."""
FUNCTION_WORDS: Final = _read("function")
"""Articles, prepositions and the like, in several languages."""

_TRAILING_VERB: Final = re.compile(
    r"\b(?:hinzufügen|einbauen|erstellen|prüfen|testen|umbauen|entfernen|ergänzen|anpassen|schreiben|machen|beheben|verbessern"
    r"|implementieren|umsetzen|einführen|anzeigen|ändern|aktualisieren|überarbeiten|korrigieren|toevoegen|maken"
    r"|verwijderen"
    r"|aanpassen|fixen|testen)\b[.!)]*$",
    re.I,
)
_CHINESE: Final = re.compile(
    r"^\W*(?:添加|增加|新增|修复|修改|优化|实现|支持|完善|删除|移除|更新|重构|改进|调整|测试|编写|检查|接入|使用|补充|设计|加入|处理|解决"
    r"|追加|対応|修正|実装)|(?:する|追加|対応|修正|実装|추가|수정|구현)[。.]?$"
)
_WIDE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_PREFIX: Final = re.compile(
    r"^\W*(?:(?:step|task|phase|item)\s*)?(?:\(?[\w]{0,6}\d+(?:[.\-]\d+)*[.):]?\s+|[A-Z]{2,}[- ]?\d+[:.]?\s+)?", re.I
)
_LABEL: Final = re.compile(r"^[^:.`]{1,40}:\s+(?=\S)|^[^—–.`]{1,40}\s[—–-]\s+(?=\S)|^[\[(][^\])]{1,30}[\])]\s*")
_POLITE: Final = re.compile(
    r"^(?:please|also|then|maybe|possibly|perhaps|eventually|better to|need to|needs to"
    r"|we (?:should|need to|could|must)|try to"
    r"|(?:auto|re|un|de|pre|bulk|properly|fully|actually|really|finally|automatically|manually|optionally|better"
    r"|proper))\b[\s\-]*",
    re.I,
)
_FIRST: Final = re.compile(r"^[\W_]*([^\W\d_](?:[^\W\d_]|['’-])*)")
_AMISS: Final = re.compile(
    r"\b(?:should|must|need(?:s|ed)? to|has to|have to|ought|doesn't|does not|isn't|is not|can't|cannot|won't|broken"
    r"|missing|fails?"
    r"|todo|tbd|wrong|crash(?:es)?|bug|not (?:working|implemented|supported)|instead of|нужно|надо|muss|sollte"
    r"|should be)\b",
    re.I,
)


def starts_with_verb(text: str) -> bool:
    """Whether it starts like a command (`Add …`, `networking: retry …`)."""
    text = _PREFIX.sub("", text, count=1)
    if _CHINESE.search(text) or _TRAILING_VERB.search(text):
        return True
    if _verb_first(text):
        return True
    label = _LABEL.match(text)
    return label is not None and _verb_first(text[label.end() :])


def asks_for_something(text: str) -> bool:
    """Whether it starts like a command or says that something is amiss."""
    return starts_with_verb(text) or bool(_AMISS.search(text)) or text.rstrip().endswith("?")


def count_words(text: str) -> int:
    """Return how many words a text has; two characters of a script without spaces count as one."""
    return max(len(text.split()), len(_WIDE.findall(text)) // 2)


def is_verb(word: str) -> bool:
    """Whether a word is one of the verbs that tasks start with."""
    return word.lower() in _VERBS


def _verb_first(text: str) -> bool:
    match = _FIRST.match(_POLITE.sub("", text.lstrip(" *_`\"'"), count=1))
    if match is None:
        return False
    word = match[1].lower().replace("’", "'")
    return word in _VERBS or word.split("-")[0] in _VERBS
