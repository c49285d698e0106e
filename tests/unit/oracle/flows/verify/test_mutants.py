"""
A good bundle, spoilt in every way: it never proves anything then, and never ends a verifier.

What provably does not matter is listed; whatever else still proves is a hole.
"""

import itertools
import json

import pytest

from oracle.flows.verify.offline import check_offline
from oracle.flows.verify.report import Overall, verdict_of
from oracle.tee.quote import parse_quote
from tests.unit.oracle.flows.verify.good import Good, document_of, file_of

SAMPLED_EVERY = 101


@pytest.fixture(scope="module")
def good():
    return Good()


@pytest.fixture(scope="module")
def batched(good):
    return good.bundle(others=(b"one", b"two", b"three"))


def verdict(good, raw):
    return verdict_of(check_offline(raw, good.terms()).checks)


def places(value, name=""):
    """Every place in a JSON document, with the container and the key it has there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        where = f"{name}.{key}" if name else str(key)
        yield where, value, key
        yield from places(inner, where)


def spoilt_values(value):
    """Other values of a place: changed, of another type, cut short, grown."""
    match value:
        case bool():
            return [not value, None, 0]
        case int():
            return [value + 1, -1, None, str(value), 2**70]
        case str():
            middle = len(value) // 2
            flipped = value[:middle] + ("0" if value[middle : middle + 1] != "0" else "1") + value[middle + 1 :]
            return [flipped, value[:-1], value + value[-1:], "", None, 7, [value]]
        case None:
            return ["", 0, {}, []]
        case list():
            return [[], value[:-1], [*value, *value[-1:]], value[::-1], None, {}]
        case dict():
            return [{}, None, [], value | {"another": 1}]
    raise AssertionError(f"no other values for {value!r}")


def mutants(document):
    """Each place with each other value, dropped, and with the value of its neighbour."""
    for where, container, key in places(document):
        kept = container[key]
        for value in spoilt_values(kept):
            if value == kept:
                continue
            container[key] = value
            yield where, f"becomes {str(value)[:60]!r}", json.dumps(document).encode()
        container[key] = kept
        if isinstance(container, dict):
            order = list(container.items())
            del container[key]
            yield where, "is dropped", json.dumps(document).encode()
            container.clear()
            container.update(order)


def some(all_mutants):
    """Of each place the first two and the last; all of them are for `make soak`."""
    for _, group in itertools.groupby(all_mutants, key=lambda mutant: mutant[0]):
        *others, last = group
        yield from (*others[:2], last)


SOME_OR_ALL = pytest.mark.parametrize("which", [some, pytest.param(iter, marks=pytest.mark.soak)], ids=["some", "all"])

NOT_NEEDED = {
    ("input_base64", "becomes 'None'"),
    ("output_base64", "becomes 'None'"),
    ("attestation.app_compose", "becomes 'None'"),
    ("chain", "becomes 'None'"),
}
"""
What may be left out: then nothing is said of it. Members of `chain` are held against a trusted block (test_proven) and nodes
(tests/acceptance/verify).
"""


DOES_NOT_MATTER = {
    "attestation.event_log",  # names and payloads of firmware's events, which nothing reads
    "attestation.collateral",  # a member that nobody knows is dropped
    "attestation.collateral.pck_crl_issuer_chain",  # the root that counts is the verifier's own, not the copy in a chain
    "attestation.collateral.tcb_info_issuer_chain",
    "attestation.collateral.qe_identity_issuer_chain",
}


def seen(good, raw):
    """What the checks saw, but for the size of the file."""
    return [check.seen for check in check_offline(raw, good.terms()).checks[1:]]


def test_every_field_of_a_bundle_that_is_changed_keeps_it_from_proven(good):
    document = document_of(good.bundle())
    original = seen(good, json.dumps(document).encode())
    assert verdict(good, json.dumps(document).encode()) is Overall.PROVEN
    for where, how, raw in mutants(document):
        if where.startswith("chain.") or (where, how) in NOT_NEEDED or verdict(good, raw) is not Overall.PROVEN:
            continue
        assert where in DOES_NOT_MATTER, (where, how)
        assert seen(good, raw) == original, (where, how)


def test_every_field_of_a_batch_that_is_changed_keeps_it_from_proven(good, batched):
    document = {**document_of(batched)}
    batch = document["attestation"]["batch"]
    left = []
    for where, how, spoilt in mutants({"batch": batch}):
        document["attestation"]["batch"] = json.loads(spoilt).get("batch", "dropped")
        if verdict(good, json.dumps(document).encode()) is Overall.PROVEN:
            left.append((where, how))
    assert left == []


def test_every_field_of_the_receipt_that_is_changed_keeps_it_from_proven(good):
    document = document_of(good.bundle())
    receipt = json.loads(document["receipt"])
    for _, how, raw in mutants(receipt):
        canonical = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert verdict(good, json.dumps(document | {"receipt": canonical}).encode()) is not Overall.PROVEN, how


def test_every_byte_of_the_receipt_that_is_changed_keeps_it_from_proven(good):
    document = document_of(good.bundle())
    text = document["receipt"]
    for at in range(0, len(text), 29):
        for other in (chr(ord(text[at]) ^ 1), "", text[at] * 2):
            spoilt = text[:at] + other + text[at + 1 :]
            if spoilt != text:
                assert verdict(good, json.dumps(document | {"receipt": spoilt}).encode()) is not Overall.PROVEN, at


def swapped(document, other):
    """Each part of one good bundle in the place of the other's."""
    for where, container, key in places(document):
        others = other
        for step in where.split("."):
            others = others[int(step)] if isinstance(others, list) else others[step]
        kept = container[key]
        if kept != others:
            container[key] = others
            yield where, json.dumps(document).encode()
            container[key] = kept


