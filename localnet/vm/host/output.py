"""What a contract says: its result, logs and panics."""

# ruff: noqa: ARG001 - a host function takes what contracts hand it

from localnet.vm.errors import HostError, guest_panic, memory_access_violation
from localnet.vm.gas import U64_MAX
from localnet.vm.host.call import HostCall
from localnet.vm.host.table import offered

_NUL_TERMINATED = U64_MAX
_FIRST_UTF16_POINTER = 4


@offered("value_return", "II")
def value_return(call: HostCall, length: int, pointer: int) -> None:
    """Set the result; each account that waits for it costs its bytes again."""
    value = call.get(pointer, length)
    size, limit = len(value), call.parameters.limits.max_length_returned_data
    if size > limit:
        text = f"The length of a returned value {size} exceeds the limit {limit}"
        raise HostError("ReturnedValueLengthExceeded", text, length=size, limit=limit)
    fee, own = call.parameters.fees.new_data_receipt_byte, call.context.current_account_id
    sends = (fee.send(sir=receiver == own) + fee.execution for receiver in call.context.output_data_receivers)
    call.gas.pay_action(sum(sends) * size, 0)
    call.return_data = value


@offered("panic", "")
def panic(call: HostCall) -> None:
    """Give up without a word."""
    raise guest_panic("explicit guest panic")


@offered("panic_utf8", "II")
def panic_utf8(call: HostCall, length: int, pointer: int) -> None:
    """Give up and say why."""
    raise guest_panic(_utf8(call, length, pointer))


@offered("log_utf8", "II")
def log_utf8(call: HostCall, length: int, pointer: int) -> None:
    """Log a message."""
    _check_log_count(call)
    _log(call, _utf8(call, length, pointer))


@offered("log_utf16", "II")
def log_utf16(call: HostCall, length: int, pointer: int) -> None:
    """Log a message of UTF-16."""
    _check_log_count(call)
    _log(call, _utf16(call, length, pointer))


@offered("abort", "iiii")
def abort(call: HostCall, message_pointer: int, file_pointer: int, line: int, column: int) -> None:
    """Give up as AssemblyScript does: texts are UTF-16 with their length in front."""
    if message_pointer < _FIRST_UTF16_POINTER or file_pointer < _FIRST_UTF16_POINTER:
        raise _bad_utf16()
    _check_log_count(call)
    lengths = [int.from_bytes(call.memory.read(pointer - 4, 4), "little") for pointer in (message_pointer, file_pointer)]
    message = _utf16(call, lengths[0], message_pointer)
    file = _utf16(call, lengths[1], file_pointer)
    text = f'{message}, filename: "{file}" line: {line} col: {column}'
    size, costs = len(text.encode()), call.parameters.host
    call.gas.burn_each(costs.log_base, costs.log_byte * size)
    _keep_log(call, f"ABORT: {text}")
    raise guest_panic(text)


def _check_log_count(call: HostCall) -> None:
    limit = call.parameters.limits.max_number_logs
    if len(call.logs) >= limit:
        raise HostError("NumberOfLogsExceeded", f"The number of logs will exceed the limit {limit}", limit=limit)


def _log(call: HostCall, message: str) -> None:
    costs = call.parameters.host
    call.gas.burn_each(costs.log_base, costs.log_byte * len(message.encode()))
    _keep_log(call, message)


def _keep_log(call: HostCall, message: str) -> None:
    size = len(message.encode())
    if call.log_bytes + size > call.parameters.limits.max_total_log_length:
        # nearcore counts the refused message before it adds it once more to its report.
        call.log_bytes += size
        raise _too_long(call, size)
    call.log_bytes += size
    call.logs.append(message)


def _room(call: HostCall) -> int:
    return max(0, call.parameters.limits.max_total_log_length - call.log_bytes)


def _too_long(call: HostCall, added: int) -> HostError:
    length, limit = min(call.log_bytes + added, U64_MAX), call.parameters.limits.max_total_log_length
    text = f"The length of a log message {length} exceeds the limit {limit}"
    return HostError("TotalLogLengthExceeded", text, length=length, limit=limit)


def _bad_utf16() -> HostError:
    return HostError("BadUTF16", "String encoding is bad UTF-16 sequence.")


def _utf8(call: HostCall, length: int, pointer: int) -> str:
    costs = call.parameters.host
    call.gas.burn(costs.utf8_decoding_base)
    if length == _NUL_TERMINATED:
        raw = _until_nul(call, pointer)
    elif length > _room(call):
        raise _too_long(call, length)
    else:
        raw = call.memory.read(pointer, length)
    call.gas.burn(costs.utf8_decoding_byte * len(raw))
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise HostError("BadUTF8", "String encoding is bad UTF-8 sequence.") from error


def _until_nul(call: HostCall, pointer: int) -> bytes:
    raw, room = bytearray(), _room(call)
    for index in range(room + 1):
        if pointer + index > U64_MAX:
            raise memory_access_violation()
        byte = call.memory.read(pointer + index, 1)[0]
        if byte == 0:
            break
        if index == room:
            raise _too_long(call, room + 1)
        raw.append(byte)
    return bytes(raw)


def _utf16(call: HostCall, length: int, pointer: int) -> str:
    costs = call.parameters.host
    call.gas.burn(costs.utf16_decoding_base)
    room = _room(call)
    if length == _NUL_TERMINATED:
        length = _utf16_until_nul(call, pointer, room)
        raw = call.memory.read_free(pointer, length)
    else:
        raw = call.memory.read(pointer, length)
    if length % 2:
        raise _bad_utf16()
    if length > room:
        raise _too_long(call, length)
    call.gas.burn(costs.utf16_decoding_byte * length)
    try:
        return raw.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise _bad_utf16() from error


def _utf16_until_nul(call: HostCall, pointer: int, room: int) -> int:
    length = 0
    while True:
        if pointer + length > U64_MAX:
            raise memory_access_violation()
        if call.memory.read(pointer + length, 2) == b"\0\0":
            return length
        length += 2
        if length > room:
            raise _too_long(call, length)
