from __future__ import annotations

import subprocess
import sys

import airis_mon

FORBIDDEN = (
    "aiohttp", "msgspec", "yaml", "numpy", "requests", "rich", "cramjam", "google.protobuf", "openai",
    "anthropic", "sklearn",
)  # fmt: skip


def test_it_imports_where_nothing_but_prometheus_client_is_installed() -> None:
    script = (
        "import sys, importlib.abc\n"
        "class Refusal(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.startswith({FORBIDDEN!r}): raise ImportError('not installed: ' + name)\n"
        "sys.meta_path.insert(0, Refusal())\n"
        "from airis_mon.instrument import Instruments\n"
        "import airis_mon.instrument.clients, airis_mon.instrument.servers, airis_mon.instrument.estimators\n"
        "llm = Instruments().llm(model='m', provider='p')\n"
        "with llm.call() as call: call.tokens(input=1)\n"
        "print('fine')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(path.removesuffix("/airis_mon") for path in airis_mon.__path__)},
    )
    assert (run.returncode, run.stdout) == (0, "fine\n"), run.stderr
