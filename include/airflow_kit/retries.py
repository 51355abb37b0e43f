"""Retries by kind of error: what may pass is tried again, what a person must mend fails at once."""

from datetime import timedelta

from airflow.sdk.definitions.retry_policy import ExceptionRetryPolicy, RetryAction, RetryRule

from include.errors import FixNeeded, RateLimited, SuspectData, TryLater

RETRIES = 4
POLICY = ExceptionRetryPolicy(
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
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=5),
            reason="the upstream does not answer or has not published yet",
        ),
    ]
)
TASK = {"retries": RETRIES, "retry_policy": POLICY, "retry_delay": timedelta(minutes=5)}
