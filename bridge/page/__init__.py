"""The debtor's page (Antwortseite): a small public page without login, on a listener of its own, by signed links alone.

Links to cases (`public_url`) lead to the same listener, to a page for staff that shows nothing of any case.
"""

from bridge.page.server import PageServer

__all__ = ["PageServer"]
