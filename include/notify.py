"""An alert as a message: what went wrong, what it affects and where to look; and its way to a Slack-compatible webhook.

The texts hold what upstreams said, so that nothing of them is markup, a link or a mention where they are shown.
"""

import html
import re
from dataclasses import dataclass

from include.errors import FixNeeded
from include.http import HttpClient

LONGEST = 600  # characters of one sentence
MARKDOWN = re.compile(r"([\\`*\[\]<>&|~])")


@dataclass(frozen=True, kw_only=True)
class Alert:
    """`what` is a headline, `why` one sentence a cause, `affects` names what is stale now, `link` is a page's URL."""

    what: str
    why: tuple[str, ...]
    affects: str = ""
    link: str = ""


def one_line(text: str) -> str:
    """The text without line breaks and control characters, at most LONGEST characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def as_markdown(text: str) -> str:
    """One line that Markdown shows as it is."""
    return MARKDOWN.sub(r"\\\1", one_line(text))


def as_slack(alert: Alert) -> str:
    """The message in Slack's markup; a mention in it calls nobody, there or in Mattermost."""
    lines = [f"*{_for_slack(alert.what)}*", *(_for_slack(why) for why in alert.why)]
    lines += [f"Affects: {_for_slack(alert.affects)}"] if alert.affects else []
    return "\n".join([*lines, *([alert.link] if alert.link else [])])


def as_html(alert: Alert) -> str:
    """The message as the body of an e-mail."""
    lines = [f"<p><b>{html.escape(alert.what)}</b></p>", *(f"<p>{html.escape(one_line(why))}</p>" for why in alert.why)]
    lines += [f"<p>Affects: {html.escape(alert.affects)}</p>"] if alert.affects else []
    lines += [f'<p><a href="{html.escape(alert.link)}">{html.escape(alert.link)}</a></p>'] if alert.link else []
    return "\n".join(lines)


def post(webhook: str, alert: Alert) -> None:
    """Posts the alert to a Slack-compatible webhook, whose whole URL is a secret and in no message.

    Raises:
        FixNeeded: it is no http(s) URL, or the webhook refuses it.
        TryLater: it does not answer.
    """
    if not webhook.startswith(("https://", "http://")):
        raise FixNeeded("The password of connection openimpact_slack must be the webhook's whole http(s) URL.")
    HttpClient().json(webhook, body={"text": as_slack(alert)}, decode=bytes, place="the webhook of openimpact_slack")


def _for_slack(text: str) -> str:
    return html.escape(one_line(text), quote=False).replace("@", "@\u200b")
