"""Engines that share their compiled statements, for processes that open many stores one after the other."""


def sharing(make):
    """Return `make` (`create_engine`), whose engines of one database kind compile each statement once for all of them."""
    dialects, caches = {}, {}

    def shared(url, **options):
        engine = make(url, **options)
        name = engine.dialect.name
        engine.dialect = engine.pool._dialect = dialects.setdefault(name, engine.dialect)
        engine._compiled_cache = caches.setdefault(name, engine._compiled_cache)
        return engine

    return shared
