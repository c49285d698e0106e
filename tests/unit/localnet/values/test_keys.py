import base58
import pytest
from nacl.signing import SigningKey

from localnet.values.keys import KeyPair, PublicKey

# near-crypto 0.38, signature.rs, tests: SecretKey::from_seed(ED25519, "test")
NEAR_TEST_PUBLIC = "ed25519:DcA2MzgpJbrUATQLLceocVckhhAqrkingax4oJ9kZ847"
NEAR_TEST_SECRET = "ed25519:3KyUuch8pYP47krBq4DosFEVBMR5wDTMQ8AThzM8kAEcBQEpsPdYTZ2FPX5ZnSoLrerjwg66hwwJaW1wHzprd5k3"


def test_a_key_made_from_a_name_is_the_one_nearcore_makes():
    pair = KeyPair.from_seed("test")
    assert (str(pair.public_key), pair.secret_key) == (NEAR_TEST_PUBLIC, NEAR_TEST_SECRET)


def test_a_secret_key_is_read_back():
    assert KeyPair.parse(NEAR_TEST_SECRET) == KeyPair.from_seed("test")


def test_a_key_without_a_curve_is_taken_for_ed25519():
    assert PublicKey.parse(NEAR_TEST_PUBLIC.removeprefix("ed25519:")) == PublicKey.parse(NEAR_TEST_PUBLIC)


def test_another_library_accepts_our_signatures_and_we_accept_its():
    pair, other = KeyPair.from_seed("alice"), SigningKey(KeyPair.from_seed("alice").seed)
    assert other.verify_key.verify(b"message", pair.sign(b"message")) == b"message"
    assert pair.public_key.verify(b"message", other.sign(b"message").signature)


def test_a_signature_of_another_message_is_refused():
    pair = KeyPair.from_seed("alice")
    assert not pair.public_key.verify(b"other", pair.sign(b"message"))
    assert not pair.public_key.verify(b"message", b"short")


@pytest.mark.parametrize(
    "text",
    [
        "secp256k1:5ftgm7wYK5gtVqq1kxMGy7gSudkrfYCbpsjL6sH1nwx2oj5NR2JktohjzB6fbEhhRERQpiwJcpwnQjxtoX3GS3cQ",
        "ed25519:",
        "ed25519:0OIl",
        "ed25519:abc",
    ],
)
def test_a_text_that_is_no_ed25519_key_is_refused(text):
    with pytest.raises(ValueError, match=r"curve|base58"):
        PublicKey.parse(text)


def test_a_long_text_is_refused_before_it_is_decoded():
    with pytest.raises(ValueError, match="1000000 characters"):
        PublicKey.parse("ed25519:" + "1" * 1_000_000)


def test_the_halves_of_a_secret_key_must_belong_together():
    halves = KeyPair.from_seed("a").seed + KeyPair.from_seed("b").public_key.raw
    with pytest.raises(ValueError, match="second half"):
        KeyPair.parse("ed25519:" + base58.b58encode(halves).decode())


def test_a_private_key_never_shows_in_texts():
    pair = KeyPair.from_seed("test")
    assert str(pair.seed) not in repr(pair)
    assert NEAR_TEST_SECRET[8:20] not in f"{pair} {pair!r}"
    with pytest.raises(ValueError, match="64 bytes") as error:
        KeyPair.parse(NEAR_TEST_SECRET[:-3])
    assert NEAR_TEST_SECRET[8:20] not in f"{error.value} {error.value.__cause__}"
