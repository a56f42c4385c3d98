"""A PostgreSQL server of our own, on loopback, with the server's default durability."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile


def programs():
    """The folder of the server's programs; None where there is no server."""
    found = shutil.which("postgres")
    return found and pathlib.Path(found).resolve().parent


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def server(parent):
    """Runs a server below the folder `parent` and gives its URL without a database's name."""
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    place = pathlib.Path(tempfile.mkdtemp(prefix="postgres-", dir=parent))
    if user:
        shutil.chown(place, user)
    quiet = {"user": user, "check": True, "stdout": subprocess.DEVNULL, "cwd": place}
    port, control = free_port(), programs() / "pg_ctl"
    data = place / "data"
    subprocess.run([programs() / "initdb", "-D", data, "-U", "bench", "--auth=trust", "-E", "UTF8"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place}"
    subprocess.run([control, "-D", data, "-o", options, "-l", place / "log", "-w", "start"], **quiet)
    try:
        yield f"postgresql://bench@127.0.0.1:{port}"
    finally:
        subprocess.run([control, "-D", data, "-m", "immediate", "-w", "stop"], **quiet)
        shutil.rmtree(place, ignore_errors=True)
