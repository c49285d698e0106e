import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.errors import OutputRefused
from oracle.guest.output import MAX_ENCODED_BYTES, MAX_JSON_DEPTH, check_output
from oracle.model import Metrics, OutputFormat

SPENT = Metrics(instructions=7, time_ms=1)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_every_json_value_is_accepted(value):
    check_output(json.dumps(value).encode(), OutputFormat.JSON, SPENT)
    check_output(json.dumps(value, ensure_ascii=False).encode(errors="replace"), OutputFormat.JSON, SPENT)


@given(st.text())
def test_every_text_is_accepted_as_text(text):
    check_output(text.encode(errors="replace"), OutputFormat.TEXT, SPENT)


@given(st.binary(), st.sampled_from(OutputFormat))
def test_whatever_the_output_it_is_accepted_or_refused_with_what_was_spent(output, output_format):
    refused = None
    try:
        check_output(output, output_format, SPENT)
    except OutputRefused as error:
        refused = error
    assert refused is None or (output_format is not OutputFormat.BYTES and refused.metrics == SPENT)


@pytest.mark.parametrize("output", [b"", b"{", b"[1,]", b"1 2", b"NaN", b"[Infinity]", b"{'a':1}", b"undefined", b"01"])
def test_what_is_no_json_is_refused(output):
    with pytest.raises(OutputRefused, match="is not JSON"):
        check_output(output, OutputFormat.JSON, SPENT)


@pytest.mark.parametrize("output", [b"\xef\xbb\xbf{}", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_refused_in_words_for_who_wrote_the_guest(output):
    with pytest.raises(
        OutputRefused, match=r"^The output is JSON behind a byte order mark, which JSON does not have\. Write it without\.$"
    ):
        check_output(output, OutputFormat.JSON, SPENT)
    check_output(output, OutputFormat.TEXT, SPENT)


@pytest.mark.parametrize("output", [b"1e400", b"[-1e999]", b'{"a":' + b"9" * 310 + b"}", b"1" * 60_000])
def test_a_number_beyond_a_double_is_refused_because_serde_json_refuses_it(output):
    with pytest.raises(OutputRefused, match="beyond the range of a double"):
        check_output(output, OutputFormat.JSON, SPENT)


@pytest.mark.parametrize("output", [rb'"\ud800"', rb'{"\udfff":1}', rb'"\udc00\ud800"', rb'["a\ud83d "]'])
def test_half_a_surrogate_pair_is_refused_because_serde_json_refuses_it(output):
    with pytest.raises(OutputRefused, match="half a surrogate pair"):
        check_output(output, OutputFormat.JSON, SPENT)


@pytest.mark.parametrize("output", [rb'"\ud83d\ude00"', b"1e308", b"18446744073709551616", b"1e-400", b"-0.0"])
def test_what_serde_json_reads_is_accepted(output):
    check_output(output, OutputFormat.JSON, SPENT)


def test_a_byte_that_is_no_utf8_is_named():
    with pytest.raises(OutputRefused, match=r"byte 2 \(0xff\) is no UTF-8"):
        check_output(b"ab\xff", OutputFormat.TEXT, SPENT)


@pytest.mark.parametrize("character", ["\n", '"', "\\", "\t"])
def test_the_longest_text_of_which_every_character_is_escaped_once_is_accepted(character):
    text = character * 65_536
    assert len(json.dumps(text)) == MAX_ENCODED_BYTES
    check_output(text.encode(), OutputFormat.TEXT, SPENT)


def test_text_that_the_contract_refuses_once_it_is_escaped_is_refused_here_with_the_mend():
    most = b"\1" * ((MAX_ENCODED_BYTES - 2) // 6)
    check_output(most, OutputFormat.TEXT, SPENT)
    with pytest.raises(OutputRefused, match=r"131078 bytes once escaped as JSON, and at most 131074.*Bytes") as raised:
        check_output(most + b"\1", OutputFormat.TEXT, SPENT)
    assert raised.value.metrics == SPENT
    check_output(b"\1" * 65_536, OutputFormat.BYTES, SPENT)


def test_json_as_deep_as_the_bound_is_accepted_and_deeper_is_refused():
    check_output(b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH, OutputFormat.JSON, SPENT)
    with pytest.raises(OutputRefused, match="nested deeper than 64"):
        check_output(b"[" * (MAX_JSON_DEPTH + 1) + b"]" * (MAX_JSON_DEPTH + 1), OutputFormat.JSON, SPENT)
    with pytest.raises(OutputRefused, match="nested deeper"):
        check_output(b'{"a":' * 60_000, OutputFormat.JSON, SPENT)


def test_brackets_in_strings_do_not_count_as_depth():
    check_output(json.dumps('\\"' + "[" * 1000).encode(), OutputFormat.JSON, SPENT)
