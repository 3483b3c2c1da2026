"""The health check port and the admin port of xroad-proxy (facts/x-road.md section 3), over asyncio."""
import asyncio
import concurrent.futures
import email.utils
import time
import urllib.parse

OK_SECONDS = 2
FAILURE_SECONDS = 30
PATIENCE_SECONDS = 5
IDLE_SECONDS = 30
IN_MAINTENANCE = "Health check interface is in maintenance mode."


class Check:
    """One check; its outcome is kept, a good one for 2 s, a bad one for 30 s."""

    def __init__(self, name, run, worker):
        self.name, self.run, self.worker = name, run, worker
        self.lock = asyncio.Lock()
        self.valid_until = 0.0
        self.failure = None

    async def outcome(self):
        """None, or what is wrong."""
        async with self.lock:
            if time.monotonic() >= self.valid_until:
                self.failure = await self.fresh()
                self.valid_until = time.monotonic() + (OK_SECONDS if self.failure is None else FAILURE_SECONDS)
            return self.failure

    async def fresh(self):
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self.worker, self.run), PATIENCE_SECONDS)
        except asyncio.TimeoutError:
            return f"Fetching health check response timed out for: {self.name}"
        except Exception:
            return f"Fetching health check response failed for: {self.name}"


class Health:
    """Checks in their order, lazily: the first that fails is the answer."""

    def __init__(self, checks):
        worker = concurrent.futures.ThreadPoolExecutor(1)  # one thread for all: a check that hangs holds up the others
        self.checks = [Check(name, run, worker) for name, run in checks]
        self.maintenance = False

    async def reply(self):
        if self.maintenance:
            return response("503 Service Unavailable", IN_MAINTENANCE)
        for check in self.checks:
            failure = await check.outcome()
            if failure is not None:
                return response("500 Server Error", failure + "\n")
        return response("200 OK", "")

    def set_maintenance(self, wanted):
        before, self.maintenance = self.maintenance, wanted
        return f"Maintenance mode set: {str(before).lower()} => {str(wanted).lower()}"


def response(status, body, content_type="text/plain"):
    head = [f"HTTP/1.1 {status}", f"Date: {email.utils.formatdate(usegmt=True)}"]
    if body:
        head.append(f"Content-Type: {content_type}")
    head.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def admin_reply(path, health):
    """`health` is None where the health port is disabled. Always 200 for a known path, whatever came of it."""
    url = urllib.parse.urlsplit(path)
    if url.path != "/maintenance":
        return response("404 Not Found", "")
    wanted = urllib.parse.parse_qs(url.query).get("targetState", [""])[0].lower()
    if wanted not in ("true", "false"):
        body = "Invalid parameter 'targetState', request ignored"
    elif health is None:
        body = "No HealthCheckPort found, maintenance mode not set"
    else:
        body = health.set_maintenance(wanted == "true")
    return response("200 OK", body + "\n", "application/json")


async def request_path(reader):
    """Path of the next request on a connection, its body skipped; None at its end."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
    except (asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None, False
    lines = head.decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", "0") or 0)
    if length:
        await reader.readexactly(length)
    words = lines[0].split(" ")
    keep = headers.get("connection", "").lower() != "close" and words[-1] == "HTTP/1.1"
    return (words[1] if len(words) > 1 else "/"), keep


def serve(answer):
    """Connection handler: every method and path is given to `answer(path, peer)`."""

    async def handler(reader, writer):
        try:
            keep = True
            while keep:
                path, keep = await request_path(reader)
                if path is None:
                    break
                writer.write(await answer(path, writer.get_extra_info("peername")[0]))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return handler
