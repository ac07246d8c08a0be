"""Asks services whether they are healthy, and the far side of the uplink whether it answers."""

import http.client
import json
import os
import socket
import struct
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_HEALTH_PATIENCE_S = 2.0
_PING_PATIENCE_S = 1.0
_ECHO_REQUEST, _ECHO_REPLY = 8, 0


@dataclass(frozen=True, slots=True)
class Health:
    """What a service says of itself."""

    healthy: bool
    detail: str


def ask_health(url: str) -> Health:
    """GET the URL; healthy is an answer of 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_HEALTH_PATIENCE_S)
    try:
        connection.request("GET", parts.path or "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(65536)
    except (OSError, http.client.HTTPException) as error:
        return Health(False, f"{url} does not answer: {getattr(error, 'strerror', None) or error}")
    finally:
        connection.close()
    return Health(answer.status == 200, health_detail(body, answer.status))


def health_detail(body: bytes, status: int) -> str:
    """The `detail` of our own services' answer, or its `status`, or the HTTP status where it is no such answer."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return "" if status == 200 else f"answers with HTTP {status}"
    return str(document.get("detail") or document.get("status") or "")


def ping(target: str) -> float | None:
    """Round trip in ms of one ICMP echo to an IPv4 address; None where nothing comes back within a second."""
    try:
        with _icmp_socket() as icmp:
            icmp.connect((target, 0))
            identity, started = os.urandom(8), time.monotonic()
            icmp.send(_echo_request(identity))
            while (left := started + _PING_PATIENCE_S - time.monotonic()) > 0:
                icmp.settimeout(left)
                if _answers(icmp.recv(1024), identity):
                    return round((time.monotonic() - started) * 1000, 3)
    except OSError:
        pass
    return None


def _answers(packet: bytes, identity: bytes) -> bool:
    """A raw socket gives the IP header too, and everyone else's answers."""
    icmp = packet[(packet[0] & 0xF) * 4 :] if packet[:1] and packet[0] >> 4 == 4 else packet
    return icmp[:1] == bytes([_ECHO_REPLY]) and icmp[8:] == identity


def _icmp_socket() -> socket.socket:
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except PermissionError:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def _echo_request(payload: bytes) -> bytes:
    number = os.getpid() & 0xFFFF
    packet = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, number, 1) + payload
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    total = (total >> 16) + (total & 0xFFFF)
    return struct.pack("!BBHHH", _ECHO_REQUEST, 0, ~(total + (total >> 16)) & 0xFFFF, number, 1) + payload
