"""Engines that share their compiled statements, for processes that open many stores one after the other."""

from sqlalchemy import event


def sharing(make):
    """Return `make` (`create_engine`), whose engines of one database kind compile each statement once for all of them.

    What they share is the dialect of the first one that really connected: before that a dialect does not know its database.
    """
    dialects, caches = {}, {}

    def shared(url, **options):
        engine = make(url, **options)
        name = engine.dialect.name
        if name in dialects:
            engine.dialect = engine.pool._dialect = dialects[name]
            engine._compiled_cache = caches[name]
        else:
            event.listen(engine, "connect", lambda *_connection: first(engine), once=True)
        return engine

    def first(engine):
        name = engine.dialect.name
        dialects.setdefault(name, engine.dialect)
        caches.setdefault(name, engine._compiled_cache)

    return shared
