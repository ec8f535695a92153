"""The honest clients of an attacked node: a crowd that chats, and newcomers who want in."""

import json
import socket
import subprocess
import threading
import time

import cluster
import hostile

ROOMS = 100
# Theirs alone.
NEWCOMERS_ADDRESS = "127.0.1.1"


class Crowd:
    """Clients in a hundred rooms, who all talk now and then. The generator counts what is lost.

    `quiet` seconds pass before the measurement of `seconds` begins.
    """

    def __init__(self, made, node, quiet, seconds, clients=1000, rate=100):
        self.clients, self.rate, self.seconds = clients, rate, seconds
        command = [cluster.BINARY, "bench", "fanout", "--url", node.url, "--rooms", str(ROOMS)]
        command += ["--members", str(clients // ROOMS), "--talk", "--rate", str(rate)]
        command += ["--warm", str(quiet), "--time", str(seconds), "--json"]
        before = node.stats()["messages_received"]
        self.process = subprocess.Popen(
            command, env=made.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # Who is there has said one thing: what room it wants. The rest is talk.
        cluster.eventually("the crowd talks", lambda: node.stats()["messages_received"] > before + clients)

    def result(self):
        out, problem = self.process.communicate(timeout=120)
        if not out.strip():
            raise AssertionError(f"the crowd says nothing but {problem}")
        result = json.loads(out)
        assert result["sent"] > 0.9 * self.rate * self.seconds, f"the crowd said too little: {out}"
        assert result["generator_cpu_s"] < 0.5 * result["seconds"], f"the generator was too busy to judge: {out}"
        return result

    @staticmethod
    def harm(result):
        """How many messages did not come as they should, and clients that were lost."""
        wrong = ("lost", "duplicates", "order_violations", "errors")
        return sum(result[name] for name in wrong) + result["planned"] - result["connections"]


class Newcomers(threading.Thread):
    """Somebody new ten times a second, with a good token, who wants to be let in and goes again."""

    def __init__(self, made, node):
        super().__init__(daemon=True)
        self.port, self.tls = node.port, node.tls
        self.request = hostile.request(made.token("newcomer", "Newcomer"))
        self.is_over = threading.Event()
        self.times, self.failed = [], []

    def run(self):
        while not self.is_over.wait(0.1):
            started = time.monotonic()
            try:
                answer = self.visit()
            except OSError as problem:
                answer = str(problem).encode()
            self.times.append(time.monotonic() - started)
            if not answer.startswith(b"HTTP/1.1 101 "):
                self.failed.append(answer[:100])

    def visit(self):
        with socket.create_connection(("127.0.0.1", self.port), 10, source_address=(NEWCOMERS_ADDRESS, 0)) as plain:
            link = self.tls.wrap_socket(plain, server_hostname="localhost") if self.tls else plain
            link.sendall(self.request)
            return link.recv(4096)

    def finish(self):
        self.is_over.set()
        self.join()
