"""Every way a guest can end, through real processes."""

import asyncio
import hashlib
import json

import pytest

from oracle.errors import GuestExited, GuestTrapped, InvalidModule, OutputRefused, RequestError, Trap
from oracle.guest.places import PROCESS_BYTES
from oracle.guest.runner import MAX_TABLE_ELEMENTS, MAX_TABLES
from oracle.model import Limits, OutputFormat

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMAND = '(module (memory (export "memory") 1) (func (export "_start") {}))'
WASI = "wasi_snapshot_preview1"


async def test_a_guest_reads_its_input_and_writes_the_answer(pool, shipped):
    result = await pool.run(shipped("echo", input_bytes=b"hello"))
    assert result.output == b"hello"
    assert result.metrics.instructions > 0
    assert result.metrics.time_ms >= 1
    assert result.metrics.peak_memory_bytes % 65_536 == 0


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 60_000])
async def test_sha256_agrees_with_pythons(pool, shipped, length):
    data = bytes(i % 251 for i in range(length))
    assert (await pool.run(shipped("sha256", input_bytes=data))).output.decode() == hashlib.sha256(data).hexdigest()


async def test_word_count_is_json_in_and_json_out(pool, shipped):
    run = shipped("word_count", input_bytes='{"text": "Ä b, Ä! c"}'.encode(), output_format=OutputFormat.JSON)
    assert json.loads((await pool.run(run)).output) == {"words": 4, "distinct": 3, "most_frequent": "Ä"}


async def test_word_count_says_what_is_wrong_with_its_input(pool, shipped):
    with pytest.raises(GuestExited, match="exit code 2: the input must be a JSON object") as raised:
        await pool.run(shipped("word_count", input_bytes=b"[]"))
    assert raised.value.exit_code == 2


async def test_there_are_9592_primes_up_to_100000(pool, shipped):
    assert (await pool.run(shipped("primes", input_bytes=b"100000"))).output == b'{"count":9592,"largest":99991}'


async def test_random_numbers_differ_and_stay_in_range(pool, shipped):
    drawn = [json.loads((await pool.run(shipped("random", input_bytes=b"1000000007"))).output)["random"] for _ in range(3)]
    assert len(set(drawn)) == 3
    assert all(0 <= number < 1_000_000_007 for number in drawn)


async def test_an_endless_loop_ends_at_its_last_instruction(pool, shipped):
    with pytest.raises(GuestTrapped) as raised:
        await pool.run(shipped("endless_loop"))
    assert raised.value.trap is Trap.OUT_OF_FUEL
    assert raised.value.metrics.instructions == 50_000_000


async def test_a_memory_bomb_ends_at_its_limit(pool, shipped):
    with pytest.raises(GuestTrapped, match=r"resource_limits.max_memory_mb") as raised:
        await pool.run(shipped("memory_bomb"))
    assert raised.value.trap is Trap.OUT_OF_MEMORY
    assert raised.value.metrics.peak_memory_bytes <= 16 * 1024 * 1024


async def test_a_module_larger_than_its_limit_from_the_start_is_not_started(pool, written):
    with pytest.raises(GuestTrapped, match="starts with 17 MB") as raised:
        await pool.run(written('(module (memory (export "memory") 272) (func (export "_start")))'))
    assert raised.value.trap is Trap.OUT_OF_MEMORY


async def test_a_flood_of_output_stops_at_the_bound(pool, shipped):
    with pytest.raises(OutputRefused, match="65536 bytes"):
        await pool.run(shipped("stdout_flood"))


async def test_an_answer_of_exactly_the_bound_arrives(pool, shipped):
    data = b"x" * 65_536
    assert (await pool.run(shipped("echo", input_bytes=data))).output == data
    with pytest.raises(OutputRefused):
        await pool.run(shipped("echo", input_bytes=data + b"x"))


async def test_of_a_flood_of_stderr_the_end_is_kept(pool, shipped):
    result = await pool.run(shipped("stderr_flood", limits=Limits(max_memory_mb=1)))
    assert result.output == b"done"
    assert result.stderr_tail.endswith("line 000131071\n")
    assert len(result.stderr_tail) == 65_536


