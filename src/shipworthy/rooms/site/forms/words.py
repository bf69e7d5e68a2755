"""What a form says to visitors, in the languages a form may have."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

FORM_PREFIX = "/-/form/"

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "name": "Your name",
        "email": "Your e-mail address",
        "phone": "Your telephone number (if you want to be called)",
        "message": "Your message",
        "trap": "Leave this field empty",
        "go_on": "Go on",
        "review_title": "Is this right?",
        "review_text": "Read it once more, then send it.",
        "quick_title": "Is this right?",
        "quick_text": "That was very quick. Please send it once more.",
        "change_title": "Change something",
        "change_text": "Nothing was sent yet.",
        "send": "Send",
        "change": "Change something",
        "sent_title": "Thank you",
        "sent_text": "Your message has arrived. We will answer as soon as we can.",
        "wrong_title": "Please look again",
        "wrong_text": "The marked fields need another value.",
        "gone_title": "This form is no longer there",
        "gone_text": "The page was changed since you opened it.",
        "empty": "Please fill this in.",
        "long": "This is too long.",
        "no_email": "Write an address such as name@example.com.",
    },
    "de": {
        "name": "Ihr Name",
        "email": "Ihre E-Mail-Adresse",
        "phone": "Ihre Telefonnummer (wenn wir anrufen sollen)",
        "message": "Ihre Nachricht",
        "trap": "Dieses Feld bleibt leer",
        "go_on": "Weiter",
        "review_title": "Stimmt das so?",
        "review_text": "Lesen Sie es noch einmal, dann senden Sie es ab.",
        "quick_title": "Stimmt das so?",
        "quick_text": "Das ging sehr schnell. Bitte senden Sie es noch einmal ab.",
        "change_title": "Etwas ändern",
        "change_text": "Es wurde noch nichts gesendet.",
        "send": "Absenden",
        "change": "Etwas ändern",
        "sent_title": "Vielen Dank",
        "sent_text": "Ihre Nachricht ist angekommen. Wir antworten, so bald wir können.",
        "wrong_title": "Bitte sehen Sie noch einmal nach",
        "wrong_text": "Die markierten Felder brauchen einen anderen Wert.",
        "gone_title": "Dieses Formular gibt es nicht mehr",
        "gone_text": "Die Seite wurde geändert, seit Sie sie geöffnet haben.",
        "empty": "Bitte füllen Sie das aus.",
        "long": "Das ist zu lang.",
        "no_email": "Schreiben Sie eine Adresse wie name@example.com.",
    },
}


def action_of(page_id: uuid.UUID, block_id: str) -> str:
    """Return where a form is sent: to its own site, whatever the page's address."""
    return f"{FORM_PREFIX}{page_id}/{block_id}"
