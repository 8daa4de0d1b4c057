"""Where alerts arrive: a webhook's server and a mail server, on loopback, each in a thread of its own."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hook:
    """What came, and what is answered from now on."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        """Target, headers and body."""
        self.status = 200
        self.answer = b"{}"
        self.location = ""
        self.url = ""


@contextmanager
def running_hook() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(hook.status)
            if hook.location:
                self.send_header("location", hook.location)
            self.send_header("content-length", str(len(hook.answer)))
            self.end_headers()
            self.wfile.write(hook.answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            """Nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _served(server):
        hook.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield hook


class Mailbox:
    def __init__(self, port: int) -> None:
        self.port = port
        self.lines: list[str] = []
        """What clients said, but for messages."""
        self.messages: list[str] = []
        self.was_encrypted: list[bool] = []
        self.refuses = False


@contextmanager
def running_mail(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """``tls``: what STARTTLS begins with; None: it is not offered."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            talk = _Talk(self, mailbox, tls)
            try:
                talk.run()
            except ssl.SSLError:
                mailbox.lines.append("(no handshake)")
            finally:
                talk.close()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        mailbox = Mailbox(server.server_address[1])
        with _served(server):
            yield mailbox


class _Talk:
    """One client of the mail server."""

    def __init__(
        self, handler: socketserver.StreamRequestHandler, mailbox: Mailbox, tls: ssl.SSLContext | None
    ) -> None:
        self._mailbox = mailbox
        self._tls = tls
        self._socket = handler.connection
        self._read = handler.rfile
        self._is_encrypted = False

    def run(self) -> None:
        self._say("220 mail.test")
        while line := self._read.readline():
            text = line.decode().strip()
            self._mailbox.lines.append(text)
            match text.partition(" ")[0].upper():
                case "EHLO":
                    offers = ["mail.test", "AUTH PLAIN"] + ([] if self._tls is None else ["STARTTLS"])
                    self._say(*(f"250-{one}" for one in offers), "250 OK")
                case "STARTTLS" if self._tls is not None:
                    self._say("220 go ahead")
                    self._encrypt(self._tls)
                case "AUTH":
                    self._say("235 welcome")
                case "RCPT" if self._mailbox.refuses:
                    self._say("550 no such mailbox")
                case "DATA":
                    self._say("354 go on")
                    self._take()
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 OK")

    def close(self) -> None:
        self._read.close()
        self._socket.close()

    def _take(self) -> None:
        lines = []
        while (line := self._read.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self._mailbox.messages.append("\n".join(lines))
        self._mailbox.was_encrypted.append(self._is_encrypted)
        self._say("250 taken")

    def _encrypt(self, tls: ssl.SSLContext) -> None:
        self._socket = tls.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        self._socket.do_handshake()
        self._read.close()
        self._read = self._socket.makefile("rb")
        self._is_encrypted = True

    def _say(self, *lines: str) -> None:
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
