"""The Docker engine as the lab needs it: a few calls of its HTTP API.

Not the Docker SDK: importing that costs the provider half a second at every preview and up.
"""

import io
import json
import tarfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

_PATIENCE_S = 60.0


class DockerError(Exception):
    """Docker does not answer, or refuses; the message says what and what to do."""


@dataclass(frozen=True)
class Container:
    """A container; `pid` is its first process as the host sees it, 0 where it does not run."""

    id: str
    name: str
    pid: int


@dataclass(frozen=True)
class Listed:
    """A container, network or volume as Docker lists it."""

    kind: str
    id: str
    name: str
    state: str
    """Of a container: running, exited, paused...; empty for the others."""
    created: str
    labels: Mapping[str, str]
    networks: tuple[str, ...] = ()
    """Names of the networks that a container is attached to."""


@dataclass(frozen=True)
class Settings:
    """Of a container: all that Docker lets anybody change without making it anew."""

    values: Mapping[str, object]
    """By the names that pulumi-docker has for them; memory in MB, cpus in processors."""
    finished: str
    """When its first process ended last, as Docker writes times."""


@dataclass(frozen=True)
class Thing:
    """A container, network or volume found by its labels; what cannot stop always counts as running."""

    kind: str
    id: str
    name: str
    running: bool


