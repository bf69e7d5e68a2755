"""An OpenFeature provider over `flags.json`: no daemon, no thread; the file is looked at when somebody asks.

A file that cannot be understood changes nothing: the last good one stays in force, and that is said
once in the log and in `problem` for as long as it lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.flags.file import BYTES_MAX, FlagSet, read_flags
from shipworthy.kernel.flags.targeting import evaluate
from shipworthy.kernel.telemetry.log import log

LOOK_AGAIN_S = 0.5  # how long a changed file may go unnoticed


class FileProvider(AbstractProvider):
    """One file. `clock` is monotonic seconds; tests move it."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.file, self._clock = path, clock
        self._flags, self._stamp = FlagSet(), (0, 0, 0)
        self._looked_s = float("-inf")
        self.problem = ""
        self.flags()

    def get_metadata(self) -> Metadata:
        return Metadata(name="flags.json")

    def flags(self) -> FlagSet:
        """Return what is in force, looking at the file when the last look is too old."""
        if self._clock() - self._looked_s >= LOOK_AGAIN_S:
            self.look_now()
        return self._flags

    def look_now(self) -> None:
        """Look at the file, whenever the last look was."""
        self._looked_s = self._clock()
        self._look()

    def _look(self) -> None:
        try:
            found = self.file.stat()
        except FileNotFoundError:
            self._flags, self._stamp, self.problem = FlagSet(), (0, 0, 0), ""  # no file: the code's defaults
            return
        except OSError as failed:
            self._keep(f"{self.file} cannot be read: {failed.strerror}")
            return
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            if found.st_size > BYTES_MAX:
                raise Undecodable(f"larger than {BYTES_MAX} bytes", path="", source=self.file.name)
            self._flags, self.problem = read_flags(self.file.read_text(encoding="utf-8")), ""
        except (Undecodable, UnicodeDecodeError, OSError) as broken:
            self._keep(str(broken))

    def _keep(self, problem: str) -> None:
        if problem != self.problem:
            log.error("flags not understood, the last good ones stay", extra={"reason": problem[:500]})
        self.problem = problem

    def _resolve(self, name: str, default: Any, kinds: type | tuple[type, ...], context: EvaluationContext | None) -> FlagResolutionDetails[Any]:  # fmt: skip
        state = self.flags().flags.get(name)
        if state is None:
            return FlagResolutionDetails(default, error_code=ErrorCode.FLAG_NOT_FOUND, reason=Reason.DEFAULT)
        if state.is_killed:
            return FlagResolutionDetails(default, reason=Reason.DISABLED)
        key = (context.targeting_key or "") if context else ""
        facts = {**(context.attributes if context else {}), "targetingKey": key}
        variant = evaluate(state.targeting, facts, flag=name, key=key)
        reason = Reason.STATIC if state.targeting is None else Reason.TARGETING_MATCH
        if variant is True or variant is False:  # JsonLogic's own booleans name variants of that name
            variant = str(variant).lower()
        if variant not in state.variants:
            variant, reason = (
                state.default_variant,
                Reason.STATIC if state.targeting is None else Reason.DEFAULT,
            )
        value = state.variants[variant]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            return FlagResolutionDetails(default, error_code=ErrorCode.TYPE_MISMATCH, reason=Reason.ERROR)
        return FlagResolutionDetails(value, reason=reason, variant=variant)

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, default_value, bool, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, str, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, default_value, int, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return self._resolve(flag_key, default_value, (int, float), evaluation_context)

    def resolve_object_details(
        self, flag_key: str, default_value: Any, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[Any]:
        return self._resolve(flag_key, default_value, (dict, list), evaluation_context)
