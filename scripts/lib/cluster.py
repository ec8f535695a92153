"""Starts a Redis, nodes and a balancer on free ports of this machine, for tests that want real processes.

Python's standard library only. Everything that was started is stopped again, by process, in reverse order.
"""

import contextlib
import http.client
import json
import os
import pathlib
import random
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
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 300s
  # A node on a busy machine is late, not dead. One that is dead refuses, and one that drains says so: both at once.
  timeout check 20s
frontend clients
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host balancer
  default-server check inter 1s fastinter 200ms downinter 200ms fall 2 rise 1
{servers}
"""


# What nodes of tests are told, as far as a test does not look at these limits themselves.
PATIENT = ["--handshake-time", "60", "--pong-wait", "600", "--write-wait", "120"]
# How long anything is waited for that must come: not how long it takes, but when a test gives up on a busy machine.
PATIENCE = 120

given = set()


def free_port():
    """Below the range from which the kernel takes ports for outgoing connections, so that nobody has it by chance when
    its owner begins, or ends and comes back. Never the same twice."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(10_000, 32_000)
        if port in given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        given.add(port)
        return port
    raise AssertionError("no free port")


def eventually(what, attempt, seconds=PATIENCE):
    """What `attempt` returns once it is true; errors of a server that is not there yet count as false."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if result := attempt():
                return result
            problem = "no"
        except (OSError, ValueError, http.client.HTTPException) as error:
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last answer: {problem})")
        time.sleep(0.02)


# Ports that speak TLS, with what makes us believe them.
trusted = {}


def get(port, path, host="127.0.0.1", headers={}):
    scheme = "https" if port in trusted else "http"
    request = urllib.request.Request(f"{scheme}://{host}:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=20, context=trusted.get(port)) as answer:
        return answer.read()


def get_json(port, path, host="127.0.0.1", headers={}):
    return json.loads(get(port, path, host, headers))


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
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.logs = (*self.logs, (name, log.read_text(errors="replace")[-3000:]))

    def redis(self, name="redis", port=None):
        """`port`: of one that was stopped, to be the next there."""
        port = port or free_port()
        process = self.start(name, "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder))

        def answers():
            assert process.poll() is None, f"redis-server ended with {process.returncode}"
            with socket.create_connection(("127.0.0.1", port), 20) as link:
                link.sendall(b"PING\r\n")
                return link.recv(16) == b"+PONG\r\n"

        eventually("redis answers", answers)
        return f"redis://127.0.0.1:{port}"

    def certificate(self):
        """A certificate for this machine that is its own authority, and its key."""
        certificate, key = (str(self.folder / name) for name in ("certificate.pem", "key.pem"))
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        place = ["-out", certificate, "-keyout", key]
        subprocess.run(["openssl", "req", "-x509", *kind, *names, *place], check=True, capture_output=True, timeout=PATIENCE)
        return certificate, key

    def node(self, name, *flags, tls=None, patient=True):
        """`tls`: a certificate and its key, for a node that speaks https and wss. `patient`: with long times for clients."""
        port = free_port()
        if tls:
            trusted[port] = ssl.create_default_context(cafile=tls[0])
            flags = (*flags, "--tls-cert", tls[0], "--tls-key", tls[1])
        where = ["--host", "127.0.0.1", "--port", str(port), "--node-id", name]
        process = self.start(name, BINARY, "serve", *where, *(PATIENT if patient else ()), *flags)

        def ready():
            assert process.poll() is None, f"{name} ended with {process.returncode}"
            return get(port, "/readyz") is not None

        eventually(f"{name} is ready", ready)
        return port

    def balancer(self, nodes, name="haproxy", spare=()):
        """`spare`: nodes that get clients only when the others are away."""
        port = free_port()
        servers = "\n".join(f"  server node-{node} 127.0.0.1:{node}" for node in nodes)
        servers += "".join(f"\n  server node-{node} 127.0.0.1:{node} backup" for node in spare)
        configuration = self.folder / f"{name}.cfg"
        configuration.write_text(HAPROXY.format(port=port, servers=servers))
        self.start(name, "haproxy", "-db", "-f", str(configuration))
        eventually("the balancer reaches a node", lambda: get(port, "/readyz") is not None)
        return port

    def token(self, user, name):
        command = [BINARY, "token", "--user", str(user), "--name", name]
        answer = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        assert answer.returncode == 0, f"roost token: {answer.stderr}"
        return answer.stdout.strip()
