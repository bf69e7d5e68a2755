"""Wrong tokens and wrong ways back, each of which a sound app refuses: the table, and the asking.

In this flow the ID token comes straight from the provider, and OpenID lets an app trust the
connection instead of the signature. On loopback and behind many proxies there is no such
connection, and the same code is used for tokens that come by other ways: it must verify.
"""

from __future__ import annotations

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.probes.oauth_scene import Case, Scene, evidence_of, uncleanness

_ALGORITHM = "Verify with a fixed list of algorithms of your own; never with the one the token names."
_KEYS = (
    "Take keys from the jwks_uri of the provider's discovery document only, by kid; ignore jku, x5u and jwk."
)
_CLAIMS = "Compare iss with the provider's issuer and aud with your client_id, letter for letter."
_TIMES = "Check exp and nbf, with at most 60 s of leeway for clocks that differ."
_NONCE = "Send a fresh nonce, keep it with the browser's sign-in, and compare it with the token's."
_STATE = "Keep state with the browser that began the sign-in, and refuse a way back without it."
_ISS = "The provider announces the iss parameter (RFC 9207): compare it before using the code."

# Those whose key no one publishes come last: they may make the app pause between key fetches.
WITH_KNOWN_KEYS = (
    Case(
        name="alg_none", what="an ID token that is not signed", fix=_ALGORITHM, conduct={"token": "alg_none"}
    ),
    Case(
        name="hs256_public_key",
        what="an ID token signed with the public key as a shared secret",
        fix=_ALGORITHM,
        conduct={"token": "hs256_public_key"},
    ),
    Case(
        name="bad_signature",
        what="an ID token whose signature is wrong",
        fix="Verify the signature before reading a claim.",
        conduct={"token": "bad_signature"},
    ),
    Case(
        name="wrong_kid",
        what="an ID token that names another published key than the one that signed it",
        fix="Verify with the key that the token's kid names, and with no other.",
        severity=Severity.LOW,
        conduct={"token": "wrong_kid"},
    ),
    Case(name="wrong_iss", what="an ID token of another issuer", fix=_CLAIMS, conduct={"token": "wrong_iss"}),
    Case(
        name="wrong_aud", what="an ID token made for another app", fix=_CLAIMS, conduct={"token": "wrong_aud"}
    ),
    Case(
        name="expired", what="an ID token that ended 5 minutes ago", fix=_TIMES, conduct={"token": "expired"}
    ),
    Case(
        name="expired_61_s",
        what="an ID token that ended 61 s ago",
        fix=_TIMES,
        severity=Severity.LOW,
        conduct={"token": "expired", "off_s": 61.0},
    ),
    Case(
        name="not_yet_valid",
        what="an ID token that is not valid yet",
        fix=_TIMES,
        severity=Severity.MEDIUM,
        conduct={"token": "not_yet_valid"},
    ),
    Case(
        name="not_yet_valid_61_s",
        # 61 s when it is looked at: getting there may take all the time an answer may take.
        what="an ID token that is not valid for another 61 s",
        fix=_TIMES,
        severity=Severity.LOW,
        conduct={"token": "not_yet_valid", "off_s": 71.0},
    ),
    Case(
        name="wrong_state",
        what="a way back with a wrong state",
        fix=_STATE,
        conduct={"callback": "wrong_state"},
    ),
    Case(name="no_state", what="a way back without state", fix=_STATE, conduct={"callback": "no_state"}),
    Case(
        name="wrong_iss_param",
        what="a way back from another issuer",
        fix=_ISS,
        conduct={"callback": "wrong_iss"},
    ),
    Case(
        name="no_iss_param",
        what="a way back that does not say from whom",
        fix=_ISS,
        severity=Severity.MEDIUM,
        conduct={"callback": "no_iss"},
    ),
    Case(
        name="denied",
        what="a sign-in to which the person said no",
        fix="Show a page that says so, with a way to try again.",
        severity=Severity.MEDIUM,
        conduct={"callback": "denied"},
    ),
)
WITH_NONCE = (
    Case(
        name="wrong_nonce",
        what="an ID token with another nonce",
        fix=_NONCE,
        conduct={"token": "wrong_nonce"},
    ),
    Case(name="no_nonce", what="an ID token without a nonce", fix=_NONCE, conduct={"token": "no_nonce"}),
)
WITH_UNKNOWN_KEYS = (
    Case(
        name="unknown_kid",
        what="an ID token signed by a key nobody publishes",
        fix=_KEYS,
        conduct={"token": "unknown_kid"},
    ),
    Case(
        name="jku",
        what="an ID token whose header points to its own keys (jku)",
        fix=_KEYS,
        severity=Severity.CRITICAL,
        conduct={"token": "jku_attacker"},
    ),
    Case(
        name="x5u",
        what="an ID token whose header points to its own certificate (x5u)",
        fix=_KEYS,
        severity=Severity.CRITICAL,
        conduct={"token": "x5u_attacker"},
    ),
    Case(
        name="embedded_jwk",
        what="an ID token whose header brings its own key (jwk)",
        fix=_KEYS,
        severity=Severity.CRITICAL,
        conduct={"token": "embedded_jwk"},
    ),
)


async def refused(scene: Scene, case: Case) -> Finding:
    """Return whether the app refuses what the stub does wrong, and lets the next good one in."""
    assert case.conduct is not None
    fetched = scene.stub.counts.get("attacker", 0)
    arrival = await scene.attempt(**case.conduct)
    evidence = (*evidence_of(arrival), *(scene.token_evidence() if "token" in case.conduct else ()))
    if arrival.is_signed_in:
        title = f"{_capital(case.what)} signs a person in"
        return scene.finding(case, Verdict.FAIL, title, cause="The session is real.", evidence=evidence)
    if scene.stub.counts.get("attacker", 0) > fetched:
        return scene.finding(
            case,
            Verdict.FAIL,
            f"{_capital(case.what)} makes the app fetch from an address of the attacker's choice",
            cause="It refused the token in the end, but its server can be sent anywhere by whoever writes one.",
            evidence=evidence,
        )
    await scene.recovered()
    if wrong := uncleanness(arrival.answer, arrival.silence):
        return scene.finding(
            case,
            Verdict.FAIL,
            f"{_capital(case.what)} is refused, but not well",
            severity=Severity.LOW,
            cause=wrong,
            fix="Answer with a page that says that the sign-in failed and how to begin again.",
            evidence=evidence,
        )
    return scene.finding(case, Verdict.PASS, f"{_capital(case.what)} is refused", evidence=evidence)


async def nonce_refused(scene: Scene, case: Case) -> Finding:
    """Return the same for a nonce. An app that sends none has nothing to compare: PKCE binds its code."""
    if "nonce" not in await scene.asked():
        return scene.finding(
            case,
            Verdict.NOT_MEASURED,
            f"{_capital(case.what)}: not measured",
            cause="The app sends no nonce; its code is bound to the browser by PKCE alone.",
        )
    return await refused(scene, case)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
