"""Clients of model services, observed: every call of a client is recorded, the client stays what it is.

    from airis_mon.instrument import Instruments
    from airis_mon.instrument.clients import observe_client

    client = observe_client(OpenAI(), Instruments())
    client.chat.completions.create(model="gpt-4o", messages=[...])  # recorded

Takes the clients of the packages `openai` and `anthropic`, sync and async, with their Azure, Bedrock and
Vertex kin, and others of the same make (one `post` that all calls go through, one `copy`). For a server that
speaks OpenAI's protocol say who it is: `observe_client(OpenAI(base_url=...), instruments, provider="vllm")`.

What is recorded: chat, text completions, embeddings, responses and messages, with `create`, `parse`,
`stream`, `with_raw_response` and `with_streaming_response`. The model is the one that the call names, the
time that of the whole call with the client's own retries, an error the class name of the exception. A stream
ends where it is read to its end, closed, or raises. One that is dropped instead ends with its last chunk, and
is recorded once Python has collected it. A chunk is an event that carries output; what frames it is none.
Tokens are what the answer says: a stream of OpenAI's tells them where the call asks for them
(`stream_options`), else they are unknown, because a request is never changed. Calls over websockets, and the
polling of batches and background answers, are not recorded.

Belongs here: reading what these clients return, by the names of its fields. Must not be here: an import of
any client package, and what could raise into the host: an answer that cannot be read is logged once and left
alone.
"""

from airis_mon.instrument.clients.client import observe_client

__all__ = ["observe_client"]
