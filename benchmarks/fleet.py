"""A fleet on loopback: the public service, replicas of one runner as processes of their own, nginx between them.

It stands for a cluster: nginx for the cluster's balancer, a control group for a container's CPU limit, SIGTERM after
the balancer has let go for a rolling update.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import psutil
import requests
from numpy.typing import NDArray

from benchmarks.quota import cpu_quota, cpu_seconds, enter, limit, throttled
from benchmarks.server import Server, free_port, launch, stop
from pipeline.settings import ROOT

Float64 = NDArray[np.float64]
Balancing = Literal["requests", "connections"]
"""What the proxy spreads: HTTP requests (an ingress, a mesh) or connections (a Kubernetes Service)."""

START: Final = "bentoml_cli._internal.start"
ROLE: Final = ["start-http-server", "service:Pillscope"]
TOKEN: Final = "for-one-measurement-on-loopback"  # noqa: S105
SETTINGS: Final = {"deadline_s": "40", "runner_timeout_s": "20"}
"""Wide, for a machine that is short of processor time on purpose."""
STREAM: Final = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
DRAIN_S: Final = 2.0
"""Between leaving the proxy and SIGTERM; `preStop` in the Kubernetes objects."""


@dataclass(frozen=True, eq=False)
class Replica:
    """One runner on its own. `group`: its control group."""

    server: Server
    group: Path

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    def counters(self) -> Float64:
        """So far: answers by its own counter, processor time in s, periods at its limit, periods it wanted to run."""
        page = requests.get(f"{self.server.url}/metrics", timeout=10).text
        lines = [line for line in page.splitlines() if line.startswith("bentoml_service_request_total{")]
        calls = sum(round(float(line.rpartition(" ")[2])) for line in lines if "livez" not in line)
        spent = cpu_seconds(psutil.Process(self.server.process.pid))
        return np.array([calls, spent, *throttled(self.group)], np.float64)


class Proxy:
    """nginx on a loopback port in front of a changing set of ports."""

    def __init__(self, folder: Path, balancing: Balancing) -> None:
        self.folder, self.balancing, self.port = folder, balancing, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def lead_to(self, ports: list[int]) -> None:
        """From now on, to these; what is under way ends where it is."""
        (self.folder / "nginx.conf").write_text(self._config(ports), encoding="utf-8")
        if self._process is None:
            nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
            if nginx is None:
                raise FileNotFoundError("nginx; apt install nginx-light libnginx-mod-stream")
            self._process = subprocess.Popen([nginx, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
        else:
            self._process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        if self._process.poll() is not None:
            raise FileNotFoundError("nginx with its stream module; apt install nginx-light libnginx-mod-stream")

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def _config(self, ports: list[int]) -> str:
        servers = "\n".join(f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=5s;" for port in ports)
        user = "user root;\n" if os.getuid() == 0 else ""  # else its workers could not write into our folder
        logs = f"pid {self.folder}/nginx.pid;\nerror_log {self.folder}/nginx.log;\n"
        head = f"{user}daemon off;\nworker_processes 1;\n{logs}"
        if self.balancing == "connections":
            load = f"load_module {STREAM};\n" if STREAM.exists() else ""  # else it is compiled in
            return (
                f"{load}{head}events {{}}\nstream {{\n"
                f"  upstream replicas {{\n{servers}\n  }}\n"
                f"  server {{ listen 127.0.0.1:{self.port}; proxy_pass replicas; proxy_connect_timeout 1s; }}\n}}\n"
            )
        folders = "".join(
            f"  {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return (
            f"{head}events {{}}\nhttp {{\n  access_log off;\n{folders}  client_max_body_size 200m;\n"
            "  client_body_buffer_size 16m;\n"
            f"  upstream replicas {{\n    least_conn;\n{servers}\n    keepalive 32;\n  }}\n"
            f"  server {{\n    listen 127.0.0.1:{self.port};\n    location / {{\n      proxy_pass http://replicas;\n"
            f"      include {ROOT}/deploy/nginx/retry.conf;\n    }}\n  }}\n}}\n"
        )


class Fleet:
    """`public` speaks to `runner` through `proxy`; `replicas` are those the proxy leads to."""

    def __init__(
        self, folder: Path, runner: str, cores: float, proxy: Proxy, stack: ExitStack, **settings: str
    ) -> None:
        self.folder, self.runner, self.cores = folder, runner, cores
        self.settings = {"runner_token": TOKEN, "log_level": "warning", **SETTINGS, **settings}
        self.replicas: list[Replica] = []
        self._stack = stack
        self._made = 0
        self.proxy = proxy
        stack.callback(self.proxy.close)
        self.add()
        self.public = launch(START, [*ROLE, "--depends", f"{runner}={self.proxy.url}"], folder, **self.settings)
        stack.callback(stop, self.public)
        self.public.wait_until_ready()

    def add(self) -> Replica:
        """One more replica; limited once it is ready, for a start on half a core takes a minute."""
        replica = self._start()
        self.replicas.append(replica)
        self._lead()
        return replica

    def limit(self, cores: float) -> None:
        """Another CPU limit for every replica, those to come too."""
        self.cores = cores
        for replica in self.replicas:
            limit(replica.group, cores)

    def retire(self, replica: Replica) -> None:
        """Take a replica out of service as a rolling update does: out of the proxy, a moment, SIGTERM."""
        self.replicas.remove(replica)
        self._lead()
        time.sleep(DRAIN_S)
        stop(replica.server)

    def roll(self) -> None:
        """Replace every replica by a new one, one by one, the new one first."""
        for old in list(self.replicas):
            self.add()
            self.retire(old)

    def kill(self, replica: Replica, *, only_worker: bool) -> None:
        """SIGKILL to all processes of a replica (its host or container dies), or to its worker (out of memory)."""
        if only_worker:
            replica.server.worker(self.runner).kill()
            return
        supervisor = psutil.Process(replica.server.process.pid)
        for process in (supervisor, *supervisor.children(recursive=True)):
            process.kill()
        self.replicas.remove(replica)

    def forget_the_dead(self) -> None:
        """The proxy learns that a killed replica is gone, as endpoints do."""
        self._lead()

    def _start(self) -> Replica:
        self._made += 1
        group = self._stack.enter_context(cpu_quota(f"pillscope-{self.proxy.port}-{self._made}", self.cores))
        server = launch(START, [*ROLE, "--service-name", self.runner], self.folder, **self.settings)
        self._stack.callback(stop_if_running, server)
        server.wait_until_ready()
        enter(group, psutil.Process(server.process.pid))
        return Replica(server, group)

    def _lead(self) -> None:
        self.proxy.lead_to([replica.port for replica in self.replicas])


def stop_if_running(server: Server) -> None:
    if server.process.poll() is None:
        stop(server)


@contextmanager
def fleet(folder: Path, runner: str, cores: float, balancing: Balancing, **settings: str) -> Iterator[Fleet]:
    """A fleet with one replica, ready; all of it stopped on leaving. `settings`: more of Pillscope's.

    Raises:
        benchmarks.quota.NoQuota: no CPU limit can be set here.
        FileNotFoundError: nginx is not installed.
    """
    with ExitStack() as stack:
        yield Fleet(folder, runner, cores, Proxy(folder, balancing), stack, **settings)
