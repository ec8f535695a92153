"""An https server for tests: a key set, and every way of not sending one.

    keys.py FOLDER

makes a certificate of its own in FOLDER (ca.pem, for 127.0.0.1; other.pem, for another name), prints two ports, one
with each, and serves FOLDER/keys.json until its standard input ends, and then removes FOLDER. Every request adds its path to FOLDER/requests.
"""

import http.server
import pathlib
import shutil
import ssl
import subprocess
import sys
import threading
import time

FOLDER = pathlib.Path(sys.argv[1])


def certificate(name, subject):
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=" + name, "-addext", "subjectAltName=" + subject]
    made += ["-keyout", str(FOLDER / f"{name}.key"), "-out", str(FOLDER / f"{name}.pem")]
    subprocess.run(made, check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def start(self, status, *headers):
        self.close_connection = True
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def body(self, status, body, *headers):
        self.start(status, ("Content-Length", str(len(body))), *headers)
        self.wfile.write(body)

    def do_GET(self):
        with open(FOLDER / "requests", "a") as log:
            log.write(self.path + "\n")
        try:
            getattr(self, self.path.strip("/"))()
        except (OSError, ssl.SSLError):
            pass  # the client had enough

    def keys(self):
        self.body(200, (FOLDER / "keys.json").read_bytes())

    def held(self):
        """Answers when the file `go` is there."""
        while not (FOLDER / "go").exists():
            time.sleep(0.005)
        self.keys()

    def error(self):
        self.body(500, (FOLDER / "keys.json").read_bytes())

    def redirect(self):
        self.body(302, b"", ("Location", "/keys"))

    def moved(self):
        self.body(308, (FOLDER / "keys.json").read_bytes(), ("Location", "/keys"))

    def large(self):
        self.body(200, (FOLDER / "keys.json").read_bytes().ljust(300 * 1024))

    def largest(self):
        self.body(200, (FOLDER / "keys.json").read_bytes().ljust(256 * 1024))

    def endless(self):
        self.start(200)
        while True:
            self.wfile.write(b" " * 65536)

    def swollen(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-Header: " + b"x" * 1000 + b"\r\n")

    def slow(self):
        self.start(200, ("Content-Length", "1000"))
        while True:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def silent(self):
        threading.Event().wait()

    def empty(self):
        self.body(200, b"")

    def html(self):
        self.body(200, b"<html>not today</html>")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that do not believe us, and paths that are meant to fail


def serve(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / f"{name}.pem", FOLDER / f"{name}.key")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


certificate("ca", "IP:127.0.0.1")
certificate("other", "DNS:other.example")
print(serve("ca"), serve("other"), flush=True)
sys.stdin.read()
shutil.rmtree(FOLDER, ignore_errors=True)
