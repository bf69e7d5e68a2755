"""What the edge says to whom it turns away: what happened, what to do, and the number an operator finds it by."""

from __future__ import annotations

from typing import ClassVar

from shipworthy.kernel.edge.challenge import Challenge
from shipworthy.kernel.edge.limits import retry_after_s
from shipworthy.kernel.errors import Busy, Forbidden, Refusal, TooMany
from shipworthy.kernel.language import _


class NotPlain(Refusal):
    """The request is written in a way that only serves to be read differently by two readers."""

    kind: ClassVar[str] = "malformed"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "edge.not_plain",
            _(
                "This request is not written plainly, as UTF-8 encoded once. Send it again without what is encoded twice or broken. If you wrote nothing unusual, tell us its number: {number}.",
                number=request_id,
            ),
        )


class HeadTooLarge(Refusal):
    kind: ClassVar[str] = "head_too_large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(
            "edge.head_too_large",
            _(
                "The headers and cookies of a request may hold at most {bytes_max} bytes. Delete the cookies of this address, then try again.",
                bytes_max=bytes_max,
            ),
        )


class Compressed(Refusal):
    kind: ClassVar[str] = "media_type"

    def __init__(self) -> None:
        super().__init__(
            "edge.compressed", _("Bodies are taken as they are. Send this one without compressing it.")
        )


class ChallengeNeeded(Refusal):
    """Something has to be computed first; programs find what in the members of the problem."""

    kind: ClassVar[str] = "forbidden"

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(
            "edge.challenge",
            _(
                "Many sign-ins are being tried with stolen passwords right now. Your password was not looked at: let your browser compute what the form asks for, then sign in again."
            ),
        )
        self.challenge = challenge
        self.members = {"challenge": challenge.text, "bits": challenge.bits}


def looks_like_attack(request_id: str) -> Refusal:
    return Forbidden(
        "edge.attack",
        _(
            "This request looks like an attack and was not let through. If it was none, tell us its number: {number}.",
            number=request_id,
        ),
    )


def too_often(wait_s: float) -> Refusal:
    """For people and programs. Whom search engines send is told `busy_now`: a 429 or 403 takes pages out of an index."""
    wait = retry_after_s(wait_s)
    return TooMany(
        "edge.too_often",
        _("Too many requests came from your network. Wait {seconds} seconds, then try again.", seconds=wait),
        retry_after_s=wait,
    )


def busy_now(wait_s: float) -> Refusal:
    wait = retry_after_s(wait_s)
    return Busy(
        "edge.busy",
        _("We cannot answer more at the moment. Come back in {seconds} seconds.", seconds=wait),
        retry_after_s=wait,
    )
