"""The debtor's page (Antwortseite): a small public page without login, on a listener of its own, by signed links alone."""

from bridge.page.server import PageServer

__all__ = ["PageServer"]
