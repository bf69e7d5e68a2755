"""The arithmetic of tests that may be looked at after every event (anytime-valid).

Owns the steps of four e-processes: capital that starts at 1 and, while the version is
healthy, is expected never to grow. By Ville's inequality (1939) it ever reaches 1/alpha with
probability at most alpha, however often one looks. Every step takes plain numbers or arrays
(one entry per simulated canary), so the simulation runs the very steps the product runs.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", float, npt.NDArray[np.float64])

# Capital is not carried beyond this: more would only make a recovered canary wait for ever.
CAPITAL_MAX = 1e9

# Where the capital of the error test is bet: most of it on "bad from the first request", so that
# nine failures in a row are enough; the rest is spread over every later moment as 1/((k-1) k),
# which adds up to one. Without it a thousand good requests hide the next eighty failures.
FIRST_SHARE = 0.97


def start_share(position: Number) -> Number:
    """Return the share of the capital bet on "it went bad at this request" (the first is 1)."""
    later = (1.0 - FIRST_SHARE) / (np.maximum(position - 1.0, 1.0) * np.maximum(position, 2.0))
    return cast(Number, np.where(np.asarray(position) <= 1.0, FIRST_SHARE, later)[()])


def failure_step(capital: Number, *, position: Number, failed: Number, healthy: float, bad: float) -> Number:
    """Return the capital bet on "the failure share rose from `healthy` to `bad`" after one more request.

    `failed` is 1 or 0; `position` counts this process's requests, this one included.

    Source:  Wald, Sequential Analysis (1947), the ratio of the binomial; the mixture over the
             moment of change: Shiryaev and Roberts' recursion with weights that add up to one.
    """
    ratio = np.where(np.asarray(failed) > 0, bad / healthy, (1.0 - bad) / (1.0 - healthy))
    return cast(Number, np.minimum((capital + start_share(position)) * ratio, CAPITAL_MAX)[()])


def split_step(capital: Number, *, share: Number, of_canary: Number, odds: float) -> Number:
    """Return the capital bet on "failures are the canary's own" after one more failure of either arm.

    `share` is the canary's share of the requests so far: healthy arms fail in that proportion.
    The bet is that the canary's odds are `odds` times those.

    Source:  the likelihood ratio of a binomial split, with a share known before each failure.
    """
    own = odds * share / (odds * share + 1.0 - share)
    ratio = np.where(np.asarray(of_canary) > 0, own / share, (1.0 - own) / (1.0 - share))
    return cast(Number, np.minimum(capital * ratio, CAPITAL_MAX)[()])


def complaint_step(capital: Number, *, position: Number, of_canary: Number, odds: float) -> Number:
    """Return the capital bet on "the canary's sessions fail more" after one more second in which one arm's did.

    A session falls to either arm with the same probability, so while the arms are alike it is a throw of a
    fair coin which of them has more failing ones, whatever the cause and whichever tenant's they are. The
    bet is that from some second on the canary's odds are `odds`. `position` counts the throws, this one included.

    Source:  the likelihood ratio of a fair coin; the mixture over the moment of change as in `failure_step`.
    """
    ratio = np.where(np.asarray(of_canary) > 0, 2.0 * odds / (1.0 + odds), 2.0 / (1.0 + odds))
    return cast(Number, np.minimum((capital + start_share(position)) * ratio, CAPITAL_MAX)[()])


def bet_size(count: Number, total: Number, squares: Number, *, bet_max: float) -> Number:
    """Return what share of the capital to bet next, from the earlier gains alone.

    Source:  the aGRAPA bet, Waudby-Smith and Ramdas, Estimating means of bounded random
             variables by betting, J. R. Statist. Soc. B 86 (2024), section B.3.
    """
    # One imagined gain of 0 with variance a quarter: before anything is seen the bet is small.
    mean = total / (count + 1.0)
    variance = (squares + 0.25) / (count + 1.0) - mean**2
    bet: Any = np.clip(mean / np.maximum(variance + mean**2, 1e-9), 0.0, bet_max)
    return cast(Number, bet[()])


def gain_step(capital: Number, *, gain: Number, bet: Number) -> Number:
    """Return the capital after a gain in [-2, 2] that the null expects to be at most 0.

    Source:  as `bet_size`: the product of 1 + bet * gain.
    """
    return cast(Number, np.minimum(capital * (1.0 + bet * gain), CAPITAL_MAX)[()])
