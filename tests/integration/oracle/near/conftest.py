"""Servers on loopback that answer as they are told."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer


class Script:
    """Hands out answers one by one, the last one for ever; an answer is a function of the request, or what to send."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def handle(self, request):
        body = await request.json() if request.can_read_body else None
        self.asked.append(body if body is not None else request.path_qs)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(body if body is not None else request)
            if hasattr(answer, "__await__"):
                answer = await answer
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)


@asynccontextmanager
async def serving(handler):
    application = web.Application(client_max_size=10**8)
    application.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(application)
    await server.start_server()
    try:
        yield str(server.make_url("/")).rstrip("/")
    finally:
        await server.close()


@pytest.fixture(name="serving")
def _serving():
    return serving


@pytest.fixture(name="scripted")
def _script():
    return Script
