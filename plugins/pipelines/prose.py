"""The running text of a document, without its markup: what a summary and the key terms are taken from."""

from __future__ import annotations

import re
from typing import Final

from plugins.pipelines.outline import Format, front_matter

_FENCE: Final = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_HTML: Final = re.compile(r"</?[A-Za-z][^<>]*>")
_IMAGE: Final = re.compile(r"!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_LINK: Final = re.compile(r"\[([^\]\[]*)\](?:\([^)]*\)|\[[^\]]*\])")
_ADDRESS: Final = re.compile(r"<?https?://\S+>?")
_EMPHASIS: Final = re.compile(r"(\*\*|__|\*|(?<!\w)_)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_RST_ROLE: Final = re.compile(r":[\w:+-]+:`(?:~?([^`<]+?))(?:\s*<[^`>]*>)?`|`([^`<]+?)\s*<[^`>]+>`__?|``([^`]+)``")
_RULE: Final = re.compile(r"\s*([-=*_~^\"'#+:.])\1{2,}\s*$")
_ITEM: Final = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_SENTENCE_END: Final = re.compile(r"[.!?:…。](?=\s|$)")


def paragraphs(text: str, form: Format) -> list[tuple[bool, str]]:
    """Return (is_running_text, text) for each block that is not code, markup or a heading.

    A list item or a table row is text too, but not running text: it counts for terms and never for a summary.
    """
    if form == "markdown":
        text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    lines = text.splitlines()
    if form == "markdown":
        lines = lines[front_matter(lines)[0] :]
    blocks: list[tuple[bool, str]] = []
    current: list[str] = []
    running = True
    fence = ""

    def flush() -> None:
        nonlocal current, running
        plain = _strip(" ".join(current), form)
        if re.search(r"\w", plain):
            blocks.append((running, plain))
        current, running = [], True

    for line in lines:
        mark = _FENCE.match(line) if form == "markdown" else None
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
        elif mark:
            flush()
            fence = mark[1]
        elif _RULE.match(line):
            # An underline: what it underlines is a heading, which is no paragraph.
            if len(current) == 1:
                current = []
            flush()
        elif not line.strip() or _is_markup(line, form):
            flush()
        elif item := _ITEM.match(line):
            flush()
            running = False
            current.append(line[item.end() :])
        elif line.lstrip().startswith(("|", ">")):
            running = False
            current.append(line.strip(" |>\t"))
        elif line.startswith(("    ", "\t")) and not current and form != "text":
            continue
        else:
            current.append(line.strip())
    flush()
    return blocks


def summary_of(blocks: list[tuple[bool, str]], limit: int = 280) -> str:
    """Return the start of the first paragraph of running text with a sentence in it, cut at the end of a sentence.

    Falls back to the first block of any kind; empty for a document without text. Every word stands in the document.
    """
    sentences = (text for running, text in blocks if running and len(text) >= 40 and _SENTENCE_END.search(text))
    first = next(sentences, "") or next((text for _, text in blocks), "")
    if len(first) <= limit:
        return first
    ends = [end.end() for end in _SENTENCE_END.finditer(first, 0, limit)]
    if ends and ends[-1] >= limit // 3:
        return first[: ends[-1]]
    return first[: limit - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def _is_markup(line: str, form: Format) -> bool:
    start = line.lstrip()
    if form == "rst":
        return start.startswith((".. ", ":", "+-", "__ "))
    if form == "markdown":
        return bool(re.match(r" {0,3}#{1,6}(\s|$)|\s*\[[^\]]+\]:\s", line)) or start.startswith(
            (":::", "{%", "|--", "|:-")
        )
    return False


def _strip(text: str, form: Format) -> str:
    if form == "rst":
        text = _RST_ROLE.sub(lambda found: found[1] or found[2] or found[3] or "", text)
        text = re.sub(r"(\w)`?__?(?=\W|$)", r"\1", text).replace("`", "")
    elif form == "markdown":
        text = _LINK.sub(r"\1", _IMAGE.sub("", text))
        text = _LINK.sub(r"\1", _HTML.sub(" ", text)).replace("`", "")
    text = _ADDRESS.sub("", text)
    return " ".join(_EMPHASIS.sub(r"\2", text).split())
