"""The facade: one object, opened once, with one method per use case. The command line, the service and the console use only this."""

from bridge.app.bridge import Bridge

__all__ = ["Bridge"]
