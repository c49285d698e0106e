import errno
import io
import json
import logging
import os

import pytest
import structlog

from oracle import logging as oracle_logging
from oracle.logging import REDACTED, configure_logging, keep_secret, redact

SECRET = "ed25519:5HvL1ZsecretKeyMaterial"
URL = "https://rpc.example/v1?apiKey=abcdefgh"


@pytest.fixture
def out(monkeypatch):
    monkeypatch.setattr(oracle_logging, "_secrets", set())
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_secrets_are_cut_out_wherever_they_stand(out, log_format):
    configure_logging(log_format, "info", out)
    keep_secret([SECRET, URL])
    log = structlog.get_logger()
    log.info("told", key=SECRET, inside=f"at {URL}&x=1", nested={"a": [SECRET]})
    log.warning(SECRET.removeprefix("ed25519:"))
    try:
        int(f"no answer from {URL}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("aiohttp").exception("library %s", SECRET)
    text = out.getvalue()
    assert "secretKeyMaterial" not in text
    assert "abcdefgh" not in text
    assert text.count(REDACTED) >= 6
    assert "ValueError" in text


class Full(io.StringIO):
    """A file on a disk that has no room, for as long as `is_full`; it buffers, so that either call may fail."""

    is_full = True

    def write(self, text):
        return self._only_with_room(super().write, text)

    def flush(self):
        self._only_with_room(super().flush)

    def _only_with_room(self, work, *arguments):
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return work(*arguments)


def test_a_log_that_cannot_be_written_ends_nothing_and_goes_on_when_it_can(out):
    out = Full()
    configure_logging("json", "info", out)
    structlog.get_logger().info("lost")
    out.is_full = False
    structlog.get_logger().info("written")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["written"]
    out.close()
    structlog.get_logger().info("lost too")


def test_json_lines_are_objects_with_time_level_and_event(out):
    configure_logging("json", "info", out)
    structlog.get_logger().info("guest_done", request_id=7)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["request_id"]) == ("guest_done", "info", 7)
    assert line["timestamp"].endswith("Z")


def test_what_lies_below_the_level_is_not_written(out):
    configure_logging("json", "warning", out)
    structlog.get_logger().info("quiet")
    assert out.getvalue() == ""


def test_libraries_speak_up_only_when_something_is_wrong(out):
    configure_logging("json", "debug", out)
    logging.getLogger("aiohttp.access").info("GET /")
    logging.getLogger("aiohttp.server").error("bad")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["bad"]


def test_a_short_text_is_not_kept_secret_because_it_would_eat_words(out):
    keep_secret(["a", ""])
    assert redact("a cat") == "a cat"


def test_of_two_secrets_the_longer_is_cut_out_whole(out):
    keep_secret(["abcdefgh", "abcdefgh-more"])
    assert redact("x abcdefgh-more y") == f"x {REDACTED} y"
