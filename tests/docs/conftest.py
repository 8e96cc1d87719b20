"""The README's commands run against a real sandbox: what the end-to-end tests start, is started here too."""

from tests.e2e.conftest import mails, office, sevdesk

__all__ = ["mails", "office", "sevdesk"]
