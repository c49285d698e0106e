"""Transactions: what a signer asks for, and its signed bytes."""

from dataclasses import dataclass
from functools import cached_property

from localnet.values import action_codec
from localnet.values.actions import Action
from localnet.values.borsh import BorshError, Reader, Writer
from localnet.values.hashes import CryptoHash, hash_of
from localnet.values.keys import KeyPair, PublicKey

MOST_BYTES_READ = 4_194_304
"""Above the chain's own limit (1,572,864 bytes), so that a transaction that passes it is refused by the chain, in nearcore's words."""


@dataclass(frozen=True)
class Transaction:
    """A transaction of version 0."""

    signer_id: str
    public_key: PublicKey
    nonce: int
    receiver_id: str
    block_hash: CryptoHash
    actions: tuple[Action, ...]

    @cached_property
    def encoded(self) -> bytes:
        """Borsh, the bytes whose hash is signed."""
        out = Writer()
        out.text(self.signer_id)
        out.fixed(self.public_key.tagged)
        out.u64(self.nonce)
        out.text(self.receiver_id)
        out.fixed(self.block_hash)
        action_codec.write_actions(out, self.actions)
        return out.done()

    @cached_property
    def hash(self) -> CryptoHash:
        """The transaction's hash: of it without the signature."""
        return hash_of(self.encoded)

    def sign(self, key: KeyPair) -> "SignedTransaction":
        """Sign with the key whose public half the transaction names."""
        return SignedTransaction(self, key.sign(self.hash))


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction and its signer's ed25519 signature (64 bytes) of the hash."""

    transaction: Transaction
    signature: bytes

    @property
    def hash(self) -> CryptoHash:
        """The transaction's hash."""
        return self.transaction.hash

    @cached_property
    def encoded(self) -> bytes:
        """Borsh, as it is sent to a node."""
        out = Writer()
        out.fixed(self.transaction.encoded)
        action_codec.write_signature(out, self.signature)
        return out.done()

    def is_signed_by_its_key(self) -> bool:
        """Whether the signature is that of the key that the transaction names."""
        return self.transaction.public_key.verify(self.hash, self.signature)


def read_signed_transaction(data: bytes) -> SignedTransaction:
    """
    Read what a client sent.

    Raises:
        BorshError: too long, cut short, bytes left over, another version, or an action or key that this chain does not offer.
    """
    if len(data) > MOST_BYTES_READ:
        raise BorshError(f"a transaction of {len(data)} bytes; at most {MOST_BYTES_READ} are read")
    # Version 0 begins with the length of the signer's id, which is at least 2; version 1 with its number.
    if data[:1] == b"\x01":
        raise BorshError("transactions of version 1 are not offered by localnet; send version 0")
    source = Reader(data)
    transaction = Transaction(
        signer_id=source.text(),
        public_key=action_codec.read_public_key(source),
        nonce=source.u64(),
        receiver_id=source.text(),
        block_hash=CryptoHash(source.fixed(32)),
        actions=action_codec.read_actions(source),
    )
    signed = SignedTransaction(transaction, action_codec.read_signature(source))
    source.end()
    return signed
