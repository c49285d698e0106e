"""What a request may use at most."""

from dataclasses import dataclass

BYTES_A_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """`resource_limits` of a request; the contract's defaults for fields left out."""

    max_instructions: int = 1_000_000_000
    max_memory_mb: int = 128
    max_execution_seconds: int = 60

    def __post_init__(self) -> None:
        for name in ("max_instructions", "max_memory_mb", "max_execution_seconds"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")

    @property
    def max_memory_bytes(self) -> int:
        """Linear memory a guest may reach, in bytes."""
        return self.max_memory_mb * BYTES_A_MB


@dataclass(frozen=True, slots=True)
class MaxLimits:
    """The contract's caps (`get_max_limits`)."""

    max_instructions: int = 100_000_000_000
    max_execution_seconds: int = 60
    max_compile_seconds: int = 300
