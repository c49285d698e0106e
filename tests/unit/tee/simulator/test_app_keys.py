"""Keys, signatures and envelopes are dstack's: known answers come from its simulator, its fixture and the Keccak team."""

import json
from pathlib import Path

import pytest
from eth_keys.datatypes import PrivateKey, Signature

from oracle.tee.simulator.app_keys import AppKeys, derive_key
from oracle.tee.simulator.keccak import keccak
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.machine import MachineRefused
from oracle.tee.simulator.report_data import hashed_report_data

RECORDED = json.loads((Path(__file__).parent / "dstack_0_6_0.json").read_text())
APP_KEY = bytes.fromhex(RECORDED["app_key_hex"])  # of dstack's `sdk/simulator/appkeys.json`


@pytest.fixture
def keys(secrets):
    return AppKeys.issued_by_kms(secrets, b"a" * 20)


@pytest.mark.parametrize(
    ("message", "size", "digest"),
    [
        (b"", 32, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"", 48, "2c23146a63a29acf99e73b88f8c24eaa7dc60aa771780ccc006afbfa8fe2479b2dd2b21362337441ac12b515911957ff"),
        (
            b"",
            64,
            "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e",
        ),
    ],
)
def test_keccak_gives_the_published_digests(message, size, digest):
    assert keccak(message, size).hex() == digest


@pytest.mark.parametrize("length", [135, 136, 137, 272])
def test_keccak_changes_with_every_length_around_a_block(length):
    assert len({keccak(bytes(n)) for n in range(length - 1, length + 2)}) == 3


def test_the_apps_key_signs_a_derived_key_as_recorded():
    recorded = RECORDED["key"]
    public = PrivateKey(bytes.fromhex(recorded["key"])).public_key.to_compressed_bytes().hex()
    assert PrivateKey(APP_KEY).sign_msg_hash(keccak(f"signing:{public}".encode())).to_bytes().hex() == recorded["signature_chain"][0]


def test_a_key_is_the_same_for_its_path_and_another_for_every_other(keys, secrets):
    again = AppKeys.issued_by_kms(secrets, b"a" * 20)
    assert keys.get_key("a", "", "").key == again.get_key("a", "other purpose", "").key
    other_app = AppKeys.issued_by_kms(secrets, b"b" * 20).get_key("a", "", "").key
    other_seed = AppKeys.issued_by_kms(Secrets.from_text("other"), b"a" * 20).get_key("a", "", "").key
    assert len({keys.get_key("a", "", "").key, keys.get_key("b", "", "").key, other_app, other_seed}) == 4


@pytest.mark.parametrize("algorithm", ["", "k256", "secp256k1"])
def test_the_chain_leads_from_a_key_to_the_root_of_the_kms(keys, secrets, algorithm):
    derived = keys.get_key("path", "purpose", algorithm)
    public = PrivateKey(derived.key).public_key.to_compressed_bytes().hex()
    app = Signature(derived.signature_chain[0]).recover_public_key_from_msg_hash(keccak(f"purpose:{public}".encode()))
    issued = keccak(b"dstack-kms-issued:" + b"a" * 20 + app.to_compressed_bytes())
    root = PrivateKey(secrets.bytes_for("KMS root, secp256k1", 32)).public_key
    assert Signature(derived.signature_chain[1]).recover_public_key_from_msg_hash(issued) == root


def test_keys_are_derived_as_dstack_derives_them():
    # HKDF-SHA256 with salt RATLS, computed by OpenSSL: openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:<app key>
    # -kdfopt salt:RATLS -kdfopt info:path HKDF
    assert derive_key(APP_KEY, b"path").hex() == "e8c109adb60ad1ee2c13c4979b59f399a94fa035c90d958443359c29992c95fc"


@pytest.mark.parametrize("algorithm", ["ed25519", "secp256k1", "k256", "secp256k1_prehashed"])
def test_a_signature_holds_for_its_data_alone(keys, algorithm):
    signed = keys.sign(algorithm, b"d" * 32)
    assert keys.verify(algorithm, b"d" * 32, signed.signature, signed.public_key)
    assert not keys.verify(algorithm, b"e" * 32, signed.signature, signed.public_key)
    assert signed.signature_chain[0] == signed.signature


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda keys: keys.get_key("", "", "rsa"), "Unsupported algorithm"),
        (lambda keys: keys.sign("rsa", b""), "Unsupported algorithm"),
        (lambda keys: keys.sign("secp256k1_prehashed", b"short"), "32-byte digest, but received 5 bytes"),
        (lambda keys: keys.verify("rsa", b"", b"", b""), "Unsupported algorithm"),
        (lambda keys: keys.verify("ed25519", b"", bytes(64), b"short"), "32 bytes"),
        (lambda keys: keys.verify("secp256k1", b"", b"short", b""), "64 bytes, this one 5"),
        (lambda keys: keys.verify("secp256k1", b"", bytes(64), b"no point"), "point"),
    ],
)
def test_what_the_agent_does_not_do_is_refused(keys, call, reason):
    with pytest.raises(MachineRefused, match=reason):
        call(keys)


@pytest.mark.parametrize(
    "algorithm", ["sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512", "keccak256", "keccak384", "keccak512"]
)
def test_report_data_of_the_03_interface_fills_64_bytes(algorithm):
    hashed = hashed_report_data(b"content", algorithm, "app-data")
    assert len(hashed) == 64
    assert any(hashed[:32])


def test_report_data_of_the_03_interface_is_hashed_as_dstack_hashes_it():
    # dstack-attest/src/attestation.rs, test_to_report_data_with_hash
    assert hashed_report_data(b"test content", "sha512", "app-data").hex() == (
        "7ea0b744ed5e9c0c83ff9f575668e1697652cd349f2027cdf26f918d4c53e8cd50b5ea9b449b4c3d50e20ae00ec29688d5a214e8daff8a10041f5d624dae8a01"
    )


@pytest.mark.parametrize("data", [b"", bytes(63), bytes(65)], ids=len)
def test_raw_report_data_has_64_bytes(data):
    assert hashed_report_data(bytes(64), "raw", "") == bytes(64)
    with pytest.raises(MachineRefused, match="invalid content length"):
        hashed_report_data(data, "raw", "")


def test_an_unknown_hash_is_refused():
    with pytest.raises(MachineRefused, match="invalid hash algorithm"):
        hashed_report_data(b"", "md5", "")
