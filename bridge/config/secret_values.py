"""All secret values of a configuration, so that they can be hidden wherever text is made."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr


def secret_values(value: Any) -> Iterator[str]:
    """Yield every secret in `value`; of a URL with a password the password as well."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        if secret:
            yield secret
            if "://" in secret:
                password = urlsplit(secret).password
                if password:
                    yield password
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secret_values(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secret_values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from secret_values(item)
