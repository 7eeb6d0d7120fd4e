"""Self-signed certificates made on the spot, so that no private key lies in the repository.

Written with nothing but the standard library, which can check certificates and not make them:
an ECDSA key on the curve P-256 and just enough DER for one certificate (RFC 5280, SEC 1). It has
what the strict checks of Python 3.13 ask for. Not for anything but tests: the arithmetic takes no
care to run in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
from datetime import datetime, timedelta, timezone

# The curve P-256: its prime, the order of its generator, the generator.
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_P256 = "1.2.840.10045.3.1.7"
_COMMON_NAME = "2.5.4.3"
_SUBJECT_KEY_ID = "2.5.29.14"
_KEY_USAGE = "2.5.29.15"
_ALTERNATIVE_NAMES = "2.5.29.17"
_BASIC_CONSTRAINTS = "2.5.29.19"
_AUTHORITY_KEY_ID = "2.5.29.35"


def self_signed(host: str) -> tuple[str, str]:
    """Return a certificate for ``host``, a name or an IP address, and its key, both as PEM."""
    private = secrets.randbelow(_N - 1) + 1
    public = _point_bytes(_multiply(private, _G))
    algorithm = _sequence(_oid(_ECDSA_WITH_SHA256))
    name = _sequence(_set(_sequence(_oid(_COMMON_NAME), _tlv(0x0C, b"Test of claude-client"))))
    now = datetime.now(timezone.utc)
    key_id = hashlib.sha1(public).digest()
    body = _sequence(
        _tlv(0xA0, _integer(2)),  # version 3
        _integer(secrets.randbits(63) + 1),
        algorithm,
        name,
        _sequence(_time(now - timedelta(days=1)), _time(now + timedelta(days=1))),
        name,
        _sequence(_sequence(_oid(_EC_PUBLIC_KEY), _oid(_P256)), _bits(public)),
        _tlv(
            0xA3,
            _sequence(
                _extension(_BASIC_CONSTRAINTS, _sequence(_tlv(0x01, b"\xff")), critical=True),
                # digitalSignature and keyCertSign.
                _extension(_KEY_USAGE, _tlv(0x03, b"\x02\x84"), critical=True),
                _extension(_ALTERNATIVE_NAMES, _sequence(_general_name(host))),
                _extension(_SUBJECT_KEY_ID, _tlv(0x04, key_id)),
                _extension(_AUTHORITY_KEY_ID, _sequence(_tlv(0x80, key_id))),
            ),
        ),
    )
    certificate = _sequence(body, algorithm, _bits(_sign(private, body)))
    key = _sequence(
        _integer(1),
        _tlv(0x04, private.to_bytes(32, "big")),
        _tlv(0xA0, _oid(_P256)),
        _tlv(0xA1, _bits(public)),
    )
    return _pem("CERTIFICATE", certificate), _pem("EC PRIVATE KEY", key)


def _sign(private: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    nonce = secrets.randbelow(_N - 1) + 1
    r = _multiply(nonce, _G)[0] % _N
    s = pow(nonce, -1, _N) * (digest + r * private) % _N
    return _sequence(_integer(r), _integer(s))


def _add(left: tuple[int, int] | None, right: tuple[int, int]) -> tuple[int, int]:
    if left is None:
        return right
    (x1, y1), (x2, y2) = left, right
    if left == right:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P) % _P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P) % _P
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


def _multiply(factor: int, point: tuple[int, int]) -> tuple[int, int]:
    total: tuple[int, int] | None = None
    while factor:
        if factor & 1:
            total = _add(total, point)
        point = _add(point, point)
        factor >>= 1
    assert total is not None
    return total


def _point_bytes(point: tuple[int, int]) -> bytes:
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _set(*parts: bytes) -> bytes:
    return _tlv(0x31, b"".join(parts))


def _bits(content: bytes) -> bytes:
    return _tlv(0x03, b"\x00" + content)


def _integer(value: int) -> bytes:
    # One more bit than it needs: the first one is the sign.
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        content += bytes(reversed(groups))
    return _tlv(0x06, bytes(content))


def _time(moment: datetime) -> bytes:
    return _tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _sequence(_oid(oid), _tlv(0x01, b"\xff") if critical else b"", _tlv(0x04, value))


def _general_name(host: str) -> bytes:
    try:
        return _tlv(0x87, ipaddress.ip_address(host).packed)
    except ValueError:
        return _tlv(0x82, host.encode("ascii"))


def _pem(kind: str, der: bytes) -> str:
    text = base64.encodebytes(der).decode("ascii")
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"
