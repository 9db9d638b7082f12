"""What is read from load generators and logs, and the two that are our own, on real sockets."""

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from parts import load, pauses, swap
from parts.load import script
from parts.machine import Failed, free_port

H2LOAD = """
finished in 2.00s, 32742.50 req/s, 35.47MB/s
requests: 65485 total, 65549 started, 65485 done, 65485 succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {fine} 2xx, 0 3xx, 0 4xx, 0 5xx
"""


class Told(unittest.TestCase):
    def test_h2load_tells_requests_and_rate(self):
        self.assertEqual((65485, 32742.5), load.counted_by_h2load(H2LOAD.format(failed=0, fine=65486), "x"))

    def test_a_request_that_failed_fails_the_measurement(self):
        for failed, fine in ((1, 65485), (0, 65484)):
            with self.assertRaisesRegex(Failed, "for x over HTTP/2 failed"):
                load.counted_by_h2load(H2LOAD.format(failed=failed, fine=fine), "x")

    def test_wrk_tells_requests_and_rate(self):
        self.assertEqual((37, 12.25), load.counted_by_wrk("  37 requests in 3.02s, 1MB read\nRequests/sec:     12.25\n", "x"))

    def test_an_answer_other_than_2xx_fails_the_measurement(self):
        with self.assertRaisesRegex(Failed, "for x failed, so nothing is measured: Non-2xx or 3xx responses: 5"):
            load.counted_by_wrk("  37 requests in 3.02s\nNon-2xx or 3xx responses: 5\nRequests/sec: 12.25\n", "x")

    def test_pauses_are_read_from_the_collectors_log(self):
        log = ("[0.300s][info][gc] Using Serial\n"
               "[1.234s][info][gc] GC(0) Pause Young (Allocation Failure) 8M->4M(28M) 2.345ms\n"
               "[2.000s][info][gc] GC(1) Pause Full (System.gc()) 8M->4M(28M) 11.000ms\n")

        self.assertEqual(["2.345", "11.000"], pauses.PAUSE.findall(log))

    def test_a_grpc_message_begins_with_its_length(self):
        self.assertEqual(b"\0\0\0\4\0" + b"x" * 1024, load.grpc_message(load.BODY).encode())

    def test_the_wide_mesh_has_all_routes_in_one_generation(self):
        text = swap.mesh(8080, 7)

        self.assertEqual(1000, text.count("kind: ServiceEntry"))
        self.assertEqual(10_000, text.count('x-generation: "7"'))

    def test_envoys_wide_mesh_has_the_same_routes(self):
        told = json.loads(swap.envoys_routes(7))

        routes = [route for host in told["resources"][0]["virtual_hosts"] for route in host["routes"]]
        self.assertEqual(10_000, len(routes))
        self.assertEqual({"7"}, {route["response_headers_to_add"][0]["header"]["value"] for route in routes})
        clusters = {cluster["name"] for cluster in json.loads(swap.envoys_clusters(8080))}
        self.assertEqual(clusters, {route["route"]["cluster"] for route in routes})


class Transfers(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        source = subprocess.Popen([*script("transfer"), "source", str(self.port)], stderr=subprocess.DEVNULL)
        self.addCleanup(source.wait)
        self.addCleanup(source.kill)
        until_listening(self.port)

    def take(self, port, through, total):
        return subprocess.run([*script("transfer"), "take", str(port), through, str(total), "3"], capture_output=True, text=True, timeout=60)

    def test_what_was_asked_for_comes_whole(self):
        self.assertEqual(0, self.take(self.port, "-", 3 << 20).returncode)

    def test_who_hangs_up_early_is_a_failure(self):
        with Answering(b"abc") as port:
            taken = self.take(port, "-", 3 << 20)

        self.assertEqual((1, "transfer: 3 bytes of 1048576 came\n"), (taken.returncode, taken.stderr))

    def test_a_connect_that_is_refused_is_a_failure(self):
        with Answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
            taken = self.take(port, "127.0.0.1:9", 3 << 20)

        self.assertEqual(1, taken.returncode)
        self.assertIn("CONNECT 127.0.0.1:9 was answered b'HTTP/1.1 503", taken.stderr)


@unittest.skipUnless(shutil.which("openssl"), "certificates are made by openssl, and there is none")
class Handshakes(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=a",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"], check=True, capture_output=True)
        shutil.copy(self.folder / "cert.pem", self.folder / "root.pem")

    def shake(self, port, how):
        return subprocess.run([*script("handshakes"), str(port), self.folder, "0.5", how], capture_output=True, text=True, timeout=60)

    def test_full_ones_resume_nothing(self):
        with Settings(self.folder) as port:
            told = json.loads(self.shake(port, "full").stdout)

        self.assertGreater(told["connections"], 4)
        self.assertEqual(0, told["resumed"])

    def test_all_but_each_threads_first_are_resumed_where_the_server_does(self):
        with Settings(self.folder) as port:
            told = json.loads(self.shake(port, "resume").stdout)

        self.assertGreater(told["connections"], 8)
        self.assertEqual(told["connections"] - 4, told["resumed"])

    def test_a_server_that_speaks_something_else_is_a_failure(self):
        with Settings(self.folder, b"HTTP/1.1 ") as port:
            done = self.shake(port, "full")

        self.assertEqual(1, done.returncode)
        self.assertIn("not SETTINGS but b'HTTP/1.1 ' came", done.stderr)


class Answering:
    """A server that gives everybody the same bytes and hangs up."""

    def __init__(self, answer):
        self.answer, self.listener = answer, socket.create_server(("127.0.0.1", 0))

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self.listener.getsockname()[1]

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answered, args=(connection,), daemon=True).start()

    def answered(self, connection):
        try:
            with connection:
                connection.recv(65536)
                connection.sendall(self.answer)
                # So that what the client still sends does not reset what it was sent.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        except OSError:
            # The client has gone, which it may.
            pass


class Settings(Answering):
    """One that speaks mutual TLS and answers by an empty SETTINGS frame, or whatever else it is told to."""

    def __init__(self, folder, answer=b"\0\0\0\4\0\0\0\0\0"):
        super().__init__(answer)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.context.load_verify_locations(folder / "root.pem")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.set_alpn_protocols(["h2"])

    def answered(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65536)
                secured.sendall(self.answer)
                secured.recv(65536)
        except OSError:
            # The client has gone, which it may.
            pass


def until_listening(port):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}")


if __name__ == "__main__":
    unittest.main()
