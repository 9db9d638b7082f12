"""Bytes that are no HTTP: a source of them, and who takes them. Run as a script, on a core of its own.

  transfer.py source PORT                               sends whoever connects as many bytes as the eight that it gets first say
  transfer.py take PORT THROUGH TOTAL CONNECTIONS       takes so many in all, by CONNECT to THROUGH unless that is -
"""

import socket
import sys
import threading

CHUNK = 1 << 18


def source(port):
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=send, args=(connection,), daemon=True).start()


def send(connection):
    with connection:
        asked = exactly(connection, 8)
        left, chunk = int.from_bytes(asked, "big"), memoryview(b"\0" * CHUNK)
        while left:
            part = min(left, CHUNK)
            connection.sendall(chunk[:part])
            left -= part


def exactly(connection, size):
    read = b""
    while len(read) < size:
        part = connection.recv(size - len(read))
        if not part:
            raise EOFError(f"{len(read)} bytes of {size} came")
        read += part
    return read


def take(port, through, size):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        if through != "-":
            connection.sendall(f"CONNECT {through} HTTP/1.1\r\nHost: {through}\r\n\r\n".encode())
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += exactly(connection, 1)
            if b" 200 " not in answer.split(b"\r\n")[0] + b" ":
                raise EOFError(f"CONNECT {through} was answered {answer!r}")
        connection.sendall(size.to_bytes(8, "big"))
        taken, room = 0, bytearray(CHUNK)
        while taken < size:
            part = connection.recv_into(room)
            if not part:
                raise EOFError(f"{taken} bytes of {size} came")
            taken += part


def main(words):
    if words[0] == "source":
        source(int(words[1]))
    port, through, total, connections = int(words[1]), words[2], int(words[3]), int(words[4])
    wrong = []

    def one():
        try:
            take(port, through, total // connections)
        except (OSError, EOFError) as failure:
            wrong.append(failure)
    takers = [threading.Thread(target=one) for _ in range(connections)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    if wrong:
        sys.exit(f"transfer: {wrong[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
