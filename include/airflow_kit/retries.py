"""Retries by kind of error: what may pass is tried again, what a person must mend fails at once."""

from datetime import UTC, datetime, timedelta

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule

from include.errors import FixNeeded, RateLimited, SuspectData, TryLater

RETRIES = 4
WAITS = 12  # tries in all where an upstream said when its quota opens: half a day of an hourly one
MARGIN = timedelta(seconds=10)  # after an upstream's quota opens


class ByError(ExceptionRetryPolicy):
    """The rules; a rate limit that says when it opens again is waited out until then."""

    def evaluate(self, exception, try_number, max_tries, context=None) -> RetryDecision:
        """What to do after `exception`."""
        tries = WAITS - (max_tries - try_number)  # since the task was cleared
        if isinstance(exception, RateLimited) and exception.retry_at and tries <= WAITS:
            wait = max(exception.retry_at - datetime.now(UTC), timedelta(0)) + MARGIN
            return RetryDecision.retry(wait, f"the upstream's quota is spent until {exception.retry_at:%H:%M} UTC")
        if tries > RETRIES:
            return RetryDecision.fail(f"it failed {tries} times")
        return super().evaluate(exception, try_number, max_tries, context)


POLICY = ByError(
    rules=[
        RetryRule(exception=FixNeeded, action=RetryAction.FAIL, reason="a person must change something first"),
        RetryRule(
            exception=SuspectData, action=RetryAction.FAIL, reason="the data is not believable; the last good stays"
        ),
        RetryRule(
            exception=RateLimited,
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=15),
            reason="the upstream's quota is spent",
        ),
        RetryRule(
            exception=TryLater,
            action=RetryAction.RETRY,  # without a delay of its own the task's, which doubles
            reason="the upstream does not answer or has not published yet",
        ),
    ]
)
TASK = {
    "retries": WAITS,
    "retry_policy": POLICY,
    "retry_delay": timedelta(minutes=5),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(hours=1),
}
