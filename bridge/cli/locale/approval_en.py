"""English texts about approvals, forewarnings and contacts."""

TEXTS = {
    "column.contact": "Contact",
    "command.edit": "Change a proposal, or what is approved and has not begun to go out: subject, text, recipients, level, fee. It asks for approval again.",
    "command.forewarn": "Show what goes out on the next day of sending; with --send as a mail to forewarning.to.",
    "command.case note": "Write a note into the case; it changes nothing about what comes next.",
    "done.noted": "{subject}: note written ({actor}).",
    "command.case contact": "Note that somebody wrote to the customer or spoke with them; the minimum interval counts from then.",
    "option.edit.subject": "New subject.",
    "option.edit.text": "File with the new text; - reads standard input.",
    "option.edit.to": "New address; may be given several times.",
    "option.edit.unknown": "Also addresses that the customer's record does not have.",
    "option.edit.level": "Another level; the notice is composed anew.",
    "option.edit.fee": "Another fee for this level, such as 0 or 2.50; the notice is composed anew.",
    "option.forewarn.send": "Send it as a mail, once for each day.",
    "option.case.contact_on": "Day of the contact (default: today).",
    "approve.overtaken": "{notice} is not approved: {invoice}: {reason}",
    "approve.taken_back": "What must not go out any more is taken back by the next run (`mahnbridge run`), and decided anew.",
    "approve.left": "Not approved: {text}",
    "approve.chosen": "{count} selected",
    "forewarn.sent": "Sent to {to}.",
    "done.contact_noted_until": "{subject}: contact of {until} noted ({actor}).",
}
