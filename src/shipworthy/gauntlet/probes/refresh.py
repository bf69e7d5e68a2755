"""P8: refresh tokens rotate, twenty tabs at once log nobody out, and a stolen one ends its family.

Four questions on pairs of one person. Twenty refreshes at the same moment with the same token are
what two tabs and a slow network make every day: they must leave one lineage that works, not twenty
(forks hide a thief) and not none (the person is logged out). A token used again after the grace
the app declares is a copy in two hands: it must be refused, and what came of it must end.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from shipworthy.contract.finding import Evidence, Finding, Measure
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.call import subject_of
from shipworthy.gauntlet.check import Undecided
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import Answer
from shipworthy.gauntlet.probes.token_pairs import TokenClient, claims_of
from shipworthy.gauntlet.subjects import ask_each

AT_ONCE = 20
SKEW_S = 5  # between the moment of asking and that of signing, on a busy machine
GRACE_QUICK_S = 1.5  # a longer one is waited for in the full gauntlet only
GRACE_S_MAX = 120.0
GRACE_MARGIN_S = 0.5
_SUBJECTS = ("rotation", "parallel", "lifetime", "replay")  # the one that waits comes last


async def refresh_rotation(exam: Exam) -> Sequence[Finding]:
    """Return one finding for each of the four questions."""
    tokens = exam.manifest.tokens
    assert tokens is not None, "the check needs the capability 'tokens'"
    client = TokenClient(exam, tokens, exam.people[0])
    source = next((r.source for r in exam.manifest.routes if subject_of(r) == tokens.refresh), "")
    asked = _Asked(exam, client, source)
    ask = {
        "rotation": asked.rotation,
        "parallel": asked.parallel,
        "lifetime": asked.lifetime,
        "replay": asked.replay,
    }
    return await ask_each(
        exam, [(name, name) for name in _SUBJECTS], lambda name, _: ask[name](), source=lambda _: source
    )


class _Asked:
    """The four questions about one client."""

    def __init__(self, exam: Exam, client: TokenClient, source: str) -> None:
        self._exam, self._client, self._source = exam, client, source
        self._tokens = client.tokens

    async def rotation(self) -> Finding:
        """A refresh gives another refresh token, and both halves of the new pair work."""
        first = await self._client.issue()
        answer, second = await self._client.refresh(first)
        said = [("refresh with the first token", _status(answer))]
        if second is None:
            return self._fails(
                "rotation", "a refresh token it has just given is refused", "The first refresh did not succeed.",
                "Accept each refresh token once, until it expires.", said,
            )  # fmt: skip
        if second.refresh == first.refresh:
            return self._fails(
                "rotation",
                "the refresh token stays the same",
                "After a refresh the same refresh token is valid on: a copy of it works as long as the original, "
                "and nobody ever notices (RFC 9700, 4.14.2).",
                "Give a new refresh token with each refresh, and take the old one back in the same statement.",
                said,
            )
        opened = await self._client.opens(second)
        said.append((f"{self._tokens.opens or 'no guarded route declared'}", str(opened or "")))
        again, third = await self._client.refresh(second)
        said.append(("refresh with the second token", _status(again)))
        if third is None or opened not in (None, 200):
            return self._fails(
                "rotation", "the pair it gives on refresh does not work",
                "The new tokens are refused, so the person is logged out at the next step.",
                "Store the new token before the answer is sent.", said,
            )  # fmt: skip
        return self._holds("rotation", "A refresh gives a new pair that works", said)

    async def parallel(self) -> Finding:
        """So many refreshes at once with one token leave one lineage that works."""
        first = await self._client.issue()
        outcomes = await asyncio.gather(*(self._client.refresh(first) for _ in range(AT_ONCE)))
        statuses = Counter(_status(answer) for answer, _ in outcomes)
        said = [
            (f"{AT_ONCE} refreshes at once: {times} answers", status) for status, times in statuses.items()
        ]
        lineages = list({pair.refresh: pair for _, pair in outcomes if pair is not None}.values())
        alive = 0
        for pair in lineages:
            answer, after = await self._client.refresh(pair)
            alive += after is not None
            said.append(("then a refresh with a token from these answers", _status(answer)))
        measure = Measure(
            name="lineages that work afterwards", unit="lineages", estimate=alive, bound=1, samples=AT_ONCE
        )
        if errors := [status for status in statuses if not status.isdecimal() or int(status) >= 500]:
            return self._fails(
                "parallel", f"refreshing {AT_ONCE} times at once breaks it ({', '.join(errors)})",
                "Refreshes that meet get a server error or no answer.",
                "Let the losers of the race read what the winner has written.", said, measure,
            )  # fmt: skip
        if not alive:
            return self._fails(
                "parallel",
                f"refreshing {AT_ONCE} times at once logs the person out",
                "No token of these answers works any more: two tabs that refresh at the same moment are taken for a "
                "thief.",
                "Rotate with one compare-and-swap, and for some seconds give who comes second the successor that the "
                "first one got.",
                said,
                measure,
            )
        if alive > 1:
            return self._fails(
                "parallel",
                f"one refresh token used {AT_ONCE} times at once becomes {alive} that work",
                f"{alive} lineages live on side by side, so a thief's cannot be told from the person's.",
                "Take the old token back in the statement that makes the new one (update … where counter = $2 "
                "returning), and give the losers the same successor.",
                said,
                measure,
            )
        return self._holds(
            "parallel", f"{AT_ONCE} refreshes at once leave one lineage that works", said, measure
        )

    async def lifetime(self) -> Finding:
        """An access token says that it lives as long as was declared."""
        declared = self._tokens.ttl_s
        pair = await self._client.issue()
        claims = claims_of(pair.access)
        told: list[tuple[str, float]] = []
        if pair.expires_in is not None:
            told.append(("expires_in", pair.expires_in))
        if claims is not None and isinstance(claims.get("exp"), (int, float)):
            told.append(("exp, from now", claims["exp"] - pair.at_s))
        said = [(name, f"{seconds:,.0f} s") for name, seconds in told]
        if declared is None:
            return self._exam.finding(
                "lifetime", Verdict.NOT_MEASURED, "How long an access token lives is not declared",
                cause="No ttl_s is declared.", fix="Add ttl_s to [tokens].", source=self._source,
            )  # fmt: skip
        if claims is not None and "exp" not in claims:
            return self._fails(
                "lifetime", "an access token never expires", "It is a JWT without exp.",
                f"Sign exp = now + {declared} into it.", said,
            )  # fmt: skip
        if not told:
            raise Undecided(
                "The access token is opaque and its answer does not say expires_in.",
                fix="Say expires_in (RFC 6749, 5.1).",
            )
        wrong = [(name, seconds) for name, seconds in told if abs(seconds - declared) > SKEW_S]
        measure = Measure(name="lifetime", unit="s", estimate=round(told[-1][1]), bound=declared)
        if wrong:
            name, seconds = wrong[0]
            return self._fails(
                "lifetime", f"an access token lives {seconds:,.0f} s where {declared:,} were declared",
                f"{name} says {seconds:,.0f} s.", "Let the lifetime come from the one setting that is declared.",
                said, measure,
            )  # fmt: skip
        return self._holds("lifetime", f"An access token lives {declared:,} s, as declared", said, measure)

    async def replay(self) -> Finding:
        """A refresh token used again after its grace is refused, and its family ends."""
        grace_s = self._tokens.grace_s
        if grace_s > (GRACE_QUICK_S if self._exam.mode == "quick" else GRACE_S_MAX):
            limit = "in the quick gauntlet" if self._exam.mode == "quick" else "at all"
            return self._exam.finding(
                "replay", Verdict.NOT_MEASURED, "A stolen refresh token: not tried",
                cause=f"The declared grace of {grace_s:g} s is not waited for {limit}.",
                fix="Run: shipworthy gauntlet --full, or shorten the grace for the examination.", source=self._source,
            )  # fmt: skip
        stolen = await self._client.issue()
        bystander = await self._client.issue()
        _, theirs = await self._client.refresh(stolen)
        if theirs is None:
            raise Undecided("The first refresh did not succeed, so there is nothing to replay.")
        await _until(time.monotonic() + grace_s + (GRACE_MARGIN_S if grace_s else 0))
        replayed, thiefs = await self._client.refresh(stolen)
        victim, _ = await self._client.refresh(theirs)
        other, others = await self._client.refresh(bystander)
        said = [
            ("the used token, again", _status(replayed)),
            ("then the token that came of it", _status(victim)),
            ("the token of another sign-in", _status(other)),
        ]
        if thiefs is not None:
            return self._fails(
                "replay",
                "a refresh token that was used before is accepted again",
                f"{grace_s:g} s after its first use it still gives a new pair: whoever copied it stays in.",
                "Refuse a token whose successor exists, and revoke every token of its family.",
                said,
            )
        if not _is_refusal(replayed, self._tokens.refused):
            raise Undecided(
                f"The replay was answered {_status(replayed)}, which is neither a pair nor a refusal."
            )
        if victim is not None and victim.status in self._tokens.ok:
            return self._fails(
                "replay",
                "a stolen refresh token is refused, but what came of it lives on",
                "A token was used twice, so one of two hands is a thief's, and nobody knows which; the other one "
                "stays signed in.",
                "When a used token comes back, revoke its whole family, and tell the person.",
                said,
            )
        if others is None:
            said.append(("note", "the replay ended another sign-in of the same person, too"))
        return self._holds("replay", "A refresh token used twice is refused and ends its family", said)

    def _holds(self, subject: str, title: str, said: list[tuple[str, str]], *measures: Measure) -> Finding:
        return self._exam.finding(
            subject, Verdict.PASS, title, severity=Severity.LOW, source=self._source,
            measures=measures, evidence=(_evidence(said),),
        )  # fmt: skip

    def _fails(
        self, subject: str, what: str, cause: str, fix: str, said: list[tuple[str, str]], *measures: Measure
    ) -> Finding:
        title = f"{self._tokens.refresh}: {what}"
        return self._exam.finding(
            subject, Verdict.FAIL, title, cause=cause, fix=fix, source=self._source,
            measures=measures, evidence=(_evidence(said),),
        )  # fmt: skip


async def _until(deadline_s: float) -> None:
    await asyncio.sleep(max(0.0, deadline_s - time.monotonic()))


def _is_refusal(answer: Answer | None, refused: tuple[int, ...]) -> bool:
    return answer is not None and answer.status in refused


def _status(answer: Answer | None) -> str:
    return str(answer.status) if answer is not None else "no answer"


def _evidence(said: list[tuple[str, str]]) -> Evidence:
    return table_evidence("Asked in this order (tokens left out)", ("asked", "answered"), said)
