"""Certificates for a cluster of one's own: an authority that signs for this cluster alone, and one identity a node.

Dask checks that a certificate was signed by the authority, and not which name it bears: whoever has one of them belongs
to the cluster. So the authority signs for nothing else, and its key stays where it was made.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

from medimg.errors import MissingPart, OutputError, UsageError
from medimg.system import files, host

_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9.-]{0,62}\Z")
_OWN = ("ca.pem", "ca-key.pem")
_EARLIER = datetime.timedelta(minutes=5)
"""Clocks of the nodes may differ."""


def make(folder: Path, names: list[str], days: int = 365) -> list[Path]:
    """Make an identity for each name; the authority too, the first time.

    Args:
        folder: ``ca.pem`` and ``ca-key.pem`` lie here, and below it a folder for each node.
        names: Host names or addresses of the nodes, or any word for a client.
        days: How long the certificates hold.

    Returns:
        The folders of the nodes, each with ``ca.pem``, ``cert.pem`` and ``key.pem``; copy each to its node.

    Raises:
        UsageError: A name is no host name, or has a folder already, or the authority is none.
        MissingPart: The extra is not installed.
        OutputError: Something could not be written.
    """
    if not names or len({*names, *_OWN}) < len(names) + len(_OWN) or not all(_NAME.match(n) for n in names):
        raise UsageError("each name must be a host name, an address or a word, and stand there once.")
    if any((folder / n).exists() for n in names):
        raise UsageError("one of the names has a certificate already.")
    until = datetime.timedelta(days=days)
    try:
        host.private_folder(folder, parents=True, exist_ok=True)
        authority, signer = _authority(folder, until)
        out = []
        for name in names:
            certificate, key = _signed(name, until, authority, signer)
            place = folder / name
            host.private_folder(place)
            files.write_private(place / "ca.pem", _bytes(authority), new=True)
            files.write_private(place / "cert.pem", _bytes(certificate), new=True)
            files.write_private(place / "key.pem", _key_bytes(key), new=True)
            out.append(place)
    except OSError as error:
        raise OutputError("a folder for certificates could not be made.") from error
    return out


def _authority(folder: Path, until: datetime.timedelta) -> tuple[Any, Any]:
    """The certificate that signs, and its key; made where there is neither.

    Raises:
        UsageError: One of them is not what this command made.
        MissingPart: The extra is not installed.
        OutputError: They could not be written.
    """
    try:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise MissingPart("certificates need the extra: pip install 'medimg[cluster]'.") from error
    own, own_key = (folder / name for name in _OWN)
    if not own.exists() and not own_key.exists():
        certificate, key = _signed("medimg cluster authority", until * 10, None, None)
        files.write_private(own_key, _key_bytes(key), new=True)
        files.write_private(own, _bytes(certificate), new=True)
        return certificate, key
    try:
        certificate = x509.load_pem_x509_certificate(own.read_bytes())
        key = serialization.load_pem_private_key(own_key.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and _public(certificate) == _public(key):
            return certificate, key
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_authority() from error
    raise _no_authority()


def _no_authority() -> UsageError:
    return UsageError(
        "ca.pem and ca-key.pem in this folder are not a certificate that signs and its key.",
        todo="Put both back from a backup, or move them away: then new ones are made, and every node needs a new one.",
    )


def _public(owner: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    data: bytes = owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return data


def _signed(name: str, until: datetime.timedelta, authority: Any, signer: Any) -> tuple[Any, Any]:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    ca = authority is None
    public = authority.public_key() if authority is not None else key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if ca else authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca, 0 if ca else None), critical=True)
        .add_extension(_usage(signs=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    if not ca:
        try:
            host: Any = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            host = x509.DNSName(name)
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    return builder.sign(key if ca else signer, hashes.SHA256()), key


def _usage(*, signs: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _bytes(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    data: bytes = certificate.public_bytes(Encoding.PEM)
    return data


def _key_bytes(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return data
