"""The service: when to read, decide, deliver; health and metrics on one port."""

from bridge.schedule.service import Service, serve

__all__ = ["Service", "serve"]