async def test_an_exit_code_comes_with_the_last_words_and_what_was_spent(pool, shipped):
    with pytest.raises(GuestExited, match="exit code 3: the price feed is empty") as raised:
        await pool.run(shipped("exit_three"))
    assert raised.value.metrics.instructions > 0
    assert raised.value.stderr_tail == "looked everywhere\nthe price feed is empty\n"


@pytest.mark.parametrize(
    ("name", "trap", "function"),
    [
        ("unreachable", Trap.UNREACHABLE, "settle_auction"),
        ("divide_by_zero", Trap.ARITHMETIC, "average"),
        ("stack_overflow", Trap.STACK_OVERFLOW, "deeper"),
    ],
)
async def test_a_trap_names_its_function_and_what_was_spent(pool, shipped, name, trap, function):
    with pytest.raises(GuestTrapped, match=function) as raised:
        await pool.run(shipped(name))
    assert raised.value.trap is trap
    assert raised.value.metrics.instructions > 0


async def test_a_sleeping_guest_ends_at_its_deadline_with_what_it_spent(pool, shipped):
    with pytest.raises(GuestTrapped, match=r"1 s \(resource_limits.max_execution_seconds\)") as raised:
        await pool.run(shipped("sleep_forever", limits=Limits(max_execution_seconds=1)))
    assert raised.value.trap is Trap.OUT_OF_TIME
    assert raised.value.metrics.instructions > 0


async def test_a_computing_guest_ends_at_its_deadline(pool, shipped):
    with pytest.raises(GuestTrapped) as raised:
        await pool.run(shipped("endless_loop", limits=Limits(max_instructions=10**15, max_execution_seconds=1)))
    assert (raised.value.trap, raised.value.metrics.time_ms) == (Trap.OUT_OF_TIME, 1000)


async def test_output_that_is_no_text_is_refused_but_is_good_as_bytes(pool, shipped):
    with pytest.raises(OutputRefused, match="no UTF-8"):
        await pool.run(shipped("bad_utf8"))
    assert (await pool.run(shipped("bad_utf8", output_format=OutputFormat.BYTES))).output == b"ok \xff\xfe"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (b"<!doctype html><p>not found", "an HTML page"),
        (b"\0asm\x0d\0\x01\0", "WASI P2 components are not run by this worker version"),
        (b"\0asm\x01\0\0\0\xff\xff\xff", "not a valid WebAssembly module"),
        ('(module (memory (export "memory") 1))', "`_start`"),
        ('(module (import "env" "fetch" (func)) (memory (export "memory") 1) (func (export "_start")))', "env.fetch"),
        ('(module (table 2000000 funcref) (memory (export "memory") 1) (func (export "_start")))', "cannot be started"),
    ],
)
async def test_what_cannot_be_run_is_an_invalid_module_with_the_reason(pool, written, code, told):
    with pytest.raises(InvalidModule, match=told):
        await pool.run(written(code))


async def test_a_module_under_a_hash_it_does_not_have_is_not_compiled(pool, written):
    run = written(COMMAND.format("nop nop"))
    run.wasm_path.write_bytes(b"\0asm\x01\0\0\0")
    with pytest.raises(InvalidModule, match="not what its hash says"):
        await pool.run(run)


async def test_a_start_section_is_metered_and_limited_too(pool, written):
    run = written('(module (memory (export "memory") 1) (func $s (loop (br 0))) (start $s) (func (export "_start")))')
    with pytest.raises(GuestTrapped) as raised:
        await pool.run(run)
    assert raised.value.trap is Trap.OUT_OF_FUEL


