"""English texts about the debtor's page and its links."""

TEXTS = {
    "command.links": "Links by which customers answer a reminder without a login.",
    "command.links list": "List the links in the reminders of a case, and what was answered.",
    "command.links revoke": "Revoke all links of a case for good; new reminders get new ones.",
    "links.none": "No reminder of this case holds a link.",
    "links.valid": "valid",
    "links.revoked": "revoked",
    "links.not_out": "not sent yet",
    "links.never_out": "never sent",
    "links.answer.paid": "has paid",
    "links.answer.promise": "will pay",
    "links.answer.dispute": "objection",
    "links.answer.copy": "wants the invoice again",
    "links.answer.contact": "wrong contact",
    "column.notice": "Notice",
    "column.sent_on": "Sent on",
    "column.answers": "Answers",
    "done.links_revoked": "Case {subject}: {count} links revoked ({actor}).",
    "done.links_revoked.one": "Case {subject}: one link revoked ({actor}).",
}
