"""A stand-in for the dunning run, so that histories turn on delivery alone."""

from datetime import timedelta
from decimal import Decimal

from bridge.contract import Act, Content, Recipients, Ref
from bridge.policy import Basis
from bridge.store.records import NewClaim, NewNotice, NewStep
from tests.faults.providers import BERLIN


class Deciding:
    """What a world decides each day."""

    def _decide(self):
        """Stand in for the dunning run: one level per day for what the provider shows as open, bundled per debtor for letters."""
        http = self.provider.http(self.clock)
        connector = self.provider.connector(http)
        today = http.now().astimezone(BERLIN).date()
        wanted = {}
        with self.store.reading() as conn:
            standings = self.store.cases.standings(conn, "a", self.invoices)
        free = [one for one in self.invoices if self._may(standings[one], today)]
        if free:
            for taken in connector.look([Ref.invoice(one) for one in free]):
                truth = self.provider.truth(taken.invoice_id)
                if truth.stopped or truth.by_hand or taken.invoice is None:
                    continue
                key = self.claims[taken.invoice_id][1] if self.history.way == "letter" else taken.invoice_id
                wanted.setdefault(key, []).append((taken, standings[taken.invoice_id]))
        for group in wanted.values():
            level = min(standing.level for _, standing in group)
            self._insert([one for one in group if one[1].level == level], today)
        http.close()
        return len(wanted)

    def _may(self, standing, today):
        rests = standing.level_on is None or (today - standing.level_on).days >= 10
        return (
            standing.running is None
            and standing.level < self.history.levels
            and rests
            and not (self.calm and standing.level > 0)
        )

    def _insert(self, group, today):
        deadline, [first, *_] = today + timedelta(days=40), [taken.debtor for taken, _ in group]
        total = sum((taken.invoice.open for taken, _ in group), Decimal("0.00"))
        email = first.email
        content = Content(
            level_name="Mahnung", principal=total, total=total, deadline=deadline, subject="Mahnung", text="Bitte zahlen.",
            recipients=Recipients(to=(email,)), address=first.address, line="Mahnung",
        )  # fmt: skip
        claims, steps = [], []
        acts = {
            "provider": self.provider.acts if self.acts is None else self.acts,
            "letter": self.provider.letter_acts,
            "mail": (Act.MAIL,),
        }
        via = {"provider": "provider_email", "letter": "letter", "mail": "mail"}[self.history.way]
        for act in acts[self.history.way]:
            whole = act in (Act.MAIL, Act.LETTER)
            for taken, standing in group[:1] if whole else group:
                own = content if whole else content.model_copy(
                    update={"principal": taken.invoice.open, "total": taken.invoice.open, "sent_by": "post"}
                )  # fmt: skip
                claim_id = None if whole else standing.claim_id
                channel = {Act.MAIL: "mail", Act.LETTER: "letter"}.get(act)
                steps.append(NewStep(act=act, content=own, claim_id=claim_id, channel=channel))
        for taken, standing in group:
            basis = Basis(
                invoice_id=taken.invoice_id, currency="EUR", demand=int(taken.invoice.open.scaleb(2)), credits=0,
                round=1, from_level=standing.level, level=standing.level + 1, decided_on=today, via=via,
                main="" if via == "letter" else email, recipient="" if via == "letter" else email, deadline=deadline,
                known_reminders=frozenset(one.id for one in taken.notices),
            )  # fmt: skip
            claims.append(
                NewClaim(
                    claim_id=standing.claim_id, invoice_id=taken.invoice_id, round=1, level=standing.level + 1,
                    open=taken.invoice.open, basis=basis.to_json(),
                )
            )  # fmt: skip
        new = NewNotice(
            account="a", case_id=group[0][1].case_id, run_id=self.run_id, plan="p", level=claims[0].level,
            level_name="Mahnung", channel=via, automation="send", debtor_id=first.id, currency="EUR", total=total,
            deadline=deadline, recipient=email, content=content, claims=tuple(claims), steps=tuple(steps),
            needs_approval=False,
        )  # fmt: skip
        with self._begin() as conn:
            self.store.outbox.insert(conn, new, now=self.clock())
