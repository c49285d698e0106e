"""
One pass over a function: where it pays, how much stack it may take, what must be written anew.

The code was validated before; what is read here is bounded all the same.
Source: finite-wasm 0.6, `gas` (points), `max_stack` (operand stack model).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from localnet.parameters import Parameters
from localnet.vm.wasm import opcodes
from localnet.vm.wasm.charges import Kind, Point, merge
from localnet.vm.wasm.module import Body, WasmModule
from localnet.vm.wasm.opcodes import OPS, PREFIXED, SIZE_OF, Op, Operand
from localnet.vm.wasm.reader import Reader, malformed

ACTIVATION_BYTES = 64
"""What a call takes on the modelled stack besides parameters and locals."""

_EMPTY_BLOCK = 0x40
T = TypeVar("T")
Handler = Callable[[int, Reader], None]


@dataclass(slots=True)
class Frame:
    """A block, loop, if or the function itself, while it is open."""

    height: int
    result_size: int
    is_dead: bool
    is_target: bool = False
    loop_points: tuple[int, int] | None = None
    """A loop's points in front and behind; they turn into a branch target's when something jumps there."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """An instruction to be written anew: a return, or one that names an imported function."""

    offset: int
    end: int
    opcode: int
    function: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """All the rewriter needs of one function."""

    points: list[Point]
    redirects: list[Redirect]
    frame_bytes: int
    operand_bytes: int
    blocks: int


class FunctionAnalysis:
    """Goes once through a function's instructions."""

    def __init__(self, module: WasmModule, body: Body, parameters: Parameters) -> None:
        self.module, self.body = module, body
        self.op_cost, self.linear_cost = parameters.regular_op_cost, parameters.linear_op_base_cost
        params = module.types[body.type_index].params
        self.locals = [SIZE_OF[kind] for kind in params]
        for count, kind in body.locals:
            self.locals.extend([SIZE_OF[kind]] * count)
        self.points: list[Point] = []
        self.redirects: list[Redirect] = []
        self.run_is_open = False
        self.operands: list[int] = []
        self.size = self.max_size = self.blocks = 0
        self.frame = Frame(0, 0, is_dead=False)
        self.frames: list[Frame] = []
        self.handlers: dict[int, Handler] = {
            opcodes.UNREACHABLE: self._unreachable,
            opcodes.BLOCK: self._block,
            opcodes.LOOP: self._loop,
            opcodes.IF: self._if,
            opcodes.ELSE: self._else,
            opcodes.END: self._end,
            opcodes.BR: self._br,
            opcodes.BR_IF: self._br_if,
            opcodes.BR_TABLE: self._br_table,
            opcodes.RETURN: self._return,
            opcodes.CALL: self._call,
            opcodes.CALL_INDIRECT: self._call_indirect,
            opcodes.LOCAL_GET: self._local_get,
            opcodes.GLOBAL_GET: self._global_get,
            opcodes.REF_FUNC: self._ref_func,
            opcodes.PREFIX: self._prefixed,
        }

    def run(self) -> Analysis:
        """
        Analyse the function.

        Raises:
            CompilationFailed: an instruction is unknown or cut off.
        """
        code, position, end = self.module.code, self.body.start, self.body.end
        while position < end:
            op = OPS.get(code[position])
            if op is None:
                position = self._special(code[position], position)
                continue
            stop = _skip(code, position + 1, op.operand) if op.operand is not Operand.NONE else position + 1
            self._plain(op, position, stop)
            position = stop
        if position != end:
            raise malformed(f"instruction cut off at byte {end}")
        return Analysis(merge(self.points), self.redirects, ACTIVATION_BYTES + sum(self.locals), self.max_size, self.blocks)

    def _plain(self, op: Op, offset: int, stop: int) -> None:
        if op.can_be_seen:
            self._visible(offset, stop)
        elif op.is_linear:
            self._point(offset, Kind.LINEAR, self.linear_cost)
            self._point(stop, Kind.AFTER, 0, even_dead=True)
        else:
            self._pure(offset, self.op_cost)
        if op.pops:
            self._pop(op.pops)
        if op.pushes:
            self._push(op.pushes)

    def _point(self, offset: int, kind: Kind, cost: int, *, even_dead: bool = False) -> None:
        if self.frame.is_dead and not even_dead:
            kind = Kind.DEAD
        self.points.append(Point(offset, kind, cost))
        self.run_is_open = False

    def _pure(self, offset: int, cost: int) -> None:
        kind = Kind.DEAD if self.frame.is_dead else Kind.PURE
        if self.run_is_open and self.points[-1].kind is kind:
            self.points[-1].cost += cost
            return
        self.points.append(Point(offset, kind, cost))
        self.run_is_open = True

    def _visible(self, offset: int, stop: int, cost: int | None = None) -> None:
        self._point(offset, Kind.BEFORE, self.op_cost if cost is None else cost)
        self._point(stop, Kind.AFTER, 0, even_dead=True)

    def _push(self, size: int) -> None:
        if self.frame.is_dead or not size:
            return
        self.operands.append(size)
        self.size += size
        self.max_size = max(self.max_size, self.size)

    def _pop(self, count: int) -> None:
        if self.frame.is_dead or not count:
            return
        if count > len(self.operands):
            raise malformed("instruction without operands")
        self.size -= sum(self.operands[-count:])
        del self.operands[-count:]

    def _special(self, opcode: int, offset: int) -> int:
        handler = self.handlers.get(opcode)
        if handler is None:
            raise malformed(f"opcode {opcode:#x} at byte {offset}")
        reader = Reader(self.module.code, offset + 1, self.body.end)
        handler(offset, reader)
        return reader.position

    def _local_get(self, offset: int, reader: Reader) -> None:
        self._pure(offset, self.op_cost)
        self._push(_at(self.locals, reader.u32(), "local"))

    def _global_get(self, offset: int, reader: Reader) -> None:
        self._pure(offset, self.op_cost)
        self._push(SIZE_OF[_at(self.module.global_types, reader.u32(), "global")])

    def _ref_func(self, offset: int, reader: Reader) -> None:
        function = reader.u32()
        self._redirect_import(offset, reader.position, opcodes.REF_FUNC, function)
        self._pure(offset, self.op_cost)
        self._push(SIZE_OF[opcodes.FUNCREF])

    def _prefixed(self, offset: int, reader: Reader) -> None:
        number = reader.u32()
        if number not in PREFIXED:
            raise malformed(f"opcode 0xfc {number} at byte {offset}")
        op = PREFIXED[number]
        reader.position = _skip(self.module.code, reader.position, op.operand)
        self._plain(op, offset, reader.position)

    def _redirect_import(self, offset: int, end: int, opcode: int, function: int) -> None:
        if function < len(self.module.imports):
            self.redirects.append(Redirect(offset, end, opcode, function))

    def _open(self, frame: Frame) -> None:
        self.blocks += 1
        self.frames.append(self.frame)
        self.frame = frame

    def _new_frame(self, reader: Reader) -> Frame:
        block_type = reader.byte()
        if block_type != _EMPTY_BLOCK and block_type not in SIZE_OF:
            raise malformed(f"block type {block_type:#x}")
        result_size = 0 if block_type == _EMPTY_BLOCK else SIZE_OF[block_type]
        return Frame(len(self.operands), result_size, is_dead=self.frame.is_dead)

    def _block(self, offset: int, reader: Reader) -> None:
        self._pure(offset, 0)
        self._open(self._new_frame(reader))

    def _loop(self, offset: int, reader: Reader) -> None:
        frame = self._new_frame(reader)
        frame.loop_points = (len(self.points), len(self.points) + 1)
        self._point(offset, Kind.PURE, 0)
        self._point(reader.position, Kind.PURE, self.op_cost, even_dead=True)
        self._open(frame)

    def _if(self, offset: int, reader: Reader) -> None:
        self._pop(1)
        frame = self._new_frame(reader)
        frame.is_target = True
        self._visible(offset, reader.position)
        self._open(frame)

    def _else(self, offset: int, reader: Reader) -> None:
        if not self.frames:
            raise malformed("else without if")
        self._drop_to(self.frame.height)
        self.frame = Frame(self.frame.height, self.frame.result_size, is_dead=self.frames[-1].is_dead, is_target=True)
        self._visible(offset, reader.position, 0)

    def _end(self, offset: int, reader: Reader) -> None:
        if self.frame.is_target:
            self._visible(offset, reader.position, 0)
        else:
            self._pure(offset, 0)
        if not self.frames:
            return
        ended, self.frame = self.frame, self.frames.pop()
        self._drop_to(ended.height)
        self._push(ended.result_size)

    def _drop_to(self, height: int) -> None:
        if height > len(self.operands):
            raise malformed("block took operands that are not its own")
        self.size -= sum(self.operands[height:])
        del self.operands[height:]

    def _target(self, depth: int) -> None:
        if depth > len(self.frames):
            raise malformed(f"branch {depth} blocks out of {len(self.frames)}")
        frame = self.frame if depth == 0 else self.frames[-depth]
        if frame.loop_points is None:
            frame.is_target = True
        else:
            before, behind = frame.loop_points
            self.points[before].kind = Kind.BEFORE
            self.points[behind].kind = Kind.AFTER

    def _br(self, offset: int, reader: Reader) -> None:
        depth = reader.u32()
        self._visible(offset, reader.position)
        self._target(depth)
        self.frame.is_dead = True

    def _br_if(self, offset: int, reader: Reader) -> None:
        depth = reader.u32()
        self._visible(offset, reader.position)
        self._target(depth)
        self._pop(1)

    def _br_table(self, offset: int, reader: Reader) -> None:
        depths = [reader.u32() for _ in range(reader.u32() + 1)]
        self._visible(offset, reader.position)
        for depth in depths:
            self._target(depth)
        self.frame.is_dead = True

    def _return(self, offset: int, reader: Reader) -> None:
        self.redirects.append(Redirect(offset, reader.position, opcodes.RETURN, 0))
        self._visible(offset, reader.position)
        self._target(len(self.frames))
        self.frame.is_dead = True

    def _unreachable(self, offset: int, reader: Reader) -> None:
        self._point(offset, Kind.BEFORE, self.op_cost)
        self._point(reader.position, Kind.DEAD, 0)
        self.frame.is_dead = True

    def _call(self, offset: int, reader: Reader) -> None:
        function = reader.u32()
        self._redirect_import(offset, reader.position, opcodes.CALL, function)
        called = self.module.function_type(function)
        self._visible(offset, reader.position)
        self._pop(len(called.params))
        self._push_all(called.results)

    def _call_indirect(self, offset: int, reader: Reader) -> None:
        type_index, _ = reader.u32(), reader.u32()
        called = _at(self.module.types, type_index, "type")
        self._visible(offset, reader.position)
        self._pop(len(called.params))  # the callee's index stays on the modelled stack, as in finite-wasm
        self._push_all(called.results)

    def _push_all(self, results: bytes) -> None:
        for kind in results:
            self._push(SIZE_OF[kind])


def _at(sequence: Sequence[T], index: int, what: str) -> T:
    if index >= len(sequence):
        raise malformed(f"{what} {index} of {len(sequence)}")
    return sequence[index]


def _skip(code: bytes, position: int, operand: Operand) -> int:
    """Where the next instruction begins."""
    if operand is Operand.LEB or operand is Operand.TWO_LEBS:
        for _ in range(operand.value):
            while code[position] >= 0x80:
                position += 1
            position += 1
        return position
    if operand is Operand.TYPES:
        return position + 1 + code[position]
    width: int = operand.value
    return position + width
