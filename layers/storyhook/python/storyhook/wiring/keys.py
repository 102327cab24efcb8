"""API keys: what they may still ask for, their routes, and the secrets that follow from them."""

import secrets as randomness
from typing import TYPE_CHECKING

from storyhook import settings
from storyhook.wiring import parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.aws.table import Table
    from storyhook.http.keys import KeyRoutes
    from storyhook.usecases.allowance import Allowance


def allowance(table: "Table") -> "Allowance":
    from storyhook.aws.budgets import BudgetTable
    from storyhook.aws.keys import KeyTable
    from storyhook.aws.rates import RateTable
    from storyhook.usecases.allowance import Allowance

    return Allowance(KeyTable(table), BudgetTable(table), RateTable(table), parts.clock)


def routes(config: settings.ApiSettings) -> "KeyRoutes":
    from storyhook.aws.budgets import BudgetTable
    from storyhook.aws.keys import KeyTable
    from storyhook.http.keys import KeyRoutes
    from storyhook.usecases.keys import ManageKeys

    rows = parts.table(config.table_name)
    keys = ManageKeys(
        KeyTable(rows),
        BudgetTable(rows),
        callback_secret_of(config),
        parts.clock,
        randomness.token_bytes,
    )
    return KeyRoutes(keys, parts.once(rows), parts.clock)


def callback_secret_of(config: settings.ApiSettings) -> "Callable[[str, int], str]":
    """What makes a key's callback secret of its id and version."""
    from storyhook.aws.secrets import Secrets
    from storyhook.providers.callbacks import callback_secret

    secrets = Secrets(parts.client("ssm"), config.secrets_prefix)

    def derive(key_id: str, version: int) -> str:
        return callback_secret(secrets.all("signing-key")[0], key_id, version)

    return derive
