"""What a cluster of containers must do, seen from inside its network: talk, count, grow, shrink, lose a node, be renewed.
A crowd chats through the balancer all the while, and nothing of what it says may be lost.

    scenario.py docker compose -f docker-compose.yml …     (already up with three nodes)
"""

import asyncio
import json
import os
import pathlib
import random
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import jwt
from websockets.asyncio.client import connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts/lib"), str(ROOT / "Tests/Clients")]
sys.dont_write_bytecode = True

import clients  # noqa: E402
import cluster  # noqa: E402
import crowd  # noqa: E402

COMPOSE = sys.argv[1:]
BALANCER = 8080
TLS = 8443
PYTHON = "python-websockets"
# Who talks from beginning to end, and who only holds connections to be spread.
TALKERS = 12
HOLDERS = 18


def run(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout} {done.stderr}"
    return done.stdout.strip()


def compose(*arguments):
    return run(*COMPOSE, *arguments)


def inspect(container, form):
    return run("docker", "inspect", "--format", form, container)


def nodes():
    """Container → address of every running node."""
    found = compose("ps", "--quiet", "node").split()
    return {container: inspect(container, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}") for container in found}


def token(user, name):
    """By the program in the image."""
    return compose("exec", "--no-TTY", "node", "roost", "token", "--user", str(user), "--name", name)


def own_token(user, name):
    """Many of them: faster by ourselves."""
    claims = {"sub": str(user), "name": name, "exp": int(time.time()) + 3600}
    return jwt.encode(claims, os.environ["ROOST_SECRET"], "HS256")


def scale(count):
    compose("up", "--detach", "--wait", "--wait-timeout", "180", "--no-build", "--no-recreate", "--scale", f"node={count}")


def connections(address):
    return cluster.get_json(8080, "/ws/stats", address)["active_connections"]


def fullest():
    """The container with the most connections: one whose end is noticed."""
    shares = {container: connections(address) for container, address in nodes().items()}
    found = max(shares, key=shares.get)
    assert shares[found] > 0, f"nobody is connected: {shares}"
    return found


def counted(**expected):
    """Any node, asked through the balancer, knows the truth about the whole cluster."""

    def matches():
        seen = cluster.get_json(BALANCER, "/ws/online")
        if any(seen[key] != value for key, value in expected.items()):
            raise ValueError(seen)
        return True

    cluster.eventually(f"/ws/online says {expected}", matches)


def is_hardened():
    """What the kernel says of a node's process, and what its image is."""
    container = next(iter(nodes()))
    process = inspect(container, "{{.State.Pid}}")
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert said["Uid"].split() == ["10001"] * 4 and said["Gid"].split() == ["10001"] * 4, f"runs as {said['Uid']}"
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(said[kind], 16) == 0, f"{kind} is {said[kind]}"
    assert said["NoNewPrivs"] == "1" and said["Seccomp"] == "2", "privileges can be gained, or any call be made"
    mounts = pathlib.Path(f"/proc/{process}/mounts").read_text().splitlines()
    (root,) = [line.split()[3] for line in mounts if line.split()[1] == "/"]
    assert root.split(",")[0] == "ro", f"the root is mounted {root}"
    check = inspect(container, "{{json .Config.Healthcheck.Test}}")
    assert check == '["CMD","roost","serve","--healthcheck"]', f"the health check is {check}"
    for service in ("redis", "balancer"):
        kept = inspect(compose("ps", "--quiet", service), "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}")
        assert kept == "true [ALL]", f"{service}: {kept}"
    megabytes = int(run("docker", "image", "inspect", "--format", "{{.Size}}", "roost")) // 1_000_000
    print(f"  the image: {megabytes} MB, uid 10001, no capabilities, read-only root, no shell in its health check")


def talk(number, *urls):
    commands = clients.kinds(sys.executable)

    def together():
        counted(online=TALKERS + 2, users=TALKERS + 2)

    clients.converse({PYTHON: commands[PYTHON]}, PYTHON, PYTHON, urls, token, number, together)


class Holders:
    """Connections through the balancer that stay until somebody closes them."""

    async def open(self):
        self.sockets = [
            await connect(
                f"ws://127.0.0.1:{BALANCER}/ws",
                additional_headers={"Authorization": f"Bearer {own_token(f'holder-{number}', 'Holder')}"},
            )
            for number in range(HOLDERS)
        ]
        return self

    async def close(self):
        await asyncio.gather(*(socket.close() for socket in self.sockets))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    def codes(self):
        return [socket.close_code for socket in self.sockets if socket.close_code is not None]


async def evenly_spread(addresses):
    """Holders fill up what talkers left: the balancer has found all nodes (it asks DNS once a second)."""
    deadline = time.monotonic() + cluster.PATIENCE
    while True:
        counted(online=TALKERS)
        holders = await Holders().open()
        shares = [connections(address) for address in addresses]
        if max(shares) - min(shares) <= 1:
            return holders, shares
        await holders.close()
        assert time.monotonic() < deadline, f"the balancer spread connections like this: {shares}"


async def grow_and_shrink(people):
    """Three, five, two nodes: new ones get their share, leaving ones say goodbye, the others notice nothing."""
    await asyncio.to_thread(scale, 5)
    counted(nodes=5, online=TALKERS)
    holders, shares = await evenly_spread(nodes().values())
    async with holders:
        counted(online=TALKERS + HOLDERS, nodes=5)
        await asyncio.to_thread(scale, 2)
        await asyncio.to_thread(people.all_back)
        codes = holders.codes()
        assert codes and set(codes) <= {1001, 1012}, f"leaving nodes closed with {codes}"
        counted(online=TALKERS + HOLDERS - len(codes), nodes=2)
    counted(online=TALKERS, nodes=2)
    return f"spread {shares}, {len(codes)} of {HOLDERS} sent away"


def stops_cleanly(people):
    container = fullest()
    started = time.monotonic()
    run("docker", "stop", "--time", "40", container)
    took = time.monotonic() - started
    status = inspect(container, "{{.State.ExitCode}}")
    assert status == "0", f"SIGTERM ended a node with {status}"
    people.all_back()
    counted(nodes=1, online=TALKERS)
    run("docker", "start", container)
    counted(nodes=2)
    return f"in {took:.1f} s"


def call(method, path):
    """A backend's call, through the balancer."""
    key = {"Authorization": f"Bearer {os.environ['ROOST_API_KEY']}"}
    asked = urllib.request.Request(f"http://127.0.0.1:{BALANCER}/api/{path}", method=method, headers=key)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read())


