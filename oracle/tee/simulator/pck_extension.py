"""
The SGX extension of a PCK certificate: which platform it is for.

Source: Intel SGX PCK Certificate and Certificate Revocation List Profile Specification 1.5, 1.3.5; the order and the tags are those of the
certificate in the sample TDX quote.
"""

from cryptography import x509

from oracle.tee.simulator import der
from oracle.tee.simulator.hardware import PckCa, Platform

SGX_EXTENSION = "1.2.840.113741.1.13.1"
_STANDARD, _SCALABLE = 0, 1


def pck_extension(platform: Platform, ppid: bytes, instance_id: bytes) -> x509.UnrecognizedExtension:
    """`ppid` and `instance_id` are 16 bytes each; the latter is written for platforms of several packages only."""
    scalable = platform.pck_ca is PckCa.PLATFORM
    fields = [
        _entry("1", der.octets(ppid)),
        _entry("2", _tcb(platform)),
        _entry("3", der.octets(platform.pce_id)),
        _entry("4", der.octets(platform.fmspc)),
        _entry("5", der.enumerated(_SCALABLE if scalable else _STANDARD)),
    ]
    if scalable:
        fields.append(_entry("6", der.octets(instance_id)))
        # Dynamic platform, cached keys, SMT enabled.
        fields.append(_entry("7", der.sequence(*(_entry(f"7.{index}", der.boolean(value=True)) for index in (1, 2, 3)))))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(SGX_EXTENSION), der.sequence(*fields))


def _tcb(platform: Platform) -> bytes:
    components = [_entry(f"2.{index}", der.integer(svn)) for index, svn in enumerate(platform.cpu_svn, start=1)]
    return der.sequence(*components, _entry("2.17", der.integer(platform.pce_svn)), _entry("2.18", der.octets(platform.cpu_svn)))


def _entry(path: str, value: bytes) -> bytes:
    return der.sequence(der.oid(f"{SGX_EXTENSION}.{path}"), value)
