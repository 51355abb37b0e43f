"""Which bundle is served: follows the current release, swaps whole bundles, keeps the last good one."""

import logging
import shutil
import threading
import time
from pathlib import Path

from consumer.bundle import Bundle, build_bundle
from include.errors import OpenImpactError, SuspectData, Unavailable
from include.lake.releases import list_releases, show_release
from include.settings import Settings

log = logging.getLogger(__name__)

MAX_PINNED = 2
PINNED_S = 600  # an older release stays open so long, so that asking for many in turn does not make us build all day
RELEASE_COLUMNS = ("release_id", "published_at", "run_id", "code_sha", "directory_sha", "notes")


class Serving:
    """`bundle` is what is served now, None before the first release; a request takes it once for all of its answer."""

    def __init__(self, settings: Settings) -> None:
        """Opens the bundle of the current release, or, where that fails, the one served last.

        Where neither can be opened `bundle` is None and `error` says why, until `refresh` finds a release.
        """
        self.settings = settings
        self._folder = settings.home / "bundles"
        self._note = self._folder / "served"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.bundle: Bundle | None = None
        self._pinned: dict[str, tuple[float, Bundle]] = {}
        self._before = ""
        self.error: str | None = None
        if not self.refresh() and self._note.exists():
            try:
                self.bundle = Bundle(self._folder / self._note.read_text())
            except SuspectData as error:
                log.warning("Nothing is served: %s", error)

    def refresh(self) -> bool:
        """Builds and swaps to the current release if another is served; returns whether it did.

        Where that fails, the bundle stays and `error` says why, a sentence; else it is None.
        """
        try:
            if not self.bundle and not self._note.exists() and not list_releases(self.settings):
                return False
            current = show_release(self.settings).release_id
            swap = not self.bundle or current != self.bundle.release_id
            if swap:
                self.bundle = self._open(build_bundle(self.settings, current))
                self._served()
            self.error = None
            return swap
        except OpenImpactError as error:
            if str(error) != self.error:
                log.warning("What is served stays: %s", error)
            self.error = str(error)
            return False

    def opened(self, release_id: str) -> Bundle | None:
        """The bundle of a release, or of 'current', if it is open."""
        if release_id in ("current", self.bundle.release_id):
            return self.bundle
        return self._pinned[release_id][1] if release_id in self._pinned else None

    def pin(self, release_id: str) -> Bundle:
        """The bundle of a retained release, which is built where it is not open; MAX_PINNED stay open.

        Raises:
            FixNeeded: there is no such release.
            Unavailable: as many as may be were opened a moment ago.
            OpenImpactError: it cannot be built now; the message says why.
        """
        if bundle := self.opened(release_id):
            return bundle
        show_release(self.settings, release_id)
        if len(self._pinned) >= MAX_PINNED:
            oldest, (opened_at, _) = next(iter(self._pinned.items()))
            if time.monotonic() - opened_at < PINNED_S:
                raise Unavailable(f"{MAX_PINNED} older releases were opened within {PINNED_S} s; more are not for now.")
            del self._pinned[oldest]
        bundle = self._open(build_bundle(self.settings, release_id))
        self._pinned[bundle.release_id] = (time.monotonic(), bundle)
        self._sweep()
        return bundle

    def releases(self) -> list[dict]:
        """The retained releases, newest first, as columns of releases_v1; where the catalog is away, those of ours."""
        try:
            return [
                {name: getattr(release, name) for name in RELEASE_COLUMNS} for release in list_releases(self.settings)
            ]
        except OpenImpactError:
            columns = ", ".join(RELEASE_COLUMNS)
            return self.bundle.rows(f"select {columns} from oso.releases_v1 order by release_id desc")

    def follow(self, every_s: float) -> None:
        """Refreshes in the background until `close`."""

        def loop() -> None:
            while not self._stop.wait(every_s):
                try:
                    self.refresh()
                except Exception:
                    log.exception("What is served stays; the next release is looked for again")

        self._thread = threading.Thread(target=loop, name="bundles", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the background thread."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _open(self, folder: Path) -> Bundle:
        """Opens a bundle; one that is spoilt is deleted, so that it is built again."""
        try:
            return Bundle(folder)
        except SuspectData:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _served(self) -> None:
        """Notes what is served for the next start, and deletes all bundles but it and the one before."""
        self._before = self._note.read_text() if self._note.exists() else ""
        if self._before == self.bundle.release_id:
            return
        new = self._note.with_suffix(".new")
        new.write_text(self.bundle.release_id)
        new.replace(self._note)
        self._sweep()

    def _sweep(self) -> None:
        """Deletes all bundles but what is served, the one before and the pinned ones."""
        for folder in self._folder.glob("[!.]*/"):
            if folder.name not in (self._before, self.bundle.release_id, *self._pinned):
                shutil.rmtree(folder, ignore_errors=True)
