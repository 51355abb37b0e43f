"""What other sites show of ours: badges, chart files, embedded charts, pictures for link previews."""

from starlette.routing import Route

from consumer.widgets import badges, embeds, pictures, previews


def routes() -> list[Route]:
    """The routes of all widgets."""
    return [*badges.routes(), *pictures.routes(), *embeds.routes(), *previews.routes()]
