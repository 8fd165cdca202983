"""Who answers, as the settings say: this site, or other services over HTTP."""

from __future__ import annotations

from django.conf import settings

from notifications.backends.base import Accounts, Store
from notifications.backends.http import HttpAccounts, HttpStore, Services
from notifications.backends.local import LocalAccounts, LocalStore
from realtime import runtime


class Backends:
    """Those of one runtime: ``rt.part(Backends)``."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self.services = rt.part(Services)
        self.accounts: Accounts = (
            HttpAccounts(self.services, settings.NOTIFICATIONS_USER_API_URL)
            if settings.NOTIFICATIONS_USER_API_URL
            else LocalAccounts()
        )
        self.store: Store = (
            HttpStore(self.services, settings.NOTIFICATIONS_API_URL)
            if settings.NOTIFICATIONS_API_URL
            else LocalStore()
        )
