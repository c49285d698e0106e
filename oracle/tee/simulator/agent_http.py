"""
The guest agent over HTTP: JSON in and out, by POST, at `/NAME` and for dstack 0.3 at `/prpc/Tappd.NAME`.

What the agent refuses is 400 `{"error": …}`, as dstack answers it; so is every other failure, with its own status.
"""

import json
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from oracle.tee.simulator.agent_arguments import Arguments
from oracle.tee.simulator.guest_agent import CURRENT, TAPPD, Answer, GuestAgent
from oracle.tee.simulator.machine import MachineRefused

MAX_BODY_BYTES = 65_536
log = structlog.get_logger()


def agent_app(agent: GuestAgent) -> web.Application:
    """The application, for a Unix socket or a port."""
    app = web.Application(middlewares=[_json_errors], client_max_size=MAX_BODY_BYTES)
    for prefix, methods in (("/", CURRENT), ("/prpc/Tappd.", TAPPD)):
        for name, (takes, method) in methods.items():
            app.router.add_post(prefix + name, _handler(agent, takes, method))
    return app


def _handler(
    agent: GuestAgent, takes: type[Arguments], method: Callable[..., Answer]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            asked = takes.model_validate_json(body or b"{}")
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise MachineRefused(f"{place}: {first['msg']}" if place else first["msg"]) from error
        return _json(method(agent, asked))

    return handle


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except MachineRefused as refusal:
        return _json({"error": str(refusal)}, 400)
    except web.HTTPRequestEntityTooLarge:
        return _json({"error": f"a request has up to {MAX_BODY_BYTES:,} bytes"}, 413)
    except web.HTTPNotFound:
        return _json({"error": f"Service not found: {request.path.removeprefix('/')[:100]}"}, 404)
    except web.HTTPMethodNotAllowed:
        return _json({"error": "use POST with a JSON object"}, 405)
    except Exception:
        log.exception("simulator_request_failed", path=request.path)
        return _json({"error": "a defect of the simulator; its log has the reason"}, 500)


def _json(answer: Answer, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(answer), status=status, content_type="application/json")
