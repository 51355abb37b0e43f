"""Jobs that are measured: one process each, one core, CPU and memory by the kernel's own count."""

import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]


class JobFailed(Exception):
    """A job ended with an error; its last words are the message."""


class Cpu:
    """`with Cpu() as cpu: ...` then `cpu.seconds`: of this process and the children that it waited for."""

    def __enter__(self) -> "Cpu":
        self._start = self._used()
        return self

    def __exit__(self, *error) -> None:
        self.seconds = self._used() - self._start

    @staticmethod
    def _used() -> float:
        usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run(job: Callable[..., dict], *arguments, timeout_s: int = 900) -> dict:
    """What `job(*arguments)` returns in a fresh process; adds rss_mb, its peak. Arguments must be JSON values.

    Raises:
        JobFailed: the job raised.
    """
    command = [sys.executable, "-m", __name__, job.__module__, job.__name__, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode:
        raise JobFailed((done.stderr.strip().splitlines() or ["no message"])[-1][:500])
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(repeat: int, *calls: tuple) -> list[dict]:
    """Runs each (job, arguments...) `repeat` times, one after the other in turn; the median of every number."""
    runs = [[run(*call) for call in calls] for _ in range(max(1, repeat))]
    return [
        {key: statistics.median(result[key] for result in results) for key in results[0]}
        for results in zip(*runs, strict=True)
    ]


def verdict(what: str, ratio: float, goal: float, *, most: bool = True, detail: str = "") -> str:
    """One printed line: the ratio, its goal (at most, or at least) and whether it was met."""
    met = ratio <= goal if most else ratio >= goal
    bound = "at most" if most else "at least"
    return f"{what}: {ratio:.2f} (goal {bound} {goal:g}) goal {'met' if met else 'missed'}{detail and f' | {detail}'}"


def _child(module: str, name: str, arguments: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    result = getattr(importlib.import_module(module), name)(*json.loads(arguments))
    result["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


if __name__ == "__main__":
    _child(*sys.argv[1:])
