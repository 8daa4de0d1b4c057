"""The installation as the admin API shows it: a little for everybody, the effective settings for who runs it.

Nothing here is a secret, nor an address that holds one: what is shown is picked, not what is left out.
"""

from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from aimesh.control.schemas_gateway_catalog import RegionView
from aimesh.control.texts import Time


class Installation(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "version": "0.4.0",
                "regions": [{"id": "cn", "name": "China", "base_url": "https://ai.example.com/gateway"}],
                "simulator": False,
                "single_sign_on": True,
                "language": "zh-CN",
                "timezone": "Asia/Shanghai",
            }
        }
    )

    version: str
    regions: list[RegionView] = Field(description="Where callers reach it: call examples begin with these.")
    simulator: bool = Field(description="A simulator stands in for every provider: no call costs anything.")
    single_sign_on: bool
    language: str = Field(description="Of the browser's languages, the first that there is.")
    timezone: str = Field(description="What a day is, in reports and quotas.")


class DatabasePlace(BaseModel):
    kind: str = Field(examples=["postgresql"])
    host: str = Field(description="Of PostgreSQL; the directory of its socket where it has one.")
    port: int | None
    name: str = Field(description="Of the database, or the path of the file.")
    user: str


class Retention(BaseModel):
    """In days."""

    calls: int = Field(description="Single calls in the database.")
    journal: int = Field(description="Files of the journal, once they are imported.")
    monitoring_minutes: int = Field(description="Monitoring by the minute.")
    monitoring_hours: int = Field(description="Monitoring by the hour. Usage by the hour is kept for good.")


class SingleSignOn(BaseModel):
    issuer: str
    client_id: str
    has_secret: bool
    tenant: str = Field(description="Where somebody new becomes a member.")
    admins: list[str]


class ProvidersReached(BaseModel):
    """How providers are reached."""

    proxy: str = Field(description="Host and port; empty: none.")
    no_proxy: list[str]
    ca_file: str


class FromFile(BaseModel):
    """What the operator's file declares, which this API does not change."""

    path: str | None = Field(description="Null: there is none.")
    virtual_keys: int
    credentials: int
    environment_credentials: int = Field(description="From providers' usual variables.")
    providers: int
    models: int


class ImporterNode(BaseModel):
    node: str
    updated_at: Time = Field(description="All that ended before is in the database.")
    lag_s: float


class ImporterState(BaseModel):
    on: bool
    nodes: list[ImporterNode]
    rejected: int = Field(description="Records of this node that were set aside.")
    problem: str = Field(description="Why nothing is imported on this node; empty: it is.")


class PlatformSettings(BaseModel):
    """The settings in force: those of the file, and defaults. A change of the file is in force after a reload."""

    version: str
    python: str
    home: str
    file: FromFile
    listen: list[str]
    admin_listen: list[str]
    trusted_proxies: list[str]
    regions: list[RegionView]
    workers: int = Field(description="Data-plane processes; 0: one per core.")
    timezone: str
    database: DatabasePlace
    simulator: str = Field(description="Host and port; empty: off.")
    vault: bool = Field(description="A master key is open: secrets can be stored.")
    single_sign_on: SingleSignOn | None = Field(description="Null: off.")
    retention: Retention
    providers_reached: ProvidersReached
    importer: ImporterState
    catalog_problem: str = Field(
        description="Why changes of providers and models made here are not used; empty: they are."
    )
    sections: dict[str, dict[str, JsonValue]] = Field(
        description="Sections of the file by name, with every value that holds: `limits`, `timeouts`, `routing`, "
        "`journal`, `usage`, `log`, `keys`, `admin`."
    )


def shown_database(url: str) -> DatabasePlace:
    """Never the password, wherever the URL has it."""
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[0]
    if kind == "sqlite":
        return DatabasePlace(kind=kind, host="", port=None, name=url.partition("///")[2], user="")
    query = parse_qs(parts.query)

    def said(name: str) -> str:
        return query.get(name, [""])[0]

    port = parts.port or (int(said("port")) if said("port").isdecimal() else None)
    return DatabasePlace(
        kind="postgresql",
        host=parts.hostname or said("host"),
        port=port,
        name=parts.path.lstrip("/") or said("dbname"),
        user=parts.username or said("user"),
    )


def shown_place(url: str) -> str:
    """Host and port alone: a name and a password may stand before them, and tokens after."""
    return urlsplit(url).netloc.rpartition("@")[2]
