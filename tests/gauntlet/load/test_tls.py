"""TLS: a trusted server is loaded as any other, an untrusted one is a failure with a code."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shipworthy.gauntlet.load.engine import offer
from shipworthy.gauntlet.load.plan import PlanRefused
from tests.gauntlet.load.servers import OK, plan_of


@dataclass(frozen=True)
class Secure:
    url: str
    ca: str


@asynccontextmanager
async def secure(folder: Path) -> AsyncIterator[Secure]:
    """Serve over TLS with a certificate of our own for 127.0.0.1 and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password)
    file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(OK)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield Secure(f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}", str(file))
    finally:
        listening.close()


async def test_a_server_whose_authority_is_named_is_loaded_over_tls(tmp_path: Path) -> None:
    async with secure(tmp_path) as server:
        for trust in ({"tls_ca": server.ca}, {"tls_insecure": True}):
            result = await offer(replace(plan_of(server.url), **trust))
            assert (result.journey("visit").failures, result.journey("visit").requests) == ({}, 25)
            assert result.connections_opened < 25  # kept alive


async def test_a_certificate_nobody_vouches_for_and_a_server_without_tls_are_failures(tmp_path: Path) -> None:
    async with secure(tmp_path) as server:
        result = await offer(plan_of(server.url))
        assert result.journey("visit").failures == {"untrusted": 25}
    listening = await asyncio.start_server(_plain, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        result = await offer(replace(plan_of(f"https://127.0.0.1:{port}"), tls_insecure=True))
    finally:
        listening.close()
    assert set(result.journey("visit").failures) <= {"untrusted", "refused"}
    assert result.journey("visit").exceedances == 25


async def _plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def test_trust_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    plan = plan_of("https://127.0.0.1:1")
    with pytest.raises(PlanRefused, match=r"tls_ca '/nothing\.pem' cannot be read"):
        await offer(replace(plan, tls_ca="/nothing.pem"))
    with pytest.raises(PlanRefused, match="this machine only"):
        await offer(replace(plan, tls_insecure=True, allow_remote=True))
