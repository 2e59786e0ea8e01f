"""The emulator as one ASGI application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException

from airflow_provider_leadreset import __version__
from airflow_provider_leadreset.emulator.account import ADMINISTRATOR, Account
from airflow_provider_leadreset.emulator.answers import (
    FORBIDDEN,
    INVALID_REFERENCE,
    QUEUED,
    Answer,
    ApiError,
    error_answer,
    html_answer,
    json_answer,
)
from airflow_provider_leadreset.emulator.control import control_routes
from airflow_provider_leadreset.emulator.gate import ENTRY, Drop, Gate
from airflow_provider_leadreset.emulator.inputs import json_body, reply
from airflow_provider_leadreset.emulator.page import page_routes
from airflow_provider_leadreset.emulator.read_activities import activity_routes
from airflow_provider_leadreset.emulator.read_leads import lead_routes
from airflow_provider_leadreset.emulator.read_tasks import task_routes
from airflow_provider_leadreset.emulator.reset import parse_reset


def build_app(account: Account, drop: Drop) -> Gate:
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
    for routes in (reset_routes, activity_routes, task_routes, lead_routes):
        app.include_router(routes(account), prefix="/v2", include_in_schema=False)
    app.include_router(control_routes(account), prefix="/_emulator")
    app.include_router(page_routes(account), include_in_schema=False)

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> Response:
        return _response(error_answer(error))

    @app.exception_handler(HTTPException)
    async def no_such_api(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/_emulator"):
            return _response(json_answer({"detail": error.detail}, error.status_code))
        # 404 is documented; that its body is a web server's page and no envelope is a guess.
        return _response(html_answer(f"{error.status_code} {error.detail}", error.status_code))

    return Gate(app, account, drop)


def reset_routes(account: Account) -> APIRouter:
    """Return the route of Lead.Reset."""
    router = APIRouter()

    @router.post("/LeadManagement.svc/Lead.Reset")
    async def lead_reset(request: Request) -> Response:
        body = await json_body(request)
        if account.catalog.users[account.user_id].role != ADMINISTRATOR:
            raise ApiError(403, FORBIDDEN, "Only an administrator can reset a lead")
        reset = parse_reset(body, account.now())
        if account.find_lead(reset.lead_id) is None:
            # A guess, and the harsher one: the real call may also queue the reset and ignore it.
            raise ApiError(500, INVALID_REFERENCE, "Lead not found")
        account.enqueue(reset)
        request.scope[ENTRY].accepted = True
        return reply(QUEUED)

    return router


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type=answer.media_type)
