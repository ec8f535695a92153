"""What a cluster of containers must do, seen from inside its network: talk, count, grow, shrink, lose a node.

    scenario.py docker compose -f docker-compose.yml …     (already up with three nodes)
"""

import asyncio
import pathlib
import subprocess
import sys
import time
import urllib.error

from websockets.asyncio.client import connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "Tests/Clients")]
sys.dont_write_bytecode = True

import clients  # noqa: E402
import cluster  # noqa: E402

COMPOSE = sys.argv[1:]
BALANCER = 8080
PYTHON = "python-websockets"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()


def compose(*arguments):
    return run(*COMPOSE, *arguments)


def nodes():
    """Container → address of every running node."""
    found = compose("ps", "--quiet", "node").split()
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return {container: run("docker", "inspect", "--format", form, container) for container in found}


def token(user, name):
    return compose("exec", "--no-TTY", "node", "roost", "token", "--user", str(user), "--name", name)


def scale(count):
    compose("up", "--detach", "--wait", "--wait-timeout", "60", "--no-build", "--no-recreate", "--scale", f"node={count}")


def online():
    return cluster.get_json(BALANCER, "/ws/online")


def connections(address):
    return cluster.get_json(8080, "/ws/stats", address)["active_connections"]


def counted(seconds=5, **expected):
    """Any node, asked through the balancer, knows the truth about the whole cluster."""

    def matches():
        seen = online()
        if any(seen[key] != value for key, value in expected.items()):
            raise ValueError(seen)
        return True

    cluster.eventually(f"/ws/online says {expected}", seconds, matches)


def talk(number, *addresses):
    commands = clients.kinds(sys.executable)

    def together():
        counted(online=2, users=2)

    urls = [f"ws://{address}/ws" for address in addresses]
    clients.converse({PYTHON: commands[PYTHON]}, PYTHON, PYTHON, urls, token, number, together)


class Crowd:
    """Connections through the balancer that stay until somebody closes them."""

    def __init__(self, tokens):
        self.tokens = tokens

    async def open(self):
        self.sockets = [
            await connect(f"ws://127.0.0.1:{BALANCER}/ws", additional_headers={"Authorization": f"Bearer {token}"})
            for token in self.tokens
        ]
        return self

    async def close(self):
        await asyncio.gather(*(socket.close() for socket in self.sockets))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def settle(self, closed):
        """The close codes of the `closed` connections that the server ends."""

        async def ended():
            while sum(socket.close_code is not None for socket in self.sockets) < closed:
                await asyncio.sleep(0.05)

        await asyncio.wait_for(ended(), 45)
        return [socket.close_code for socket in self.sockets if socket.close_code is not None]


async def evenly_spread(tokens, addresses):
    """A crowd that is the same on every node: the balancer has found them all (it asks DNS once a second)."""
    deadline = time.monotonic() + 15
    while True:
        counted(online=0)
        crowd = await Crowd(tokens).open()
        shares = [connections(address) for address in addresses]
        if len(set(shares)) == 1:
            return crowd
        await crowd.close()
        assert time.monotonic() < deadline, f"the balancer spread {len(tokens)} connections like this: {shares}"


async def grow_and_shrink(tokens):
    """Three, five, two nodes: new ones get their share, leaving ones say goodbye, the others notice nothing."""
    await asyncio.to_thread(scale, 5)
    counted(nodes=5, online=0)
    async with await evenly_spread(tokens, nodes().values()) as crowd:
        counted(online=10, nodes=5)
        await asyncio.to_thread(scale, 2)
        codes = await crowd.settle(closed=6)
        assert set(codes) <= {1001, 1012}, f"leaving nodes closed with {codes}"
        counted(online=4, nodes=2, seconds=10)
    counted(online=0, nodes=2)


def stops_cleanly():
    container = next(iter(nodes()))
    started = time.monotonic()
    run("docker", "stop", "--time", "35", container)
    status = run("docker", "inspect", "--format", "{{.State.ExitCode}}", container)
    assert status == "0", f"SIGTERM ended a node with {status}"
    counted(nodes=1, seconds=10)
    run("docker", "start", container)
    counted(nodes=2, seconds=20)
    return f"stopped in {time.monotonic() - started:.1f} s"


def survives_a_crash():
    container = next(iter(nodes()))
    run("docker", "kill", "--signal", "KILL", container)
    counted(nodes=1, seconds=8)
    run("docker", "start", container)
    counted(nodes=2, seconds=20)


def survives_redis():
    compose("restart", "redis")
    counted(nodes=2, seconds=15)


def is_watched():
    """Prometheus, with the files of deploy/, finds both nodes by the network's DNS, and its rules work."""
    run(*COMPOSE, "--profile", "monitoring", "up", "--detach", "--no-build", "prometheus")
    port = 9090

    def sees():
        result = cluster.get_json(port, "/api/v1/query?query=count(up%7Bjob=%22roost%22%7D==1)")["data"]["result"]
        return result and result[0]["value"][1] == "2"

    cluster.eventually("Prometheus scrapes both nodes", 45, sees)
    groups = cluster.get_json(port, "/api/v1/rules")["data"]["groups"]
    assert len(groups) > 2 and all(rule["health"] != "err" for group in groups for rule in group["rules"]), groups
    # The balancer's clients are not shown what the nodes tell Prometheus.
    try:
        cluster.get(BALANCER, "/metrics")
        raise AssertionError("/metrics can be read through the balancer")
    except urllib.error.HTTPError as error:
        assert error.code == 404, error


def main():
    first, second, _ = nodes().values()
    tokens = [token(20_000 + number, f"crowd {number}") for number in range(10)]
    balancer = f"127.0.0.1:{BALANCER}"
    steps = {
        "three nodes count themselves": lambda: counted(nodes=3, online=0),
        "two users talk across two nodes": lambda: talk(1, f"{first}:8080", f"{second}:8080"),
        "two users talk through the balancer": lambda: talk(2, balancer, balancer),
        "three nodes, five, two": lambda: asyncio.run(grow_and_shrink(tokens)),
        "a node that is asked to stop exits 0": stops_cleanly,
        "a killed node is counted out in 8 s": survives_a_crash,
        "Redis may restart": survives_redis,
        "and they still talk": lambda: talk(3, balancer, balancer),
        "Prometheus watches them": is_watched,
    }
    for name, step in steps.items():
        started = time.monotonic()
        step()
        print(f"  {name}: {time.monotonic() - started:.1f} s", flush=True)


main()
