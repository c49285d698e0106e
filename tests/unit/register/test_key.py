import base58
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from oracle.near import SigningKey


def test_a_made_key_signs_shows_nothing_and_is_made_only_once():
    key, other = SigningKey.generate("worker.near"), SigningKey.generate("worker.near")
    assert key.public_key != other.public_key
    assert key.public_key == "ed25519:" + base58.b58encode(key.public_bytes).decode()
    Ed25519PublicKey.from_public_bytes(key.public_bytes).verify(key.sign(b"receipt"), b"receipt")
    for text in (repr(key), str(key), f"{key!r}"):
        assert text == f"SigningKey(account_id='worker.near', public_key='{key.public_key}')"
