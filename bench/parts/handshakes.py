"""New connections of mutual TLS 1.3, one after the other on each of a few threads. Run as a script, on a core of its own.

  handshakes.py PORT CERTIFICATES SECONDS full|resume

CERTIFICATES has cert.pem, key.pem and root.pem of the caller. A connection counts once the server has answered HTTP/2's preface: before
that TLS 1.3 lets a client believe in a handshake that the server still refuses. Prints {"connections": …, "resumed": …}.
"""

import json
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

THREADS = 4
# Its connection preface, and SETTINGS without any.
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS = 4


def caller(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # Who a workload is stands in its URI, not in a host name.
    context.check_hostname = False
    context.load_verify_locations(folder / "root.pem")
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    context.set_alpn_protocols(["h2"])
    return context


def connect(context, port, session):
    """One connection: the session to resume by the next one, and whether this one was resumed."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain, session=session) as connection:
        connection.sendall(HELLO)
        frame = connection.recv(9)
        if len(frame) < 4 or frame[3] != SETTINGS:
            raise EOFError(f"not SETTINGS but {frame!r} came, with ALPN {connection.selected_alpn_protocol()}")
        return connection.session, connection.session_reused


def main(words):
    port, folder, seconds, resume = int(words[0]), Path(words[1]), float(words[2]), words[3] == "resume"
    end = time.monotonic() + seconds
    counts, wrong = [], []

    def one():
        context, session, made, resumed = caller(folder), None, 0, 0
        try:
            while time.monotonic() < end:
                last, reused = connect(context, port, session)
                session = last if resume else None
                made, resumed = made + 1, resumed + reused
        except (OSError, EOFError) as failure:
            wrong.append(failure)
        counts.append((made, resumed))
    threads = [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        sys.exit(f"handshakes: {wrong[0]}")
    print(json.dumps({"connections": sum(made for made, _ in counts), "resumed": sum(resumed for _, resumed in counts)}))


if __name__ == "__main__":
    main(sys.argv[1:])
