"""Messages through the stand-in proxy: HTTP in, passed on to the service's provider, its answer back. One request a
connection, unless connections are pooled. Stopping the process loses what is in flight."""
import asyncio
import time

IDLE_SECONDS = 60


class Messages:
    """`refusal()` tells why no message can be processed now, or None; `services()` gives service code -> URL."""

    def __init__(self, who, pooled, refusal, services):
        self.who, self.pooled, self.refusal, self.services = who, pooled, refusal, services

    def handler(self, access_log):
        async def handle(reader, writer):
            try:
                while True:
                    # A pooled connection may be idle for ever: its client decides when it ends.
                    patience = None if self.pooled else IDLE_SECONDS
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), patience)
                    started = time.monotonic()
                    request = head.split(b"\r\n", 1)[0].decode("latin-1")
                    status, body = await self.process(request, reader, head)
                    connection = "keep-alive" if self.pooled else "close"
                    writer.write(
                        f"HTTP/1.1 {status}\r\nX-Road-Security-Server: {self.who}\r\n"
                        f"Content-Length: {len(body)}\r\nConnection: {connection}\r\n\r\n".encode() + body
                    )
                    await writer.drain()
                    access_log(f"{request} {status[:3]} {int((time.monotonic() - started) * 1000)} ms")
                    if not self.pooled:
                        return
            except (asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
                pass  # the other end has gone, or says nothing
            finally:
                writer.close()

        return handle

    async def process(self, request, reader, head):
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await reader.readexactly(length) if length else b""
        reason = self.refusal()
        if reason is not None:
            return fault(reason)
        method, path, _ = request.split(" ", 2)
        code, _, rest = path.lstrip("/").partition("?")
        url = self.services().get(code)
        if url is None:
            return fault(f"Server.ServerProxy.UnknownService: no service '{code}' in serverconf")
        try:
            return await forward(method, url + (f"?{rest}" if rest else ""), body)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            return fault(f"Server.ServerProxy.ServiceFailed: {url}: {error}")


def fault(text):
    return "500 Server Error", (text + "\n").encode()


async def forward(method, url, body):
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port or 80))
    try:
        writer.write(
            f"{method} /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 1)[1]
        return status, await reader.read()
    finally:
        writer.close()
