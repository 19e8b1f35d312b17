"""The web page: the built files of `web/dist`, under a policy that lets them load nothing from anywhere else."""

from pathlib import Path
from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pipeline.settings import ROOT

DIST: Final = ROOT / "web" / "dist"

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",  # photos come through the file field
}


class _Page(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file. Raises HTTPException 404 or 405, told in our envelope like every other error."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        # Vite names assets by their content: a new build has new names
        fixed = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fixed else "no-cache"
        return response


def page_routes(folder: Path = DIST) -> list[BaseRoute]:
    """One route for each file of the page, and no more: a mount at `/` would swallow the 405 of every other route.

    Raises RuntimeError when the page was not built.
    """
    files = GZipMiddleware(_Page(directory=folder, html=True), minimum_size=1_000, compresslevel=6)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return [Route(path, files) for path in ("/", "/assets/{name}", *(f"/{name}" for name in names))]
