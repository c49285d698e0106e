import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.guest import wire
from oracle.guest.wire import Ending, How, Job, Nonsense, Task

U64 = st.integers(0, 2**64 - 1)
variables = st.binary(min_size=1).filter(lambda text: b"\0" not in text)


@given(
    st.builds(
        Job,
        task=st.sampled_from(Task),
        max_instructions=U64,
        max_memory_bytes=U64,
        max_seconds=st.integers(0, 2**32 - 1),
        clock_start_ns=U64,
        input_bytes=st.binary(),
        environment=st.lists(variables).map(tuple),
        random_seed=st.none() | st.binary(),
    )
)
def test_a_job_arrives_as_it_was_sent(job):
    header, body = job.pack()
    assert wire.job_body_length(header) == len(body)
    assert wire.unpack_job(header, body) == job


@given(
    st.builds(
        Ending,
        how=st.sampled_from(How),
        code=st.integers(0, 2**32 - 1),
        instructions=U64,
        wall_ns=U64,
        peak_memory_bytes=U64,
        stdout=st.binary(),
        stderr=st.binary(),
        detail=st.text(max_size=100).filter(lambda text: text.encode(errors="replace").decode() == text),
    )
)
def test_an_ending_arrives_as_it_was_sent(ending):
    packed = ending.pack()
    header, body = packed[: wire.ENDING.size], packed[wire.ENDING.size :]
    assert wire.ending_body_length(header) == len(body)
    assert wire.unpack_ending(header, body) == ending


@given(st.binary(min_size=wire.ENDING.size, max_size=wire.ENDING.size))
def test_whatever_a_process_says_is_an_ending_within_its_bounds_or_nonsense(header):
    try:
        length = wire.ending_body_length(header)
        assert length <= wire.MAX_OUTPUT_BYTES + wire.MAX_STDERR_BYTES + wire.MAX_DETAIL_BYTES
        wire.unpack_ending(header, bytes(length))
    except Nonsense:
        pass


@pytest.mark.parametrize("lengths", [(65_537, 0, 0), (0, 65_537, 0), (0, 0, 4_097), (2**32 - 1, 2**32 - 1, 2**32 - 1)])
def test_an_ending_longer_than_its_bounds_is_nonsense(lengths):
    with pytest.raises(Nonsense):
        wire.ending_body_length(struct.pack("<BIQQQIII", 0, 0, 0, 0, 0, *lengths))


def test_a_detail_is_cut_to_its_bound():
    packed = Ending(How.DEFECT, detail="é" * 10_000).pack()
    assert wire.ending_body_length(packed[: wire.ENDING.size]) == wire.MAX_DETAIL_BYTES
