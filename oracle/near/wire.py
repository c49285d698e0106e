"""
A request as JSON, in an event (`request_data`) or from `get_request`, read into `oracle.model`.

Contracts of different ages write the same facts differently (amounts as numbers or strings, a flat code source or a tagged one); newer ones
add fields. Unknown fields pass, missing optional ones get the contract's defaults. What a contract let through although nobody can fetch or
run it (a hash of five letters, a limit of 0) is read all the same: such a request has to be answered, and the rooms behind say why.
"""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from oracle.model import BuildTarget, GitHub, Limits, OutputFormat, Request, SecretsRef, Source, WasmUrl, YoctoNear, yocto_from_text

MAX_REQUEST_ID = 2**63 - 1
"""The contract counts from 0 in a u64; a database holds 63 bits, and no contract lives to count further."""

_U64_MAX = 2**64 - 1
_U128_MAX = 2**128 - 1

_U64 = Annotated[int, Field(ge=0, le=_U64_MAX)]
_Amount = Annotated[int, Field(ge=0, le=_U128_MAX)] | Annotated[str, Field(max_length=39)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _GitHub(_Wire):
    repo: str
    commit: str
    build_target: str | None = None


class _WasmUrl(_Wire):
    url: str
    hash: str
    build_target: str | None = None


class _Source(_Wire):
    """`{"GitHub": …}`, `{"WasmUrl": …}`, or the older flat `{repo, commit, build_target}`."""

    github: _GitHub | None = Field(default=None, alias="GitHub")
    wasm_url: _WasmUrl | None = Field(default=None, alias="WasmUrl")
    repo: str | None = None
    commit: str | None = None
    build_target: str | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> "_Source":
        if [self.github, self.wasm_url, self.repo].count(None) != 2:
            raise ValueError("a code source is exactly one of GitHub, WasmUrl and a flat repo")
        return self

    def value(self) -> Source:
        if self.wasm_url is not None:
            return WasmUrl(self.wasm_url.url, self.wasm_url.hash.lower(), _target(self.wasm_url.build_target))
        if self.github is not None:
            return GitHub(self.github.repo, self.github.commit, _target(self.github.build_target))
        return GitHub(self.repo or "", self.commit or "", _target(self.build_target))


class _Limits(_Wire):
    max_instructions: _U64 | None = None
    max_memory_mb: _U64 | None = None
    max_execution_seconds: _U64 | None = None

    def value(self) -> Limits:
        default = Limits()
        return Limits(
            _limit(self.max_instructions, default.max_instructions),
            _limit(self.max_memory_mb, default.max_memory_mb),
            _limit(self.max_execution_seconds, default.max_execution_seconds),
        )


class _SecretsRef(_Wire):
    profile: str
    account_id: str


class _Request(_Wire):
    request_id: Annotated[int, Field(ge=0, le=MAX_REQUEST_ID)]
    sender_id: str
    predecessor_id: str | None = None
    code_source: _Source = Field(validation_alias=AliasChoices("code_source", "execution_source", "resolved_source", "source"))
    resource_limits: _Limits | None = None
    input_data: str | None = None
    input_data_in_state: bool | None = None
    secrets_ref: _SecretsRef | None = None
    response_format: OutputFormat | None = None
    payment: _Amount
    attached_usd: _Amount | None = None
    timestamp: _U64
    compile_only: bool | None = None
    force_rebuild: bool | None = None
    project_uuid: str | None = None
    project_id: str | None = None

    def value(self) -> Request:
        return Request(
            request_id=self.request_id,
            sender_id=self.sender_id,
            predecessor_id=self.predecessor_id or self.sender_id,
            source=self.code_source.value(),
            limits=None if self.resource_limits is None else self.resource_limits.value(),
            input_data=self._input(),
            response_format=self.response_format or OutputFormat.TEXT,
            payment=_yocto(self.payment),
            timestamp_ns=self.timestamp,
            secrets_ref=None if self.secrets_ref is None else SecretsRef(self.secrets_ref.profile, self.secrets_ref.account_id),
            compile_only=self.compile_only or False,
            force_rebuild=self.force_rebuild or False,
            attached_usd="" if self.attached_usd is None else str(_yocto(self.attached_usd)),
            project_id=self.project_id,
            project_uuid=self.project_uuid,
        )

    def _input(self) -> str | None:
        """An event says of a long input only that it lies in the state; `get_request` may say so too, and gives it all the same."""
        if self.input_data_in_state and not self.input_data:
            return None
        return self.input_data or ""


def request_from_json(text: str | bytes) -> Request:
    """
    Read a request.

    Raises:
        ValueError: the text is not JSON, nests deeper than the parser follows (200), or a field is missing or wrong; the message names it.
    """
    try:
        return _Request.model_validate_json(text).value()
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}" if field else problem["msg"]


def _yocto(amount: int | str) -> YoctoNear:
    return YoctoNear(amount) if isinstance(amount, int) else yocto_from_text(amount)


def _limit(given: int | None, default: int) -> int:
    return default if given is None else max(given, 1)  # 0 is allowed nothing, and so is 1


def _target(name: str | None) -> BuildTarget:
    """Older names mean P1, which is also the default; what a URL gives is told by its header anyway."""
    return BuildTarget.WASIP2 if name == BuildTarget.WASIP2 else BuildTarget.WASIP1