def test_parts_of_two_good_bundles_prove_nothing_together(good):
    mine = document_of(good.bundle())
    theirs = document_of(good.bundle(good.receipt(settings_sha256_hex="77" * 32)))
    left = [where for where, raw in swapped(mine, theirs) if verdict(good, raw) is Overall.PROVEN]
    harmless = [where for where in left if where.startswith("attestation.collateral")]  # signed anew, and as good
    assert left == harmless


def respelled(document):
    """The same JSON in another order, with escapes, and the collateral's hex in capitals."""
    text = json.dumps(dict(reversed(document.items())), indent=3).replace('"schema"', '"\\u0073chema"')
    crl = document["attestation"]["collateral"]["root_ca_crl"]
    return text.replace(crl, crl.upper()).encode()


def test_another_spelling_of_what_is_around_the_receipt_says_the_same(good):
    document = document_of(good.bundle())
    assert verdict(good, respelled(document)) is Overall.PROVEN
    assert seen(good, respelled(document)) == seen(good, json.dumps(document).encode())


@pytest.mark.parametrize("register", [0, 1, 2, 3])
def test_the_events_of_a_firmwares_register_may_be_left_out_and_those_of_dstack_may_not(good, register):
    document = document_of(good.bundle())
    events = json.loads(document["attestation"]["event_log"])
    document["attestation"]["event_log"] = json.dumps([event for event in events if event["imr"] != register])
    assert verdict(good, json.dumps(document).encode()) is (Overall.FAILED if register == 3 else Overall.PROVEN)


def test_a_batch_of_another_size_is_taken_only_where_its_path_leads_to_the_same_root(good, batched):
    document = document_of(batched)
    taken = []
    for size in range(1, 12):
        document["attestation"]["batch"]["tree_size"] = size
        taken += [size] if verdict(good, json.dumps(document).encode()) is Overall.PROVEN else []
    assert taken == [3, 4]


def quote_mutants(raw, step):
    """One bit of every byte, and every length."""
    for at in range(0, len(raw), step):
        yield f"byte {at}", raw[:at] + bytes([raw[at] ^ (1 << at % 8)]) + raw[at + 1 :]
    for length in range(0, len(raw), step):
        yield f"cut to {length}", raw[:length]
    for more in (b"\0", b"\xff", raw):
        yield f"{len(more)} bytes more", raw + more


def check_quote_mutants(good, step):
    """
    A mutant is refused, or says exactly what the original says.

    The PCK chain is PEM: white space and the text around the certificates are outside everything that is signed.
    """
    document = document_of(good.bundle())
    raw = bytes.fromhex(document["attestation"]["quote_hex"])
    original = parse_quote(raw)
    for how, mutant in quote_mutants(raw, step):
        document["attestation"]["quote_hex"] = mutant.hex()
        if verdict(good, json.dumps(document).encode()) is Overall.PROVEN:
            changed = parse_quote(mutant)
            assert changed.report == original.report, how
            assert changed.signed == original.signed, how
            at = int(how.removeprefix("byte "))
            assert at >= raw.index(b"-----BEGIN CERTIFICATE-----"), how


def test_sampled_bytes_of_the_quote_that_are_changed_keep_it_from_proven(good):
    check_quote_mutants(good, SAMPLED_EVERY)


@pytest.mark.soak
def test_every_byte_of_the_quote_that_is_changed_keeps_it_from_proven(good):
    check_quote_mutants(good, 1)


def test_every_event_that_is_changed_dropped_doubled_or_moved_keeps_it_from_proven(good):
    document = document_of(good.bundle())
    events = json.loads(document["attestation"]["event_log"])
    for index, event in list(enumerate(events))[::3]:
        spoilt = [
            [*events[:index], *events[index + 1 :]],
            [*events[: index + 1], *events[index:]],
            *([*events[:index], event | {name: value}, *events[index + 1 :]] for name, value in other_events(event)),
        ]
        if index > 0:
            spoilt.append([*events[: index - 1], event, events[index - 1], *events[index + 1 :]])
        for log in spoilt:
            if log_says(log) == log_says(events):
                continue
            document["attestation"]["event_log"] = json.dumps(log)
            assert verdict(good, json.dumps(document).encode()) is not Overall.PROVEN, index


def log_says(events):
    """What extends which register, in each register's own order, and the names and payloads that RTMR3 vouches for."""
    return [
        [
            (event["digest"], *((event["event"], event["event_payload"]) if register == 3 else ()))
            for event in events
            if event["imr"] == register
        ]
        for register in range(4)
    ]


def other_events(event):
    yield "digest", event["digest"][:-1] + ("0" if event["digest"][-1] != "0" else "1")
    yield "imr", (event["imr"] + 1) % 4
    yield "event_payload", event["event_payload"] + "00"
    yield "event", event["event"] + "x"


def test_random_bytes_in_the_file_never_end_the_verifier(good):
    raw = file_of(good.bundle())
    for at in range(0, len(raw), 499):
        for other in (b"", b"\0", b"\xff", b'"', b"{", raw[at : at + 64] * 2):
            spoilt = raw[:at] + other + raw[at + 1 :]
            assert verdict(good, spoilt) in set(Overall)
