"""Keys follow from the seed and the purpose, fill their whole range, and do not show."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from oracle.tee.simulator.keys import Secrets


def private_number(secrets: Secrets, purpose: str) -> int:
    return secrets.p256_key_for(purpose).private.private_numbers().private_value


def test_a_key_follows_from_seed_and_purpose():
    one, two = Secrets.from_text("a"), Secrets.from_text("a")
    assert private_number(one, "p") == private_number(two, "p")
    assert len({private_number(one, "p"), private_number(one, "q"), private_number(Secrets.from_text("b"), "p")}) == 3


def test_keys_fill_their_whole_range():
    numbers = [private_number(Secrets.from_text("a"), str(n)) for n in range(64)]
    assert all(number >> 200 for number in numbers)
    assert all(any(number >> bit & 1 for number in numbers) for bit in range(256))


def test_a_signature_is_r_and_s_of_32_bytes_each_and_holds():
    key = Secrets.from_text("a").p256_key_for("p")
    for message in (bytes([n]) for n in range(64)):
        signature = key.sign(message)
        assert len(signature) == 64
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        key.private.public_key().verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def test_the_public_bytes_are_the_point():
    key = Secrets.from_text("a").p256_key_for("p")
    numbers = key.private.public_key().public_numbers()
    assert key.public_bytes == numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def test_no_secret_shows():
    secrets = Secrets.from_text("a")
    assert secrets.seed.hex() not in repr(secrets)
    assert repr(secrets) == "Secrets()"
    assert repr(secrets.p256_key_for("p")) == "SigningKey()"
