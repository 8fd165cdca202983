"""Another company's service, as its own program: users, their notifications, tournaments. Prints its port.

A token is ``user-<id>``, and ``user-<id>~2`` another of the same user. What it does wrong it does by the id:
``slow`` answers when everybody has left, ``failing`` with 500, ``missing`` with 404, ``revoked`` with 401,
``banned`` with 403, ``huge`` at great length, ``malformed`` with no JSON, ``strange`` with JSON that says
nothing, ``dripping`` a byte at a time without end.
"""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

STATUSES = {"failing": 500, "missing": 404, "revoked": 401, "banned": 403}
# Requests under way, and the most there have been, by path.
counts: Counter[str] = Counter()
busiest: Counter[str] = Counter()
counting = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        with counting:
            counts[self.path] += 1
            busiest[self.path] = max(busiest[self.path], counts[self.path])
        try:
            self.answer_one()
        finally:
            with counting:
                counts[self.path] -= 1

    def answer_one(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        user = (self.headers.get("Authorization") or "").removeprefix("user-")
        if url.path == "/busiest":
            return self.say(busiest)
        if user == "slow" and url.path != "/me":
            threading.Event().wait(30)
        if user == "huge" and url.path != "/me":
            return self.say("x" * 1_000_000)
        if user == "malformed" and url.path != "/me":
            return self.send(200, b"{oops")
        if user == "strange" and url.path != "/me":
            return self.say("strange")
        if user == "dripping" and url.path != "/me":
            return self.drip()
        if url.path != "/me" and user in STATUSES:
            return self.send(STATUSES[user], b'{"secret": "of the other service"}')
        if url.path == "/me":
            name = user.partition("~")[0]
            return self.say({"id": name, "name": name.title()}) if user else self.send(401, b"")
        if url.path == "/notifications":
            if self.command == "PATCH":
                return self.send(204, b"")
            return self.say([{"id": "1", "of": user, "query": parse_qs(url.query)}])
        if url.path == "/notifications/count":
            return self.say({"total": 7})
        said = {"path": self.path, "method": self.command, "user": user, "body": json.loads(body or b"null")}
        return self.say(said)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

    def say(self, value: object) -> None:
        self.send(200, json.dumps(value).encode())

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            threading.Event().wait(0.05)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 200

    def handle_error(self, *_: object) -> None:
        """Clients hang up on those who are slow."""


with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
