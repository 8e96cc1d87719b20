"""English texts about letters and mails that came back."""

TEXTS = {
    "command.letters returned": "Record that a letter or mail came back; the next level waits until it is sent once more or accepted.",
    "command.letters accepted": "Let a letter or mail that came back count as delivered.",
    "command.letters resend": "Propose the level of a notice that came back once more, with fresh amounts and a new term.",
    "command.letters bounces": "Read which mails came back, in the mailboxes for it.",
    "option.letters.to": "By mail to this address, from now on; may be given more than once.",
    "option.letters.post": "As a letter to the postal address that is known.",
    "option.letters.address": "As a letter to this address, from now on: name; street; postcode town.",
    "letters.bounces": "{count} notices came back: {notices}.",
    "letters.bounces.one": "One notice came back: {notices}.",
    "letters.other_reports": "Other reports in the mailbox: {others}.",
    "letters.no_bounces": "Nothing came back.",
    "letters.waits": "No proposal yet: {reason}. A later run makes it.",
    "done.returned": "Notice {subject} came back, recorded by {actor}; the next level waits.",
    "done.accepted": "Notice {subject} counts as delivered ({actor}).",
    "done.resend": "Notice {subject} goes out once more when it is approved ({actor}).",
    "task.returned": "returned",
}
