"""The emulator as one ASGI application."""

from __future__ import annotations

from fastapi import Depends, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.emulator.account.account import Account
from airflow_provider_leadreset.emulator.http.control_guard import require_meant
from airflow_provider_leadreset.emulator.http.middleware import CallMiddleware, Drop
from airflow_provider_leadreset.emulator.http.replies import (
    Answer,
    ApiError,
    error_answer,
    html_answer,
    json_answer,
)
from airflow_provider_leadreset.emulator.http.routes.activities import activity_routes
from airflow_provider_leadreset.emulator.http.routes.control import control_routes
from airflow_provider_leadreset.emulator.http.routes.creating import creating_routes
from airflow_provider_leadreset.emulator.http.routes.lead_page import page_routes
from airflow_provider_leadreset.emulator.http.routes.leads import lead_routes
from airflow_provider_leadreset.emulator.http.routes.reset import reset_routes
from airflow_provider_leadreset.emulator.http.routes.tasks import task_routes


def build_app(account: Account, drop: Drop) -> CallMiddleware:
    """Return the application.

    :param account: the state it works on.
    :param drop: how to close a request's connection without an answer.
    """
    app = FastAPI(
        title="LeadSquared emulator",
        version=__version__,
        openapi_url="/_emulator/openapi.json",
        # The documentation pages load scripts from elsewhere; nothing here leaves the machine.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for routes in (reset_routes, activity_routes, task_routes, lead_routes, creating_routes):
        app.include_router(routes(account), prefix="/v2", include_in_schema=False)
    app.include_router(control_routes(account), prefix="/_emulator", dependencies=[Depends(require_meant)])
    app.include_router(page_routes(account), include_in_schema=False)

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> Response:
        return _response(error_answer(error, account.dialect.errors_as))

    @app.exception_handler(HTTPException)
    async def no_such_api(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/_emulator"):
            return _response(json_answer({"detail": error.detail}, error.status_code))
        # 404 is documented; that its body is a web server's page and no envelope is a guess.
        return _response(html_answer(f"{error.status_code} {error.detail}", error.status_code))

    return CallMiddleware(app, account, drop)


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type=answer.media_type)
