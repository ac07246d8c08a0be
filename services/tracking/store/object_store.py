"""Where an object store is; what needs no store reads this without the libraries that speak to one."""

from pydantic import Field

from tracking.service import Section


class ObjectStoreConfig(Section):
    """Where the archive's objects go."""

    endpoint: str = Field(pattern=r"^https?://")
    access_key: str
    secret_key: str
    bucket: str = "archive"
    region: str = "us-east-1"
