"""
dstack's guest agent: what it answers, method by method, for the current interface and the one of dstack 0.3.

Answers are JSON objects in dstack's names, bytes as hex without 0x.

Source: dstack's `agent_rpc.proto` and `rpc_service.rs`; answers recorded from its simulator 0.6.0.
"""

import hashlib
import json
from collections.abc import Callable

from oracle.tee.simulator.agent_arguments import (
    Arguments,
    DeriveKeyArguments,
    EventArguments,
    KeyArguments,
    NoArguments,
    QuoteArguments,
    SignArguments,
    TdxQuoteArguments,
    TlsKeyArguments,
    VerifyArguments,
)
from oracle.tee.simulator.app_certificates import AppCertificates, CertificateRequest, TlsKey
from oracle.tee.simulator.app_keys import AppKeys
from oracle.tee.simulator.attestation import attestation, stripped
from oracle.tee.simulator.events import log_json
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.machine import Machine
from oracle.tee.simulator.report_data import APP_DATA, DEFAULT_HASH, RAW, hashed_report_data
from oracle.tee.simulator.reports import REPORT_DATA_BYTES

Answer = dict[str, object]
VERSION, REVISION = "0.6.0", "near-compute-oracle-simulator"
_DEVICE_ID = hashlib.sha256(b"").hexdigest()
"""As recorded: the agent does not know its device."""


class GuestAgent:
    """Answers for one machine; what it refuses it raises as MachineRefused."""

    def __init__(self, secrets: Secrets, machine: Machine) -> None:
        self._machine = machine
        self._keys = AppKeys.issued_by_kms(secrets, machine.app_id)
        self._certificates = AppCertificates(secrets, self._certificate_attestation)
        self._app_cert: str | None = None

    def get_quote(self, asked: QuoteArguments) -> Answer:
        """A quote over up to 64 bytes."""
        return {
            "quote": self._machine.quote(asked.report_data).hex(),
            "event_log": log_json(self._machine.events),
            "report_data": asked.report_data.ljust(REPORT_DATA_BYTES, b"\0").hex(),
            "vm_config": self._machine.vm_config_json,
        }

    def attest(self, asked: QuoteArguments) -> Answer:
        """A quote in dstack's envelope."""
        quote = self._machine.quote(asked.report_data)
        report_data = asked.report_data.ljust(REPORT_DATA_BYTES, b"\0")
        return {"attestation": attestation(quote, self._machine.events, report_data, self._config_json()).hex()}

    def info(self, _asked: NoArguments) -> Answer:
        """Who the machine is, and its measurements."""
        machine, compose = self._machine, self._machine.options.compose
        if self._app_cert is None:
            request = CertificateRequest(subject="demo-cert", client_auth=True, ra_tls=True)
            self._app_cert = "\n".join(self._certificates.issue(Secrets.random().p256_key_for("demo"), request).chain_pem)
        shared: Answer = {
            "mr_aggregated": machine.mr_aggregated.hex(),
            "os_image_hash": machine.options.image.os_image_hash.hex(),
            "compose_hash": compose.sha256.hex(),
            "device_id": _DEVICE_ID,
        }
        return {
            "app_id": machine.app_id.hex(),
            "instance_id": machine.instance_id.hex(),
            "app_cert": self._app_cert,
            "tcb_info": self._tcb_info(shared),
            "app_name": compose.name,
            **shared,
            "key_provider_info": machine.key_provider_json,
            "vm_config": machine.vm_config_json,
            "cloud_vendor": "",
            "cloud_product": "",
        }

    def get_key(self, asked: KeyArguments) -> Answer:
        """A key by its path."""
        derived = self._keys.get_key(asked.path, asked.purpose, asked.algorithm)
        return {"key": derived.key.hex(), "signature_chain": [one.hex() for one in derived.signature_chain]}

    def get_tls_key(self, asked: TlsKeyArguments) -> Answer:
        """A fresh TLS key and its certificate."""
        return _tls_answer(self._certificates.issue(Secrets.random().p256_key_for("TLS key"), _certificate_request(asked)))

    def sign(self, asked: SignArguments) -> Answer:
        """Sign with the app's signing key."""
        signed = self._keys.sign(asked.algorithm, asked.data)
        chain = [one.hex() for one in signed.signature_chain]
        return {"signature": signed.signature.hex(), "signature_chain": chain, "public_key": signed.public_key.hex()}

    def verify(self, asked: VerifyArguments) -> Answer:
        """Check a signature."""
        return {"valid": self._keys.verify(asked.algorithm, asked.data, asked.signature, asked.public_key)}

    def emit_event(self, asked: EventArguments) -> Answer:
        """Extend RTMR3."""
        self._machine.emit(asked.event, asked.payload)
        return {}

    def gpu_info(self, _asked: NoArguments) -> Answer:
        """There is no GPU."""
        return {"attestation": ""}

    def version(self, _asked: NoArguments) -> Answer:
        """The interface that is answered, and who answers."""
        return {"version": VERSION, "rev": REVISION}

    def tdx_quote(self, asked: TdxQuoteArguments) -> Answer:
        """0.3: a quote over a hash of the data."""
        algorithm, tag = asked.hash_algorithm or DEFAULT_HASH, asked.prefix or APP_DATA
        quote = self._machine.quote(hashed_report_data(asked.report_data, algorithm, tag))
        prefix = "" if algorithm == RAW else tag
        return {"quote": quote.hex(), "event_log": log_json(self._machine.events), "hash_algorithm": algorithm, "prefix": prefix}

    def raw_quote(self, asked: QuoteArguments) -> Answer:
        """0.3: a quote over 64 bytes."""
        return self.tdx_quote(TdxQuoteArguments(report_data=asked.report_data, hash_algorithm=RAW))

    def derive_key(self, asked: DeriveKeyArguments) -> Answer:
        """0.3: a TLS key by its path."""
        secrets = Secrets.random() if asked.random_seed else Secrets(self._keys.tls_seed(asked.path))
        return _tls_answer(self._certificates.issue(secrets.p256_key_for("TLS key"), _certificate_request(asked)))

    def derive_k256_key(self, asked: KeyArguments) -> Answer:
        """0.3: a key by its path."""
        derived = self._keys.get_key(asked.path, asked.purpose, asked.algorithm)
        return {"k256_key": derived.key.hex(), "k256_signature_chain": [one.hex() for one in derived.signature_chain]}

    def _tcb_info(self, shared: Answer) -> str:
        of = self._machine.measurements
        registers = {"rtmr0": of.rt_mr0.hex(), "rtmr1": of.rt_mr1.hex(), "rtmr2": of.rt_mr2.hex(), "rtmr3": of.rt_mr3.hex()}
        log = [event.as_json() for event in self._machine.events]
        text = self._machine.options.compose.text
        return json.dumps({"mrtd": of.mr_td.hex(), **registers, **shared, "event_log": log, "app_compose": text}, indent=2)

    def _certificate_attestation(self, report_data: bytes) -> bytes:
        return attestation(self._machine.quote(report_data), stripped(self._machine.events), report_data, self._config_json())

    def _config_json(self) -> str:
        return json.dumps({"vm_config": self._machine.vm_config_json}, separators=(",", ":"))


