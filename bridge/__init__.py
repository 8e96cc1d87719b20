"""mahnbridge: a self-hosted dunning bridge between invoicing tools and their debtors."""

__version__ = "0.1.0"