def drains_when_told(people):
    """Any node is asked to drain the fullest one, which ends, and is started anew by the engine."""
    full = max(call("GET", "nodes")["nodes"], key=lambda node: node["connections"])["node"]
    answer = call("POST", f"nodes/{full}/drain")
    assert answer == {"node": full, "draining": True}, answer

    def is_another():
        names = [node["node"] for node in call("GET", "nodes")["nodes"]]
        return len(names) == 2 and full not in names

    cluster.eventually("a new node is in its place", is_another)
    people.all_back()
    counted(nodes=2, online=TALKERS)


def survives_a_crash(people):
    container = fullest()
    run("docker", "kill", "--signal", "KILL", container)
    people.all_back()
    counted(nodes=1, online=TALKERS)
    run("docker", "start", container)
    counted(nodes=2)


def survives_redis(people):
    """What was said so far is judged first: from here on Redis has lost something, and everybody is told."""
    said = people.finish()
    assert people.nobody_noticed(), f"somebody was refused or seemed to leave: {said}"
    people.talk()
    compose("restart", "redis")
    people.all_back()
    counted(nodes=2, online=TALKERS)
    return f"until then {said}"


def is_renewed(people):
    """deploy/rolling-update puts nodes of another image in the place of the old."""
    subprocess.run(["docker", "build", "--quiet", "--tag", "roost", "-"], input=b"FROM roost\nLABEL renewed=1\n", check=True, capture_output=True)
    image = run("docker", "image", "inspect", "--format", "{{.Id}}", "roost")
    before = set(nodes())
    run(str(ROOT / "deploy/rolling-update"), COMPOSE=" ".join(COMPOSE))
    after = nodes()
    assert len(after) == len(before) and not before & set(after), f"{before} became {set(after)}"
    for container in after:
        assert inspect(container, "{{.Image}}") == image, "a node of the old image is left"
    people.all_back()
    counted(nodes=2, online=TALKERS)


