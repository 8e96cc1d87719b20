"""Kit for authors of connectors: a server for sandboxes, faults on demand, and the conformance suite."""
