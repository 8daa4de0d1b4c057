"""``python -m tests.support.stub_child``: a child of a supervisor that behaves as its brief's ``control`` says.

``serves``: comes up, ends when asked; ``dies``: ends before it is up; ``falls``: comes up and ends at once; ``deaf``:
comes up and does not hear anything but SIGKILL; ``mute``: never says that it is up; ``talks``: says something more.
"""

import os
import signal
import socket
import sys

from aimesh.supervisor.child import LEAVE, READY, SAY
from aimesh.supervisor.orders import Brief, read_order


def main() -> int:
    brief, text = read_order(int(sys.argv[1]), Brief)
    channel = socket.socket(fileno=brief.channel)
    if brief.control == "dies":
        return 3
    if brief.control == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if brief.control != "mute":
        channel.sendall(READY + b"\n")
    if brief.control == "talks":
        channel.sendall(SAY + f"I am {text}".encode() + b"\n")
    if brief.control == "falls":
        os.kill(os.getpid(), signal.SIGKILL)
    while data := channel.recv(4096):
        if LEAVE in data and brief.control != "deaf":
            return 0
    return 4


if __name__ == "__main__":
    sys.exit(main())
