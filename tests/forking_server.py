"""The program as a server that forks for each command, so that many commands load it once.

`python -P forking_server.py SOCKET` serves the program that this Python has installed, and needs nothing else of
the tests. The script of `command` is the program `newsletter`, and hands its arguments, its environment and its
streams over. The command runs in a process of its own.
"""

from __future__ import annotations

import gc
import os
import pickle
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

_ASK = """\
#!{python} -IS
import os, pickle, socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.connect({socket!r})
asked = pickle.dumps((sys.argv[1:], os.getcwd(), dict(os.environ)))
socket.send_fds(asking, [len(asked).to_bytes(8) + asked], [0, 1, 2])
sys.exit(int(asking.recv(8) or b"70"))
"""


def command(place: Path) -> str:
    """Return the script that asks the server at a socket."""
    return _ASK.format(python=sys.executable, socket=str(place))


def serve(place: Path, run: Callable[[], None]) -> None:
    """Run commands, each in a process of its own, until this one is ended.

    Args:
        place: the socket at which commands are asked for.
        run: what runs one, by `sys.argv`.
    """
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen(64)
        while True:
            asking, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(asking, run)
            asking.close()
            with suppress(ChildProcessError):  # let those that have ended go
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(asking: socket.socket, run: Callable[[], None]) -> None:
    """Run a command in a grandchild, and say what it ended with: whoever asks may be killed meanwhile."""
    content, streams, _, _ = socket.recv_fds(asking, 1 << 20, 3)
    size = int.from_bytes(content[:8])
    while len(content) < size + 8:
        content += asking.recv(1 << 20)
    words, folder, environment = pickle.loads(content[8:])  # noqa: S301 (our own)
    child = os.fork()
    if child == 0:
        asking.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[:] = ["newsletter", *words]
        os._exit(_code(run))
    _, status = os.waitpid(child, 0)
    asking.sendall(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _code(run: Callable[[], None]) -> int:
    try:
        run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (as the interpreter does at its end)
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _main(place: Path) -> None:
    """Serve the installed program, all of which is loaded but for what needs extras."""
    import newsletter
    from newsletter.cli import main

    for module in walk_packages(newsletter.__path__, "newsletter."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            with suppress(ImportError):
                import_module(module.name)
    gc.freeze()
    serve(place, main)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
