"""What an operator sees from outside: containers, networks, the feed."""

import docker
import httpx

SNAPSHOT = "http://127.0.0.1:8310/api/snapshot"


def containers(stack: str) -> list[str]:
    client = docker.from_env()
    return [each.name for each in client.containers.list(all=True, filters={"label": f"etape.stack={stack}"})]


def networks(stack: str) -> list[str]:
    return [each.name for each in docker.from_env().networks.list(filters={"label": f"etape.stack={stack}"})]


def race() -> dict:
    return httpx.get(SNAPSHOT, timeout=3).raise_for_status().json()["race"]