class DockerEngine:
    """One Docker engine, by its address as in DOCKER_HOST (unix:// or tcp://). Safe to share by threads."""

    def __init__(self, host: str) -> None:
        self._host = host
        address = urlsplit(host)
        if address.scheme not in ("unix", "tcp"):
            raise DockerError(f"the Docker address {host!r} is neither unix:// nor tcp://: correct DOCKER_HOST")
        transport = httpx.HTTPTransport(uds=address.path) if address.scheme == "unix" else None
        base = "http://docker" if address.scheme == "unix" else f"http://{address.netloc}"
        self._http = httpx.Client(base_url=base, transport=transport, timeout=_PATIENCE_S, trust_env=False)

    def container(self, reference: str) -> Container | None:
        """The container of that id or name; None where there is none."""
        answer = self._ask("GET", f"/containers/{reference}/json", missing_ok=True)
        if answer.status_code == 404:
            return None
        found = answer.json()
        return Container(found["Id"], found["Name"].removeprefix("/"), found["State"]["Pid"])

    def file(self, container: str, path: str) -> str | None:
        """A text file's content inside a container; None where it does not exist (yet)."""
        answer = self._ask("GET", f"/containers/{container}/archive", {"path": path}, missing_ok=True)
        if answer.status_code == 404:
            return None
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            member = archive.extractfile(archive.getmembers()[0])
            return member.read().decode() if member else None

    def labelled(self, labels: Mapping[str, str]) -> tuple[Thing, ...]:
        """Containers, stopped ones included, then networks and volumes that carry all of these labels."""
        filters = json.dumps({"label": [f"{name}={value}" for name, value in labels.items()]})
        containers = self._ask("GET", "/containers/json", {"all": "true", "filters": filters}).json()
        networks = self._ask("GET", "/networks", {"filters": filters}).json()
        volumes = self._ask("GET", "/volumes", {"filters": filters}).json()["Volumes"] or ()
        return (
            *(
                Thing("container", each["Id"], each["Names"][0].removeprefix("/"), each["State"] == "running")
                for each in containers
            ),
            *(Thing("network", each["Id"], each["Name"], True) for each in networks),
            *(Thing("volume", each["Name"], each["Name"], True) for each in volumes),
        )

    def listed(self) -> tuple[Listed, ...]:
        """Every container, network and volume of the engine, whoever made it."""
        containers = self._ask("GET", "/containers/json", {"all": "true"}).json()
        networks = self._ask("GET", "/networks").json()
        volumes = self._ask("GET", "/volumes").json()["Volumes"] or ()
        return (
            *(
                Listed(
                    "container",
                    each["Id"],
                    each["Names"][0].removeprefix("/"),
                    each["State"],
                    datetime.fromtimestamp(each["Created"], UTC).isoformat(timespec="seconds"),
                    each["Labels"] or {},
                    tuple(sorted(each["NetworkSettings"]["Networks"])),
                )
                for each in containers
            ),
            *(Listed("network", n["Id"], n["Name"], "", n["Created"], n["Labels"] or {}) for n in networks),
            *(Listed("volume", v["Name"], v["Name"], "", v["CreatedAt"], v["Labels"] or {}) for v in volumes),
        )

    def settings(self, container: str) -> Settings | None:
        """What can be changed of a container while it exists; None where it is gone."""
        answer = self._ask("GET", f"/containers/{container}/json", missing_ok=True)
        if answer.status_code == 404:
            return None
        found = answer.json()
        host = found["HostConfig"]
        values = {
            "name": found["Name"].removeprefix("/"),
            "memory": host["Memory"] // 2**20,
            "memorySwap": host["MemorySwap"] // 2**20 if host["MemorySwap"] > 0 else host["MemorySwap"],
            "cpuShares": host["CpuShares"],
            "cpuSet": host["CpusetCpus"],
            "cpus": host["NanoCpus"] / 1e9,
            "cpuQuota": host["CpuQuota"],
            "pidsLimit": host["PidsLimit"] or 0,
            "restart": host["RestartPolicy"]["Name"] or "no",
        }
        return Settings(values, found["State"]["FinishedAt"])

    def changes(self, container: str) -> tuple[str, ...]:
        """Paths that differ from the container's image; volumes and tmpfs do not count."""
        return tuple(each["Path"] for each in self._ask("GET", f"/containers/{container}/changes").json() or ())

    def tell(self, image: str, command: Sequence[str]) -> str:
        """Run a command in a container of an image, without a network, and return what it printed; nothing stays."""
        wanted = {"Image": image, "Entrypoint": list(command), "NetworkDisabled": True, "Tty": True}
        made = self._ask("POST", "/containers/create", given=wanted).json()["Id"]
        try:
            self._ask("POST", f"/containers/{made}/start")
            status = self._ask("POST", f"/containers/{made}/wait").json()["StatusCode"]
            # With a terminal there is one stream, as it was written.
            text = self._ask("GET", f"/containers/{made}/logs", {"stdout": "true"}).text
        finally:
            self._ask("DELETE", f"/containers/{made}", {"force": "true", "v": "true"}, missing_ok=True)
        if status != 0:
            raise DockerError(f"a container of {image[:19]} ended with {status}: {text.strip()[-200:]}")
        return text

    def free(self, network: Thing, kept: Collection[str]) -> None:
        """Take everything off a network but the containers with these ids; what a failed attempt left on it too."""
        found = self._ask("GET", f"/networks/{network.id}", missing_ok=True)
        attached = found.json()["Containers"] if found.status_code != 404 else {}
        for container, endpoint in attached.items():
            if container not in kept:
                # By its name: the container of an endpoint that was left behind is gone.
                given = {"Container": endpoint["Name"], "Force": True}
                self._ask("POST", f"/networks/{network.id}/disconnect", missing_ok=True, given=given)

    def remove(self, thing: Thing) -> None:
        """Kill and remove it, a volume with its data; what is gone already is no error."""
        options = {"force": "true", "v": "true"} if thing.kind == "container" else {}
        self._ask("DELETE", f"/{thing.kind}s/{thing.id}", options, missing_ok=True)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        missing_ok: bool = False,
        given: object = None,
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, params=query, json=given)
        except httpx.HTTPError as error:
            raise DockerError(f"Docker at {self._host} does not answer ({error}): start it, or run set-up") from None
        if answer.is_error and not (missing_ok and answer.status_code == 404):
            raise DockerError(f"Docker at {self._host} refuses {method} {path}: {answer.text.strip()}")
        return answer