async def test_the_environment_arrives_in_order_and_nothing_besides(pool, written):
    code = f"""(module
      (import "{WASI}" "environ_get" (func $get (param i32 i32) (result i32)))
      (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\00\\04\\00\\00\\0a\\00\\00\\00")
      (func (export "_start") (drop (call $get (i32.const 64) (i32.const 1024)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
    result = await pool.run(written(code, environment=(("B", "é"), ("A", "1"))))
    assert result.output == "B=é\0A=1\0\0".encode()


@pytest.mark.parametrize("environment", [(("A\0", "1"),), (("A", "1\0"),), (("", "1"),), (("A=B", "1"),)])
async def test_a_variable_no_guest_could_read_is_refused(pool, shipped, environment):
    with pytest.raises(RequestError, match="cannot be given to a guest"):
        await pool.run(shipped("echo", environment=environment))


@pytest.mark.parametrize("too_much", [{"input_bytes": bytes(16 * 1024 * 1024 + 1)}, {"environment": (("A", "x" * 2**20),)}])
async def test_more_than_a_guest_can_be_given_is_refused_with_the_bound(pool, shipped, too_much):
    with pytest.raises(RequestError, match="a guest is given at most"):
        await pool.run(shipped("echo", **too_much))


async def test_an_input_of_megabytes_arrives(pool, shipped):
    data = bytes(5_000_000)
    assert (await pool.run(shipped("sha256", input_bytes=data, limits=Limits()))).output.decode() == hashlib.sha256(data).hexdigest()


async def test_a_lone_surrogate_in_a_variable_does_no_harm(pool, shipped):
    assert (await pool.run(shipped("echo", environment=(("A", "\ud800"),)))).output == b""


async def test_tables_which_no_memory_limit_covers_fit_what_is_set_aside_for_the_process(pool, written, proc):
    tables = "".join(f"(table $t{i} 0 funcref)" for i in range(MAX_TABLES))
    grow = "".join(f"(drop (table.grow $t{i} (ref.func $f) (i32.const {MAX_TABLE_ELEMENTS})))" for i in range(MAX_TABLES))
    code = f"""(module (memory (export "memory") 1) {tables} (func $f) (elem declare func $f)
      (func (export "_start") {grow} (loop (br 0))))"""
    with pytest.raises(RequestError):  # its native code is made, by a process that needs more than a guest's
        await pool.run(written(code, limits=Limits(max_instructions=1, max_memory_mb=1)))
    tables_bytes = MAX_TABLES * MAX_TABLE_ELEMENTS * 8
    await proc.until(lambda: largest_child(proc, pool) < tables_bytes)  # what ran before is gone
    run = asyncio.create_task(pool.run(written(code, limits=Limits(max_instructions=10**15, max_memory_mb=1))))
    await proc.until(lambda: largest_child(proc, pool) > tables_bytes)
    largest = largest_child(proc, pool)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert largest < PROCESS_BYTES


def largest_child(proc, pool):
    return max((anonymous_bytes(proc, pid) for pid in proc.children(pool._processes._server.pid)), default=0)


def anonymous_bytes(proc, pid):
    return int(proc.status(pid).get("RssAnon", "0 kB").removesuffix("kB")) * 1024


async def test_more_tables_than_are_offered_are_refused(pool, written):
    tables = "(table 1 funcref)" * (MAX_TABLES + 1)
    with pytest.raises(InvalidModule, match="cannot be started"):
        await pool.run(written(f'(module {tables} (memory (export "memory") 1) (func (export "_start")))'))


@pytest.mark.parametrize("clock_start_ns", [-1, 2**64 - 1, 2**70])
async def test_a_block_of_an_impossible_time_does_not_keep_a_guest_from_running(pool, written, clock_start_ns):
    code = f"""(module (import "{WASI}" "clock_time_get" (func $now (param i32 i64 i32) (result i32))) (memory (export "memory") 1)
      (func (export "_start") (drop (call $now (i32.const 0) (i64.const 0) (i32.const 0)))))"""
    assert (await pool.run(written(code, clock_start_ns=clock_start_ns))).output == b""


async def test_more_runs_than_places_wait_for_their_turn(pool, shipped):
    results = await asyncio.gather(*(pool.run(shipped("echo", input_bytes=str(i).encode())) for i in range(20)))
    assert [result.output for result in results] == [str(i).encode() for i in range(20)]


async def test_a_cancelled_run_frees_its_place(pool, shipped):
    sleeping = [asyncio.create_task(pool.run(shipped("sleep_forever"))) for _ in range(2)]
    await asyncio.sleep(0)
    for task in sleeping:
        task.cancel()
    await asyncio.gather(*sleeping, return_exceptions=True)
    assert (await pool.run(shipped("echo", input_bytes=b"free"))).output == b"free"
