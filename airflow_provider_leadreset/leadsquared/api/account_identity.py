"""Which account a task works on, and by whose keys: one host serves many accounts, and keys can be exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from airflow_provider_leadreset.leadsquared.errors import (
    AccessError,
    LeadRejectedError,
    PageNotFoundError,
    UnreadableError,
)
from airflow_provider_leadreset.leadsquared.text import presentable

if TYPE_CHECKING:
    from airflow_provider_leadreset.leadsquared.api.client import LeadSquaredClient

LONGEST_NAME = 80
"""Characters that are kept of a code or a name of LeadSquared's."""


@dataclass(frozen=True, slots=True)
class AccountIdentity:
    """One account, as far as it is known.

    :param host: the API host.
    :param key: the access key's digest, see :attr:`.LeadSquaredClient.access_key_digest`.
    :param code: LeadSquared's own code of the account (documented: ``OrgShortCode``); None where it was not said.
    :param name: what the account is called; None where it was not said.
    :param user: name of the keys' user; None where it was not said.
    :param mail: e-mail address of the keys' user; None where it was not said.
    """

    host: str
    key: str
    code: str | None = None
    name: str | None = None
    user: str | None = None
    mail: str | None = None

    @classmethod
    def of_keys(cls, client: LeadSquaredClient) -> Self:
        """Return what is known of a client's account without a call."""
        return cls(client.host, client.access_key_digest)

    @classmethod
    def ask(cls, client: LeadSquaredClient) -> Self:
        """Return what LeadSquared says of the keys (``Authentication.svc/UserByAccessKey.Get``, documented; one call).

        That this call takes the keys as headers is not documented. Where it is refused, or cannot be read, host and key
        tell the account; wrong keys show at the next call.

        :raises LeadSquaredError: it may be said later: an outage, a used-up quota.
        """
        try:
            user = client.current_user()
        except (AccessError, LeadRejectedError, PageNotFoundError, UnreadableError):
            return cls.of_keys(client)

        def said(*names: str) -> str | None:
            parts = [str(user[name]) for name in names if isinstance(user.get(name), (str, int))]
            if client.redact("".join(parts)) != "".join(parts):
                return "***"  # a key may be parted among the fields of a name
            return presentable(" ".join(parts), client.redact, LONGEST_NAME) or None

        # The documented sample has null for EmailAddress, and the e-mail address as PassPhrase.
        passphrase = said("PassPhrase")
        email = said("EmailAddress") or (passphrase if passphrase and "@" in passphrase else None)
        return cls(
            client.host,
            client.access_key_digest,
            said("OrgShortCode"),
            said("OrgDisplayName"),
            said("FirstName", "LastName") or said("Name"),
            email,
        )

    @property
    def text(self) -> str:
        """What tells the account from others: its code, else the keys' digest; and the host."""
        return f"{self.host} {f'code {self.code}' if self.code else f'key {self.key}'}"

    def as_json(self) -> dict[str, object]:
        """Return what a later task must know to tell whether it works on the same account."""
        return {"host": self.host, "code": self.code, "key": self.key}

    def is_other_than(self, known: Mapping[str, object]) -> bool:
        """Return whether an account that was kept by :meth:`as_json` is another one.

        Two codes decide. Where one is not known, the same keys are the same account, and whether others are cannot be
        told, so they are not. Of the first plans' accounts only the host was always kept.
        """
        if known.get("host") != self.host:
            return True
        if known.get("code") and self.code:
            return str(known["code"]) != self.code
        return bool(known.get("key")) and known["key"] != self.key
