"""What `session.claimed` gives out."""

from __future__ import annotations

from typing import Any

from ._nouns_gen import Session
from ._records_gen import ClaimedSession


class SessionRun(Session):
    """A claimed session, open, with what it started with: one go at it."""

    __slots__ = ("id", "input", "labels")

    #: The session's id.
    id: str
    #: What it started with: a JSON value or bytes.
    input: Any
    #: Its labels.
    labels: dict[str, str]

    def __init__(self, session: Session, claimed: ClaimedSession) -> None:
        super().__init__(session._handle)
        self.id = claimed.id
        self.input = claimed.input
        self.labels = claimed.labels

    def __repr__(self) -> str:
        return f"<barograph.SessionRun {self.id!r}>"
