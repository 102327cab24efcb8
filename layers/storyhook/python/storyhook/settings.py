"""What a function is told by its environment: one frozen dataclass each, read once.

Secrets are not here: settings hold the path under which `aws.secrets` finds them.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Self

from storyhook.domain.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """Field names in upper case are the names of the variables."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises SettingsError that names every missing variable."""
        values, missing = {}, []
        for field in fields(cls):
            name = field.name.upper()
            if environment.get(name):
                values[field.name] = environment[name]
            elif field.default is MISSING:
                missing.append(name)
        if missing:
            raise SettingsError(f"Set {', '.join(missing)} in the environment (template.yaml).")
        return cls(**values)


@dataclass(frozen=True, slots=True)
class AuthorizerSettings(Settings):
    table_name: str


@dataclass(frozen=True, slots=True)
class PagesSettings(Settings):
    image_origins: str


@dataclass(frozen=True, slots=True)
class ApiSettings(Settings):
    table_name: str
    api_url: str
    bucket_name: str
    state_machine_arn: str
    submissions_queue_url: str
    callbacks_queue_url: str
    exports_queue_url: str
    secrets_prefix: str
    waiting_reads: str
    allow_loopback_http: str = ""


@dataclass(frozen=True, slots=True)
class SubmitSettings(Settings):
    """For every function that talks to providers: create_prediction, cancel, submit."""

    table_name: str
    bucket_name: str
    state_machine_arn: str
    submissions_queue_url: str
    callbacks_queue_url: str
    secrets_prefix: str
    api_url: str
    fal_queue_url: str
    replicate_url: str
    image_hosts: str
    webhooks: str = "on"
    allow_loopback_http: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileSettings(SubmitSettings):
    exports_queue_url: str


@dataclass(frozen=True, slots=True)
class WebhookSettings(Settings):
    table_name: str
    bucket_name: str
    state_machine_arn: str
    submissions_queue_url: str
    callbacks_queue_url: str
    secrets_prefix: str
    fal_jwks_url: str
    image_hosts: str
    fal_user_id: str = ""
    allow_loopback_http: str = ""


@dataclass(frozen=True, slots=True)
class AssembleSettings(Settings):
    table_name: str
    bucket_name: str
    callbacks_queue_url: str


@dataclass(frozen=True, slots=True)
class ExportSettings(Settings):
    table_name: str
    bucket_name: str


@dataclass(frozen=True, slots=True)
class CallbackSettings(Settings):
    table_name: str
    callbacks_queue_url: str
    secrets_prefix: str
    allow_loopback_http: str = ""
