"""The built-in job `docs`: read → outline → index, for documents that `plugins.sources.filesystem` finds. No model.

No stage stores the text. The file is the truth, `read` keeps its digest, and the later stages read it again and give
way when it is another one by then: the next discovery sees the new revision and runs all stages on it. So 5,000
documents cost a few kilobytes each in the state file instead of a second copy of the folder.

Outputs carry `facts` ([label, value] pairs) and `summary`, which the screens show for any job.
"""

from __future__ import annotations

import errno
import hashlib
import math
from collections import Counter
from typing import Any, Final

from engine.contracts.context import Context
from engine.contracts.outcome import Fail, Skip
from engine.contracts.seam import accepts
from engine.kit.files import FileProblem, read_bytes
from engine.kit.safe_text import safe_line
from plugins.pipelines.neighbours import linked_documents
from plugins.pipelines.outline import format_of, outline_of, title_of
from plugins.pipelines.prose import paragraphs, summary_of
from plugins.pipelines.words import guess_language, key_terms, words_of

DEFAULT_MAX_BYTES: Final = 2_000_000
WORDS_PER_MINUTE: Final = 238
"""Silent reading of English non-fiction: Brysbaert, "How many words do we read per minute?", 2019."""
_LISTED: Final = 300
"""Entries of a kind that an output lists; the counts are of all of them."""

Output = dict[str, Any]


@accepts("max_bytes")
def read(ctx: Context) -> Output | Skip | Fail:
    """Measure the document: title, words, lines, characters, language, digest.

    An empty, binary, too large or vanished file is skipped, with the reason; one that may not be opened fails.
    """
    max_bytes = ctx.params.get("max_bytes", DEFAULT_MAX_BYTES)
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes <= 0:
        raise ValueError(f"max_bytes must be a positive whole number, not {max_bytes!r}")
    raw = _load(ctx, max_bytes)
    if not isinstance(raw, bytes):
        return raw
    if b"\0" in raw[:8_000]:
        return Skip(why="a binary file")
    text = _decode(raw)
    if not text.strip():
        return Skip(why="the file is empty")
    path = _path(ctx)
    words = words_of(text)
    lines = len(text.splitlines())
    language = guess_language(words)
    title = safe_line(title_of(text, format_of(path)), 300) or path.rpartition("/")[2]
    facts = [["Words", f"{len(words):,}"], ["Lines", f"{lines:,}"], ["Size", f"{len(raw):,} bytes"]]
    if language:
        facts.append(["Language", language])
    return {
        "path": path,
        "title": title,
        "format": format_of(path),
        "words": len(words),
        "lines": lines,
        "chars": len(text),
        "bytes": len(raw),
        "language": language,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "facts": facts,
        "summary": f"{title}: {len(words):,} words",
    }


def outline(ctx: Context) -> Output | Skip | Fail:
    """List what the document consists of: headings, links, images, code blocks, task boxes, front matter keys."""
    text = _same_text(ctx)
    if not isinstance(text, str):
        return text
    found = outline_of(text, format_of(_path(ctx)))
    languages = Counter(block.language for block in found.code_blocks if block.language)
    counts = {
        "headings": len(found.headings),
        "links": len(found.links),
        "images": len(found.images),
        "code blocks": len(found.code_blocks),
    }
    facts = [[label.capitalize(), str(count)] for label, count in counts.items() if count]
    if found.tasks_open or found.tasks_done:
        facts.append(["Tasks", f"{found.tasks_open} open, {found.tasks_done} done"])
    if languages:
        facts.append(["Code", ", ".join(f"{safe_line(name, 40)} {count}" for name, count in languages.most_common(5))])
    if found.front_matter:
        facts.append(["Front matter", ", ".join(safe_line(key, 60) for key in found.front_matter[:12])])
    said = [f"{count} {label if count != 1 else label[:-1]}" for label, count in counts.items() if count]
    return {
        "headings": [
            {"level": one.level, "text": safe_line(one.text, 300), "line": one.line} for one in found.headings[:_LISTED]
        ],
        "links": [
            {"target": safe_line(one.target, 500), "text": safe_line(one.text, 200), "line": one.line}
            for one in found.links[:_LISTED]
        ],
        "images": [{"target": safe_line(one.target, 500), "line": one.line} for one in found.images[:_LISTED]],
        "code_blocks": [
            {"language": safe_line(one.language, 40), "line": one.line, "lines": one.lines}
            for one in found.code_blocks[:_LISTED]
        ],
        "counts": {label.replace(" ", "_"): count for label, count in counts.items()},
        "tasks": {"open": found.tasks_open, "done": found.tasks_done},
        "front_matter": [safe_line(key, 100) for key in found.front_matter[:100]],
        "facts": facts,
        "summary": ", ".join(said) or "running text only",
    }


def index(ctx: Context) -> Output | Skip | Fail:
    """Say what the document is about: key terms, first paragraph, reading time, the documents that it links to."""
    text = _same_text(ctx)
    if not isinstance(text, str):
        return text
    path = _path(ctx)
    before = ctx.upstream["read"]
    parts = ctx.upstream.get("outline", {})
    blocks = paragraphs(text, format_of(path))
    headings = [str(one["text"]) for one in parts.get("headings", ())]
    terms = key_terms(str(before["title"]), headings, "\n".join(block for _, block in blocks))
    minutes = max(1, math.ceil(int(before["words"]) / WORDS_PER_MINUTE))
    documents = linked_documents(ctx.root, path, [str(one["target"]) for one in parts.get("links", ())])
    missing = [document.path for document in documents if not document.exists]
    facts = [["Reading time", f"{minutes} min"]]
    if terms:
        facts.append(["About", ", ".join(safe_line(term, 60) for term, _ in terms[:6])])
    if documents:
        facts.append(["Links to", f"{len(documents)} documents"])
    if missing:
        facts.append(["Missing", ", ".join(safe_line(one, 120) for one in missing[:5])])
    return {
        "terms": [[safe_line(term, 80), weight] for term, weight in terms],
        "reading_minutes": minutes,
        "documents": [{"path": one.path, "exists": one.exists} for one in documents[:_LISTED]],
        "facts": facts,
        "summary": safe_line(summary_of(blocks), 300),
    }


def _path(ctx: Context) -> str:
    path = ctx.item.data.get("path") or ctx.item.path
    return path if isinstance(path, str) else ctx.item.key


def _load(ctx: Context, limit: int) -> bytes | Skip | Fail:
    try:
        return read_bytes(ctx.root, _path(ctx), limit=limit)
    except FileProblem as problem:
        cause = problem.__cause__
        if isinstance(cause, FileNotFoundError | NotADirectoryError):
            return Skip(why="the file is gone")
        if isinstance(cause, PermissionError):
            return Fail(why=str(problem))
        if cause is None or (isinstance(cause, OSError) and cause.errno == errno.ELOOP):
            return Skip(why=str(problem) if cause is None else "a symbolic link, which is not followed")
        raise


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8-sig", "replace")


def _same_text(ctx: Context) -> str | Skip | Fail:
    """Return the text that `read` saw, or why there is none."""
    before = ctx.upstream.get("read")
    if not before or "sha256" not in before:
        return Skip(why="nothing was read")
    raw = _load(ctx, int(before["bytes"]) + 1)
    if not isinstance(raw, bytes):
        return raw
    if hashlib.sha256(raw).hexdigest() != before["sha256"]:
        return Skip(why="the file changed after it was read; the next discovery takes it up again")
    return _decode(raw)
