"""Source to wasm: fetched or built, verified, and kept in a bounded cache."""

from oracle.build.artifacts import MAX_WASM_BYTES, ArtifactCache
from oracle.build.code import CodeProvider
from oracle.build.ziglang import ZigCompiler, has_ziglang

__all__ = ["MAX_WASM_BYTES", "ArtifactCache", "CodeProvider", "ZigCompiler", "has_ziglang"]
