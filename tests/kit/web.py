"""A real server on this machine that answers as it is told, and counts who connects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = bytes | Callable[[], bytes] | None
"""What is sent; None: nothing, for ever."""


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """One answer, as it goes over the wire; `_` in a header's name is `-`."""
    lines = [f"HTTP/1.1 {status} x", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass
class Web:
    """What the server does and has seen."""

    pages: dict[str, Answer] = field(default_factory=dict)
    connections: int = 0
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
            first, *lines = raw.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self.requests.append((method, path, headers))
            answer = self.pages.get(path.partition("?")[0], reply(404))
            if answer is None:
                await asyncio.Event().wait()
            elif callable(answer):
                writer.write(answer())
            else:
                writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def web(**pages: Answer) -> AsyncIterator[Web]:
    """Serve pages (`name` is at `/name`) on 127.0.0.1."""
    it = Web({f"/{name}": page for name, page in pages.items()})
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await it.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
