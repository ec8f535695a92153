"""Starts a Redis, nodes and a balancer on free ports of this machine, for tests that want real processes.

Python's standard library only. Everything that was started is stopped again, by process, in reverse order.
"""

import contextlib
import json
import os
import pathlib
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ROOST_BINARY", str(ROOT / ".build/release/roost"))

HAPROXY = """
global
  maxconn 1000
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 90s
frontend clients
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host balancer
  default-server check inter 200ms fall 2 rise 1
{servers}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what, seconds, attempt):
    """What `attempt` returns once it is true; errors of a server that is not there yet count as false."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if result := attempt():
                return result
            problem = "no"
        except (OSError, ValueError) as error:
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last answer: {problem})")
        time.sleep(0.02)


# Ports that speak TLS, with what makes us believe them.
trusted = {}


def get(port, path, host="127.0.0.1"):
    scheme = "https" if port in trusted else "http"
    with urllib.request.urlopen(f"{scheme}://{host}:{port}{path}", timeout=3, context=trusted.get(port)) as answer:
        return answer.read()


def get_json(port, path, host="127.0.0.1"):
    return json.loads(get(port, path, host))


class Cluster:
    """A context: processes live inside it."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.secret = secrets.token_hex(32)
        self.environment = {**os.environ, "ROOST_SECRET": self.secret}
        self.processes = {}

    def __enter__(self):
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="roost-")))
        return self

    def __exit__(self, kind, error, trace):
        self.stack.close()
        if error is not None:
            for log in sorted(self.logs):
                print(f"--- the end of {log[0]}'s log\n{log[1]}", file=sys.stderr)

    logs = ()

    def start(self, name, *command):
        """Runs a command until the cluster ends; its output is shown only if the test fails."""
        log = self.folder / f"{name}.log"
        process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log.open("wb"), stderr=subprocess.STDOUT
        )
        self.stack.callback(self.stop, name, process, log)
        self.processes[name] = process
        return process

    def stop(self, name, process, log):
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.logs = (*self.logs, (name, log.read_text(errors="replace")[-3000:]))

    def redis(self, name="redis"):
        port = free_port()
        self.start(name, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder))

        def answers():
            with socket.create_connection(("127.0.0.1", port), 1) as link:
                link.sendall(b"PING\r\n")
                return link.recv(16) == b"+PONG\r\n"

        eventually("redis answers", 10, answers)
        return f"redis://127.0.0.1:{port}"

    def certificate(self):
        """A certificate for this machine that is its own authority, and its key."""
        certificate, key = (str(self.folder / name) for name in ("certificate.pem", "key.pem"))
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        place = ["-out", certificate, "-keyout", key]
        subprocess.run(["openssl", "req", "-x509", *kind, *names, *place], check=True, capture_output=True, timeout=20)
        return certificate, key

    def node(self, name, *flags, tls=None):
        """`tls`: a certificate and its key, for a node that speaks https and wss."""
        port = free_port()
        if tls:
            trusted[port] = ssl.create_default_context(cafile=tls[0])
            flags = (*flags, "--tls-cert", tls[0], "--tls-key", tls[1])
        process = self.start(name, BINARY, "serve", "--host", "127.0.0.1", "--port", str(port), "--node-id", name, *flags)

        def ready():
            assert process.poll() is None, f"{name} ended with {process.returncode}"
            return get(port, "/readyz") is not None

        eventually(f"{name} is ready", 20, ready)
        return port

    def balancer(self, nodes):
        port = free_port()
        servers = "\n".join(f"  server node-{node} 127.0.0.1:{node}" for node in nodes)
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(HAPROXY.format(port=port, servers=servers))
        self.start("haproxy", "haproxy", "-db", "-f", str(configuration))
        eventually("the balancer reaches a node", 10, lambda: get(port, "/readyz") is not None)
        return port

    def token(self, user, name):
        command = [BINARY, "token", "--user", str(user), "--name", name]
        answer = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=10)
        assert answer.returncode == 0, f"roost token: {answer.stderr}"
        return answer.stdout.strip()