def reads_keys_again(people):
    """SIGHUP to all nodes, as docs/OPERATIONS.md has it: they say so, and go on."""
    before = nodes()
    compose("kill", "--signal", "HUP", "node")
    cluster.eventually("nodes have read their keys again", lambda: compose("logs", "node").count("keys reloaded") == len(before))
    assert nodes() == before, "SIGHUP ended a node"
    people.all_back()
    counted(nodes=2, online=TALKERS)


def renews_its_certificate():
    """Written into the same file, as docs/OPERATIONS.md has it, and SIGUSR2: the next handshake sees it."""
    file = pathlib.Path(os.environ["ROOST_CERTIFICATE"])
    before = ssl.get_server_certificate(("localhost", TLS))
    made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    key = file.with_name("renewed.key")
    chain = run("openssl", "req", "-x509", *made, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key))
    file.write_text(f"{chain}\n{key.read_text()}")
    compose("--profile", "tls", "kill", "--signal", "USR2", "balancer-tls")
    cluster.eventually("the new certificate is shown", lambda: ssl.get_server_certificate(("localhost", TLS)) != before)


def speaks_tls():
    """The profile tls, with the certificate of this run."""
    run(*COMPOSE, "--profile", "tls", "up", "--detach", "--no-build", "--no-recreate", "--scale", "node=2", "balancer-tls")
    os.environ["SSL_CERT_FILE"] = os.environ["ROOST_CERTIFICATE"]
    cluster.eventually("the balancer speaks TLS", lambda: urllib.request.urlopen(f"https://localhost:{TLS}/readyz", timeout=20).status == 200)
    talk(4, f"wss://localhost:{TLS}/ws", f"ws://127.0.0.1:{BALANCER}/ws")


def is_watched():
    """Prometheus, with the files of deploy/, finds both nodes by the network's DNS, and its rules work."""
    run(*COMPOSE, "--profile", "monitoring", "up", "--detach", "--no-build", "--no-recreate", "prometheus")
    port = 9090

    def sees():
        result = cluster.get_json(port, "/api/v1/query?query=count(up%7Bjob=%22roost%22%7D==1)")["data"]["result"]
        return result and result[0]["value"][1] == "2"

    cluster.eventually("Prometheus scrapes both nodes", sees)
    groups = cluster.get_json(port, "/api/v1/rules")["data"]["groups"]
    assert len(groups) > 2 and all(rule["health"] != "err" for group in groups for rule in group["rules"]), groups
    # The balancer's clients are not shown what the nodes tell Prometheus.
    try:
        cluster.get(BALANCER, "/metrics")
        raise AssertionError("/metrics can be read through the balancer")
    except urllib.error.HTTPError as error:
        assert error.code == 404, error


def steps(people, first, second):
    balancer = f"ws://127.0.0.1:{BALANCER}/ws"
    return {
        "two users talk across two nodes": lambda: talk(1, f"ws://{first}:8080/ws", f"ws://{second}:8080/ws"),
        "two users talk through the balancer": lambda: talk(2, balancer, balancer),
        "three nodes, five, two": lambda: asyncio.run(grow_and_shrink(people)),
        "a node that is asked to stop exits 0": lambda: stops_cleanly(people),
        "a node that is told to drain is replaced": lambda: drains_when_told(people),
        "a killed node is counted out in 8 s": lambda: survives_a_crash(people),
        "new nodes take the place of the old": lambda: is_renewed(people),
        "nodes read their keys again": lambda: reads_keys_again(people),
        "Redis may restart": lambda: survives_redis(people),
        "and they still talk": lambda: talk(3, balancer, balancer),
        "through TLS too": speaks_tls,
        "with a renewed certificate": renews_its_certificate,
        "Prometheus watches them": is_watched,
    }


def timed(name, step):
    started = time.monotonic()
    said = step()
    print(f"  {name}: {time.monotonic() - started:.1f} s{': ' + said if said else ''}", flush=True)


def main():
    seed = random.randrange(1 << 30)
    print(f"  seed {seed}", flush=True)
    is_hardened()
    timed("three nodes count themselves", lambda: counted(nodes=3, online=0))
    first, second, _ = nodes().values()
    members = crowd.people(TALKERS, 3, f"ws://127.0.0.1:{BALANCER}/ws", own_token, 0.3, seed)
    with crowd.Crowd(members) as people:
        people.talk()
        for name, step in steps(people, first, second).items():
            timed(name, step)
        print(f"  all the while: {people.finish(announced_is_fine=True)}", flush=True)


main()
