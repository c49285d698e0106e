"""Canonical JSON against RFC 8785's own examples, and a strict reader that takes one spelling only."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import EvidenceRefused
from oracle.tee.canonical import canonical_bytes, read_canonical, read_strict

VALUES = r"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
"""RFC 8785, section 3.2.2; what it becomes is there in hexadecimal (section 3.2.4)."""

VALUES_CANONICAL_HEX = """
7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a 5b 33 33 33 33 33
33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22
e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d
"""

SORTED = [  # RFC 8785, section 3.2.3: keys by UTF-16 code units
    ("\r", "Carriage Return"),
    ("1", "One"),
    ("\u0080", "Control"),
    ("\u00f6", "Latin Small Letter O With Diaeresis"),
    ("\u20ac", "Euro Sign"),
    ("\U0001f600", "Emoji: Grinning Face"),
    ("\ufb33", "Hebrew Letter Dalet With Dagesh"),
]

documents = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def read(raw, **bounds):
    return read_canonical(raw, what="it", **{"max_bytes": 10_000, "max_depth": 20, **bounds})


def strict(raw, **bounds):
    return read_strict(raw, what="it", **{"max_bytes": 10_000, "max_depth": 20, **bounds})


def test_values_are_written_as_the_rfc_writes_them():
    assert canonical_bytes(json.loads(VALUES)) == bytes.fromhex(VALUES_CANONICAL_HEX)


def test_keys_are_sorted_as_the_rfc_sorts_them():
    written = canonical_bytes(dict(sorted(SORTED)))
    assert [value for _, value in SORTED] == list(json.loads(written).values())


@given(documents)
def test_what_is_written_is_read_back(document):
    raw = canonical_bytes(document)
    if len(raw) <= 10_000:
        assert read(raw) == document


@given(documents)
def test_each_other_spelling_of_a_document_is_refused(document):
    canonical = canonical_bytes(document)
    for other in (
        json.dumps(document).encode(),
        json.dumps(document, indent=1, ensure_ascii=False).encode(),
        canonical + b"\n",
        b" " + canonical,
    ):
        if other != canonical:
            with pytest.raises(EvidenceRefused):
                read(other)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a":"1","a":"1"}', "twice"),
        (b'{"a":{"b":null,"b":null}}', "twice"),
        (b'{"b":"1","a":"1"}', "canonical form"),
        (b'{"a":"\\u0041"}', "canonical form"),
        (b'{"a":"\\/"}', "canonical form"),
        (b'{"a":01}', "cannot be read"),
        (b'{"a":1.0}', "no whole number"),
        (b'{"a":1e2}', "no whole number"),
        (b'{"a":-0}', "canonical form"),
        (b'{"a":+1}', "cannot be read"),
        (b'{"a":NaN}', "no whole number"),
        (b'{"a":-Infinity}', "no whole number"),
        (b'{"a":9007199254740993}', "no canonical form"),
        (b'{"a":' + b"9" * 40 + b"}", "40 digits"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'{"a":"\xff"}', "cannot be read"),
        (b'{"a":"\n"}', "cannot be read"),
        (b"\xef\xbb\xbf{}", "cannot be read"),
        (b"{} {}", "cannot be read"),
        (b"{'a':1}", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_what_could_mean_two_things_is_refused_with_its_reason(raw, reason):
    with pytest.raises(EvidenceRefused, match=reason):
        read(raw)


def test_a_document_is_read_up_to_its_bounds_and_not_beyond():
    assert read(b'"aaaa"', max_bytes=6) == "aaaa"
    with pytest.raises(EvidenceRefused, match="6 bytes; at most 5"):
        read(b'"aaaa"', max_bytes=5)
    assert read(b"[[[]]]", max_depth=3) == [[[]]]
    with pytest.raises(EvidenceRefused, match="deeper than 2"):
        read(b"[[[]]]", max_depth=2)
    assert strict(b'["[[[["]', max_depth=1) == ["[[[["]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_refused_and_crashes_nothing(opening):
    with pytest.raises(EvidenceRefused):
        strict(opening * 200_000, max_bytes=2_000_000)
    closing = b"]" if opening == b"[" else b"}"
    with pytest.raises(EvidenceRefused, match="deeper"):
        strict(opening * 900 + b"1" + closing * 900)


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused(raw):
    for reader in (read, strict):
        try:
            reader(raw)
        except EvidenceRefused:
            continue


def test_the_one_key_of_many_that_is_there_twice_is_found_in_time_that_grows_with_their_number():
    keys = [f"{number:06d}" for number in range(40_000)]
    raw = ("{" + ",".join(f'"{key}":0' for key in [*keys, keys[-1]]) + "}").encode()
    started_s = time.process_time()
    with pytest.raises(EvidenceRefused, match="'039999' is there twice"):
        strict(raw, max_bytes=10**6)
    assert time.process_time() - started_s < 2.0  # compared with one another they take half a minute
