"""The container's promises: one compose file, nothing outside, hardened, and the same start as anywhere else."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = YAML(typ="safe", pure=True).load((ROOT / "compose.yaml").read_text("utf-8"))


def instruction(name):
    """Return the arguments of the last instruction of this name in the last stage."""
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    return [line[len(name) + 1 :] for line in last.replace("\\\n", " ").splitlines() if line.startswith(name + " ")][-1]


def test_no_shell_no_root():
    """Nothing is started through a shell, nothing runs as root, and everything but /data may be read-only."""
    for name in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(instruction(name)), list)
    assert json.loads(instruction("HEALTHCHECK").split("CMD ")[1]) == ["mahnbridge", "health"]
    assert not re.search(r"^RUN [^\[]", DOCKERFILE, re.MULTILINE)
    assert int(instruction("USER").split(":")[0]) > 0
    assert instruction("VOLUME") == "/data"
    assert "--require-hashes" in DOCKERFILE


def test_one_compose_file_without_an_outside_account():
    """One service, built here, with one volume of its own: no other service, no registry account, no secret in the file."""
    (service,) = COMPOSE["services"].values()
    assert service["build"] == "."
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]  # besides the volume the only place that can be written
    assert service["volumes"] == ["data:/data"]
    assert service["mem_limit"]
    assert {"privileged", "cap_add", "devices", "network_mode", "pid", "user"}.isdisjoint(service)
    assert set(COMPOSE["volumes"]) == {"data"}
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.feature("P-35")
@pytest.mark.xdist_group("e2e-service")
def test_it_starts_as_the_image_starts_it(tmp_path, inside):
    """The image's entry point, command and health check, on a folder that `init` made: it runs with its embedded database alone."""
    port = free_port()
    (tmp_path / "export").mkdir()
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "MAHNBRIDGE_CONFIG": str(tmp_path / "bridge.yaml"),
        "MAHNBRIDGE__MONITOR__PORT": str(port),
        "MAHNBRIDGE__ACCOUNTS__LISTE__SETTINGS__INBOX": str(tmp_path / "export"),
        "PYTHONPATH": str(ROOT),
    }
    program = [sys.executable, "-m", "bridge.cli"]
    assert json.loads(instruction("ENTRYPOINT")) == ["mahnbridge"]

    def call(*words):
        return subprocess.run(
            [*program, *words], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    made = inside(("init", "--yes", "--account", "liste:generic_csv"), tmp_path, env)
    assert made.returncode == 0, made.stderr
    with subprocess.Popen([*program, *json.loads(instruction("CMD"))], env=env, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:  # fmt: skip
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end and service.poll() is None:
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                    break
                time.sleep(0.05)
            health = call("health")
            assert health.returncode == 0, health.stdout
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as metrics:
                assert b"mahnbridge_info" in metrics.read()
        finally:
            service.send_signal(signal.SIGTERM)
            _, errors = service.communicate(timeout=30)
    assert service.returncode == 0, errors
    assert (tmp_path / "data").is_dir()
