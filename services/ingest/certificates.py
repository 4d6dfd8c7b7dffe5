"""Whom an encrypted connection leads to: certificates that are vouched for, or that somebody has accepted."""

import hashlib
import socket
import ssl
import tempfile
from functools import cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.x509.oid import NameOID

from mien.contracts.camera_status import ShownCertificate
from mien.contracts.cameras import Camera
from services.ingest.address import Place
from services.ingest.config import IngestSettings


class UntrustedError(Exception):
    """Nobody vouches for the certificate that the camera shows, and nobody has accepted it.

    Attributes:
        shown: What it shows; None when that can't be told.
    """

    def __init__(self, words: str, shown: ShownCertificate | None = None) -> None:
        super().__init__(words)
        self.shown = shown


def ca_file(settings: IngestSettings) -> str:
    """Return the file of the authorities that are trusted: the setting's, else Mozilla's."""
    return str(settings.ca_file or certifi.where())


def tls_options(camera: Camera, place: Place, settings: IngestSettings) -> dict[str, str]:
    """Return FFmpeg's options for an encrypted connection; none for another.

    A certificate that somebody has accepted is fetched, compared with its fingerprint and made the only one
    that is trusted, under the name that it bears itself: FFmpeg can't compare fingerprints.

    Raises:
        UntrustedError: The camera shows another certificate than the accepted one.
        OSError: The camera can't be reached.
    """
    if not place.is_encrypted:
        return {}
    if camera.certificate_sha256 is None:
        return {"tls_verify": "1", "ca_file": ca_file(settings), "verifyhost": place.host}
    certificate = accepted_certificate(camera, place, settings)
    return {
        "tls_verify": "1",
        "ca_file": str(_keep(ssl.DER_cert_to_PEM_cert(certificate))),
        "verifyhost": _names_of(x509.load_der_x509_certificate(certificate))[0],
    }


def tls_context(camera: Camera, place: Place, settings: IngestSettings) -> ssl.SSLContext:
    """Return the same for Python's own connections.

    Raises:
        UntrustedError: The camera shows another certificate than the accepted one.
        OSError: The camera can't be reached.
    """
    if camera.certificate_sha256 is None or not place.is_encrypted:
        return ssl.create_default_context(cafile=ca_file(settings))
    certificate = accepted_certificate(camera, place, settings)
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(certificate))
    # It is this very certificate or none, so that its names say nothing more.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def accepted_certificate(camera: Camera, place: Place, settings: IngestSettings) -> bytes:
    """Fetch a camera's certificate and compare it with the one that was accepted; DER.

    Raises:
        UntrustedError: It is another one.
        OSError: The camera can't be reached.
    """
    certificate = _fetch(place, settings)
    if hashlib.sha256(certificate).hexdigest() != camera.certificate_sha256:
        words = "the camera shows another certificate than the one that was accepted"
        raise UntrustedError(words, describe(certificate))
    return certificate


def check_certificate(place: Place, settings: IngestSettings) -> None:
    """Find out whether it was the certificate because of which an encrypted connection was not made.

    Raises:
        UntrustedError: It was.
    """
    context = ssl.create_default_context(cafile=ca_file(settings))
    try:
        with (
            socket.create_connection((place.ip, place.port), settings.open_timeout_seconds) as plain,
            context.wrap_socket(plain, server_hostname=place.host),
        ):
            return
    except ssl.SSLCertVerificationError as error:
        words = f"nobody vouches for the camera's certificate: {error.verify_message}"
        raise UntrustedError(words, describe(_fetch(place, settings))) from error
    except OSError:
        return  # it was something else, which the connection itself has told


def describe(certificate: bytes) -> ShownCertificate:
    """Return what people can tell a certificate by; DER."""
    parsed = x509.load_der_x509_certificate(certificate)
    return ShownCertificate(
        sha256=hashlib.sha256(certificate).hexdigest(),
        subject=", ".join(_names_of(parsed))[:200],
        not_after=parsed.not_valid_after_utc.date().isoformat(),
    )


def _fetch(place: Place, settings: IngestSettings) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((place.ip, place.port), settings.open_timeout_seconds) as plain,
        context.wrap_socket(plain, server_hostname=place.host) as encrypted,
    ):
        certificate = encrypted.getpeercert(binary_form=True)
    if certificate is None:
        raise UntrustedError("the camera shows no certificate")
    return certificate


def _names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names that a certificate bears, at least one, those that are checked first."""
    names: list[str] = []
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += alternatives.get_values_for_type(x509.DNSName)
        names += [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]
    except (x509.ExtensionNotFound, ValueError):
        pass
    names += [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return names or ["(without a name)"]


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="mien-certificates-"))


def _keep(pem: str) -> Path:
    """Write a certificate where FFmpeg can read it."""
    path = _folder() / f"{hashlib.sha256(pem.encode()).hexdigest()}.pem"
    path.write_text(pem)
    return path
