"""Raw tables to tested exports: plan what to rebuild, run dbt by layer, hand the exports to the lake.

plan ► build_layer("intermediate") ► ("metrics") ► ("exports") ► finish
"""

from include.transform.plan import finish, plan
from include.transform.publish import audit, release
from include.transform.runner import LAYERS, build_layer

__all__ = ["LAYERS", "audit", "build", "build_layer", "finish", "plan", "release"]


def build(settings, run_id: str, progress=None) -> dict:
    """The whole transform in one dbt process. Returns the plan it followed, with dbt's counts.

    Raises:
        SuspectData: a model or test failed; nothing is recorded and the exports of the lake stay.
    """
    work = plan(settings, run_id)
    work["counts"] = build_layer(settings, "all", work, run_id, progress)
    finish(settings, work)
    return work