def _certificate_request(asked: TlsKeyArguments) -> CertificateRequest:
    return CertificateRequest(
        subject=asked.subject,
        alt_names=tuple(asked.alt_names),
        ra_tls=asked.usage_ra_tls,
        server_auth=asked.usage_server_auth,
        client_auth=asked.usage_client_auth,
        not_before_s=asked.not_before,
        not_after_s=asked.not_after,
    )


def _tls_answer(issued: TlsKey) -> Answer:
    return {"key": issued.key_pem, "certificate_chain": list(issued.chain_pem)}


CURRENT: dict[str, tuple[type[Arguments], Callable[..., Answer]]] = {
    "GetQuote": (QuoteArguments, GuestAgent.get_quote),
    "Attest": (QuoteArguments, GuestAgent.attest),
    "Info": (NoArguments, GuestAgent.info),
    "GetKey": (KeyArguments, GuestAgent.get_key),
    "GetTlsKey": (TlsKeyArguments, GuestAgent.get_tls_key),
    "Sign": (SignArguments, GuestAgent.sign),
    "Verify": (VerifyArguments, GuestAgent.verify),
    "EmitEvent": (EventArguments, GuestAgent.emit_event),
    "GpuInfo": (NoArguments, GuestAgent.gpu_info),
    "Version": (NoArguments, GuestAgent.version),
}
"""Methods at `/NAME`: what they take and who answers."""

TAPPD: dict[str, tuple[type[Arguments], Callable[..., Answer]]] = {
    "TdxQuote": (TdxQuoteArguments, GuestAgent.tdx_quote),
    "RawQuote": (QuoteArguments, GuestAgent.raw_quote),
    "DeriveKey": (DeriveKeyArguments, GuestAgent.derive_key),
    "DeriveK256Key": (KeyArguments, GuestAgent.derive_k256_key),
    "Info": (NoArguments, GuestAgent.info),
    "Version": (NoArguments, GuestAgent.version),
}
"""Methods of dstack 0.3 at `/prpc/Tappd.NAME`."""
