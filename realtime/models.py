"""Rows every service shares: the API keys of other programs.

Core. A key's secret is shown once, when it is made; only its SHA-512 digest is kept (a password
hash would add nothing but time, the secret has 190 bits). `realtime.apikeys` checks keys.
"""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from rest_framework_api_key.models import AbstractAPIKey, APIKeyManager

from realtime.scopes import invalid_scopes


class ApiKey(AbstractAPIKey):
    """A key that a program sends as ``Authorization: Bearer <key>``, and what it may do with it."""

    scopes = models.TextField(
        blank=True,
        default="",
        help_text="One scope a line: service:action, or service:action:pattern. No scope, no access.",
    )

    objects: ClassVar[APIKeyManager] = APIKeyManager()

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def clean(self) -> None:
        """Refuse what is not a scope.

        Raises:
            ValidationError: a line of the scopes is not a scope, or a revoked key is to be revived.
        """
        super().clean()
        if bad := invalid_scopes(self.scopes):
            raise ValidationError(
                {"scopes": f"Not a scope: {', '.join(bad)}. Write service:action or service:action:pattern."}
            )

    @property
    def scope_list(self) -> list[str]:
        """The scopes as a list, without blank lines."""
        return self.scopes.split()
