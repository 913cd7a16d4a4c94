"""A stand-in for the services, which cannot run here: it speaks their wire formats on loopback.

The name of the model in a request says what happens to it: see `Service.answer`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAT_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 9,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
RESPONSE_USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 29,
}
MESSAGE_USAGE = {
    "input_tokens": 5,
    "cache_read_input_tokens": 8,
    "cache_creation_input_tokens": 7,
    "output_tokens": 9,
}
"""Twenty in all: Anthropic tells what came out of the cache, and what went into it, apart."""
WORDS = ("one", " two", " three")


@dataclass
class Service:
    """What was asked for, and the handles of a test on what is answered."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    """A model named `waits` sends the rest of its stream when this is set."""


def _chat(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(WORDS), "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    named = {"id": "c1", "object": "chat.completion", "created": 1, "model": f"{model}-2026"}
    return named | {"choices": [choice], "usage": CHAT_USAGE}


def _chat_events(body: dict[str, Any]) -> list[dict[str, Any]]:
    named = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": f"{body['model']}-2026"}
    events = [
        named | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": word}}]} for word in WORDS
    ]
    events.append(named | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append(named | {"choices": [], "usage": CHAT_USAGE})
    return events


def _response(model: str, status: str = "completed") -> dict[str, Any]:
    part = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    item = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    failed = {"code": "server_error", "message": "no"} if status == "failed" else None
    return {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": f"{model}-2026",
        "status": status,
        "error": failed,
        "output": [item] if status == "completed" else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSE_USAGE if status == "completed" else None,
    }


def _response_events(model: str) -> list[dict[str, Any]]:
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    item = {"id": "m1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    last = "failed" if model == "fails" else "completed"
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response(model, "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", "part": part} | at,
        *({"type": "response.output_text.delta", "delta": word, "logprobs": []} | at for word in WORDS),
        {"type": f"response.{last}", "response": _response(model, last)},
    ]
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def _message(model: str) -> dict[str, Any]:
    named = {"id": "m1", "type": "message", "role": "assistant", "model": f"{model}-2026"}
    content = [{"type": "text", "text": "".join(WORDS)}]
    return named | {
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": MESSAGE_USAGE,
    }


def _message_events(model: str) -> list[dict[str, Any]]:
    start = _message(model) | {
        "content": [],
        "stop_reason": None,
        "usage": MESSAGE_USAGE | {"output_tokens": 1},
    }
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
            for word in WORDS
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 9},
        },
        {"type": "message_stop"},
    ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.service.bodies.append(body)
        model = body["model"]
        path = self.path.partition("?")[0].removeprefix("/v1")
        if model.isdigit():
            refusal = {"message": "no", "type": "refused"}
            self._whole({"type": "error", "error": refusal}, int(model))
        elif model == "silent":
            self.service.go_on.wait(30)
            self.close_connection = True
        elif model == "odd":
            self._whole(
                {"usage": {"prompt_tokens": "many", "completion_tokens": -3}, "model": 7, "choices": 1}
            )
        elif body.get("stream"):
            self._stream(self._events(path, body), model)
        else:
            self._whole(self._answer(path, body))

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        model = body["model"]
        if path == "/chat/completions":
            return _chat(model)
        if path == "/responses":
            return _response(model, "failed" if model == "fails" else "completed")
        if path == "/messages":
            return _message(model)
        if path == "/completions":
            choice = {"index": 0, "text": "".join(WORDS), "finish_reason": "stop", "logprobs": None}
            named = {"id": "t1", "object": "text_completion", "created": 1, "model": f"{model}-2026"}
            return named | {"choices": [choice], "usage": CHAT_USAGE}
        if path == "/embeddings":
            vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
            usage = {"prompt_tokens": 20, "total_tokens": 20}
            return {"object": "list", "model": f"{model}-2026", "data": [vector], "usage": usage}
        return {"object": "list", "id": "x", "results": [], "model": model, "input_tokens": 3}

    def _events(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        if path == "/responses":
            return _response_events(body["model"])
        return _message_events(body["model"]) if path == "/messages" else _chat_events(body)

    def _whole(self, answer: dict[str, Any], status: int = 200) -> None:
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, events: list[dict[str, Any]], model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for number, event in enumerate(events):
                if number == len(events) // 2 and model == "breaks":
                    self.close_connection = True
                    return
                if number == len(events) // 2 and model == "errs":
                    event = {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}
                if number == len(events) - 1 and model == "waits":
                    self.service.go_on.wait(30)
                name = f"event: {event['type']}\n" if "type" in event else ""
                self._chunk(f"{name}data: {json.dumps(event)}\n\n")
            self._chunk("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True  # whoever asked has gone

    def _chunk(self, text: str) -> None:
        payload = text.encode()
        self.wfile.write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that has gone; what a test expects, it expects of the client


@contextmanager
def serving() -> Iterator[Service]:
    """Serve until the block ends."""
    service = Service()
    handler = type("Handler", (_Handler,), {"service": service})
    server = _Server(("127.0.0.1", 0), handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        service.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
