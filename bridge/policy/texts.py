"""Texts of levels: their variables, their rendering in a sandbox, and money and dates as the debtor's language writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bridge.errors import Wrong
from bridge.words import Sentence

CLAIMS, PAYMENT = "[[claims]]", "[[payment]]"
"""What stands in a text, on a line of its own, for the table of claims and for how to pay; each channel puts its own form there."""

VARIABLES: Mapping[str, tuple[str, str]] = {
    "debtor_name": ("name of the customer", "Beispiel GmbH"),
    "customer_number": ("customer number, may be empty", "10017"),
    "greeting": ("opening line with the name of the person where one is known", "Sehr geehrte Damen und Herren,"),
    "level_name": ("name of the level", "Zahlungserinnerung"),
    "invoice_number": ("number of the invoice; of several up to three, and how many more", "RE-1042"),
    "invoice_date": ("date of the invoice; of several, the oldest", "01.09.2026"),
    "due_date": ("due date printed on the invoice; of several, the oldest", "15.09.2026"),
    "days_overdue": ("days since the due date; of several, the most", "14"),
    "open_amount": ("open principal of all invoices named, less open credit notes", "1.190,00 EUR"),
    "paid": ("what was paid on these invoices, empty where nothing was", "200,00 EUR"),
    "fee": ("fee of this level, empty where there is none", "5,00 EUR"),
    "earlier_fees": ("fees of earlier levels and other charges, empty where there are none", "2,50 EUR"),
    "flat_fee": ("flat fees for late payment (BGB 288(5)), empty where there are none", "40,00 EUR"),
    "interest": ("default interest of all invoices, empty where none is asked for", "4,80 EUR"),
    "interest_until": ("day up to and including which interest is computed", "02.10.2026"),
    "total": ("what is asked for: open amount, fees, flat fees and interest", "1.242,30 EUR"),
    "deadline": ("day by which to pay", "12.10.2026"),
    "term_days": ("days until then", "10"),
    "today": ("date of the notice", "02.10.2026"),
    "case_number": ("number of the case, may be empty", "MA-000042"),
    "creditor": ("name of the creditor", "Muster Agentur"),
    "creditor_email": ("e-mail address of the creditor, may be empty", "buchhaltung@example.com"),
    "creditor_phone": ("telephone number of the creditor, may be empty", "030 1234567"),
    "account_owner": ("who of ours looks after the customer, may be empty", "Lena Vogt"),
    "account_owner_email": ("their e-mail address, may be empty", "lena@example.com"),
    "iban": ("IBAN to pay to, may be empty", "DE89 3704 0044 0532 0130 00"),
    "debtor_link": (
        "address of the page on which the debtor can answer; empty on letters and where there is none",
        "https://mahnung.example.com/AAAA",
    ),
    "claims": ("all claims with their sums: a table in letters and mails, lines in plain text", CLAIMS),
    "payment": ("amount, day, account and reference to pay with; in letters and mails with the GiroCode", PAYMENT),
    "several": ("true where the notice names more than one invoice", "true"),
    "items": (
        "the invoices, for a loop, open is gross less paid and credited (open credit notes): number, date, due_date, days_overdue, gross, paid, credited, open, interest, total, level_name",
        "",
    ),
    "payments": ("payments on these invoices, for a loop: number of the invoice, date (may be empty), amount", ""),
    "ancillaries": ("fees, charges and flat fees, for a loop: number of the invoice, text, amount", ""),
    "interest_rows": (
        "the computation of the interest, for a loop: number of the invoice, first, last, days, rate, formula, amount",
        "",
    ),
    "mentions": ("invoices listed but not asked for, for a loop: number, date, due_date, open, why", ""),
    "credits": ("open credit notes taken off, for a loop: number, amount", ""),
}
"""Every variable a text may use: what it means, and an example."""

_ITEM = {
    "number": "RE-1042",
    "date": "01.09.2026",
    "due_date": "15.09.2026",
    "days_overdue": "14",
    "open": "1.190,00 EUR",
    "gross": "1.420,00 EUR",
    "paid": "200,00 EUR",
    "credited": "30,00 EUR",
    "interest": "4,80 EUR",
    "total": "1.242,30 EUR",
    "level_name": "Zahlungserinnerung",
}
_PAYMENT = {"number": "RE-1042", "date": "20.09.2026", "amount": "200,00 EUR"}
_ANCILLARY = {"number": "RE-1042", "text": "Mahngebühr 1. Mahnung (ohne Umsatzsteuer)", "amount": "5,00 EUR"}
_INTEREST = {
    "number": "RE-1042",
    "first": "16.09.2026",
    "last": "02.10.2026",
    "days": "17",
    "rate": "10,52",
    "formula": "980,00 EUR x (1,52 % + 9,00 %) x 17/365",
    "amount": "4,80 EUR",
}
_MENTION = {
    "number": "RE-1050",
    "date": "28.09.2026",
    "due_date": "12.10.2026",
    "open": "595,00 EUR",
    "why": "noch nicht fällig",
}
_CREDIT = {"number": "GU-7", "amount": "30,00 EUR"}

_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.List,
    nodes.Tuple, nodes.If, nodes.For, nodes.CondExpr, nodes.Filter, nodes.Keyword, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or,
    nodes.Not, nodes.Concat, nodes.Add, nodes.Sub,
)  # fmt: skip
"""What a text may be made of. Calls, multiplication and assignment are not among it: a line of them can compute for ever."""

FILTERS = frozenset(
    [
        "capitalize",
        "count",
        "d",
        "default",
        "first",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "select",
        "selectattr",
        "sort",
        "sum",
        "title",
        "trim",
        "unique",
        "upper",
    ]
)
LOOPS = 2
"""Levels of loops within each other."""

LONGEST = 1_000_000
"""Characters of a text once it is filled in."""

_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)


@lru_cache(maxsize=512)
def _template(source: str) -> Template:
    return _environment.from_string(source)


def example() -> dict[str, Any]:
    """Return an example value for every variable."""
    values: dict[str, Any] = {name: sample for name, (_, sample) in VARIABLES.items()}
    values.update(several=True, items=[_ITEM, _ITEM], credits=[_CREDIT], mentions=[_MENTION])
    values.update(payments=[_PAYMENT], ancillaries=[_ANCILLARY], interest_rows=[_INTEREST])
    return values


def _least() -> dict[str, Any]:
    """Return what the plainest notice says: one invoice, of which nothing was paid, and nothing beside the principal is asked for."""
    values = example()
    bare = {name: "" for name, (meaning, _) in VARIABLES.items() if "empty" in meaning}
    lists: dict[str, list[Any]] = {name: [] for name, value in values.items() if isinstance(value, list)}
    return values | bare | lists | {"several": False, "items": [_ITEM]}


@lru_cache(maxsize=512)
def check(source: str) -> None:
    """Refuse a text that does not render, or that uses a variable which does not exist; raise `ValueError` naming it."""
    try:
        tree = _environment.parse(source)
        _refuse(tree)
        unknown = meta.find_undeclared_variables(tree) - VARIABLES.keys()
        if unknown:
            name = sorted(unknown)[0]
            raise Wrong(
                "there is no variable {name!r}{hint}; known are {variables}",
                name=name,
                hint=suggestion(name, VARIABLES),
                variables=", ".join(VARIABLES),
            )
        for values in (example(), example() | {"several": False}, _least()):
            _template(source).render(values)
    except UndefinedError as error:
        raise Wrong(
            "a list of the text may be shorter than it takes for granted ({error}); ask first, as in {example}",
            error=str(error),
            example="{% if credits %}{{ credits[0].number }}{% endif %}",
        ) from error
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = Sentence(" in line {line} of the text", line=line) if line else ""
        if "end of template" in str(error):
            ends = "{% endif %}, {% endfor %}"
            raise Wrong(
                "a block of the text is not closed{where}; end it with one of {ends}", where=where, ends=ends
            ) from error
        raise Wrong("the text does not render{where}: {error}", where=where, error=str(error)) from error
    except (RecursionError, SyntaxError) as error:
        raise Wrong("the text is nested too deep") from error
    except (TypeError, NameError, OverflowError, ArithmeticError, MemoryError) as error:
        raise Wrong("the text does not render: {error}", error=error) from error


def _refuse(node: nodes.Node, loops: int = 0) -> None:
    """Raise `Wrong` where a text uses more than texts need."""
    what = type(node).__name__
    loops += isinstance(node, nodes.For)
    if isinstance(node, nodes.Getattr) and not (isinstance(node.node, nodes.Name) and node.node.name == "loop"):
        _known(node.attr)
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        _known(node.arg.value)
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        what = f"|{node.name}"
    elif isinstance(node, _PLAIN) and loops <= LOOPS:
        for child in node.iter_child_nodes():
            _refuse(child, loops)
        return
    raise Wrong(
        "line {line} of the text uses {what}; texts are made of variables, if, {loops} loops within each other and the filters {filters}",
        line=node.lineno, what=what, loops=LOOPS, filters=", ".join(sorted(FILTERS)),
    )  # fmt: skip


def _known(field: str) -> None:
    """Raise `Wrong` where no list has such a field: also in a part of the text that no example reaches."""
    fields = dict.fromkeys(field for value in example().values() if isinstance(value, list) for field in value[0])
    if field not in fields:
        raise Wrong(
            "the items of a list have no {name!r}{hint}; known are {fields}",
            name=field,
            hint=suggestion(field, fields),
            fields=", ".join(fields),
        )


def render(source: str, values: Mapping[str, Any]) -> str:
    """Return the text with its variables filled in; the texts were checked when the plan was read.

    Raises `Wrong` where it becomes longer than `LONGEST`: a loop in a loop over the invoices of a customer with thousands.
    """
    parts, size = [], 0
    for part in _template(source).generate(values):
        parts.append(part)
        size += len(part)
        if size > LONGEST:
            raise Wrong("the text becomes longer than {longest} characters", longest=LONGEST)
    return "".join(parts).strip()


def suggestion(word: str, known: Any) -> Sentence:
    """Return `, did you mean '...'?` where a known word is close, else nothing."""
    import difflib  # noqa: PLC0415  only for a mistake

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return Sentence(", did you mean {word!r}?", word=close[0]) if close else Sentence("")


_MONTHS_EN = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def tag(language: str, country: str) -> str:
    """Return how amounts and dates are written: the language, with the country where it differs (`de-CH`, `de-AT`)."""
    return f"{language}-{country}" if language == "de" and country in _OWN_WAYS else language


_OWN_WAYS = frozenset({"AT", "CH", "LI"})
_SWISS = ("de-CH", "de-LI")


def number(cents: int, language: str) -> str:
    """Return an amount of cents without its currency: `1.234,56`, in Switzerland `1'234.56`, in English `1,234.56`."""
    whole, rest = divmod(abs(cents), 100)
    text = f"{'-' if cents < 0 else ''}{whole:,}.{rest:02d}"
    if language in _SWISS:
        return text.replace(",", "'")
    return text.translate(_SWAP) if language.startswith("de") else text


def decimal(text: str, language: str) -> str:
    """Return a decimal number written with a point as that language writes it."""
    return text.replace(".", ",") if language.startswith("de") and language not in _SWISS else text


def money(cents: int, currency: str, language: str) -> str:
    """Return an amount of cents as German (`1.234,56 EUR`), Swiss (`CHF 1'234.56`) or English (`EUR 1,234.56`) text, unbroken."""
    if language.startswith("de") and language not in _SWISS:
        return f"{number(cents, language)}\u00a0{currency}"
    sign = "-" if cents < 0 else ""
    return f"{sign}{currency}\u00a0{number(abs(cents), language)}"


_SWAP = str.maketrans(",.", ".,")


def day(value: date | None, language: str) -> str:
    """Return a date as German (`02.10.2026`) or English (`2 October 2026`) text; nothing for None."""
    if value is None:
        return ""
    if language.startswith("de"):
        return value.strftime("%d.%m.%Y")
    return f"{value.day} {_MONTHS_EN[value.month - 1]} {value.year}"


def numbers(values: Sequence[str], language: str) -> str:
    """Return invoice numbers for a line of text: up to three, and how many more there are."""
    if len(values) <= 3:
        return ", ".join(values)
    left = len(values) - 3
    more = f"und {left} weiteren" if language.startswith("de") else f"and {left} more"
    if left == 1:
        more = "und einer weiteren" if language.startswith("de") else "and one more"
    return f"{', '.join(values[:3])} {more}"


def local(source: str, language: str) -> str:
    """Return a template as it is written there: in Switzerland `ss` for `ß`. What is filled in stays as it is."""
    return source.replace("ß", "ss") if language in _SWISS else source


@dataclass(frozen=True, slots=True)
class Rendered:
    """Subject and body, filled in, and the language they are in."""

    subject: str
    body: str
    language: str
