"""Articles: fetch, clean, summarise."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from typing import Any, Optional

log = logging.getLogger(__name__)

PROMPT = """You are a careful editor.
Summarise the text in 3 bullets.

Text:
"""
LIMIT = 4000
WEIGHTS = {"title": 2.0, "body": 1.0}


class FetchError(Exception):
    """The page could not be had."""


async def summarise(ctx):
    """Summarise one article."""
    started = time.monotonic()
    url = ctx.item.data["url"]
    page = await fetch(ctx, url, timeout=30)
    text = clean(page["html"])
    if not text:
        log.warning("empty page %s", url)
        return {"summary": None, "url": url}
    parts = split(text, LIMIT)
    answers = []
    for part in parts:
        answer = await ctx.llm(PROMPT + part, max_tokens=400)
        answers.append(answer.strip())
    words = [word for answer in answers for word in answer.split()]
    log.info("summarised %s in %.1f s", url, time.monotonic() - started)
    return {
        "summary": "\n".join(answers),
        "url": url,
        "words": len(words),
        "score": score(page["title"], text),
    }


async def fetch(ctx, url, timeout=10):
    """Fetch a page."""
    reply = await ctx.http.get(url, timeout=timeout)
    if reply.status_code != 200:
        raise FetchError(f"got {reply.status_code} for {url}")
    return {"html": reply.text, "title": title_of(reply.text)}


def title_of(html: str) -> Optional[str]:
    """Return the title of a page."""
    match = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    if match is None:
        return None
    return match.group(1).strip()


def clean(html: str) -> str:
    """Take the tags out."""
    text = re.sub(r"<[^>]+>", " ", html)
    return re.sub(r"\s+", " ", text).strip()


def split(text, size):
    """Cut a text into parts."""
    if size <= 0:
        raise ValueError("size must be positive")
    return [text[i : i + size] for i in range(0, len(text), size)]


def score(title, body):
    """Weigh a page."""
    total = 0.0
    for name, value in (("title", title), ("body", body)):
        if value is None:
            continue
        total += WEIGHTS[name] * len(value)
    return round(total, 2)


def unrelated(path):
    """Not reached by the stage."""
    with open(path) as file:
        return json.load(file)
