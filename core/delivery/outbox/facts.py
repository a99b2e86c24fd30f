"""What leaves, as typed facts. Those for Telegram are rendered when they leave: alarms, cards and
bills from the state of that moment, everything else from the facts alone."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Literal
from uuid import UUID

from core.delivery.outbox.notices import Notice, Stored, values_of

# So much of UTF-8 fits into a QR code with room to spare, whatever it is.
MAX_QR_BYTES: Final = 1000

# What a merchant's server is told of; the names are on the wire.
News = Literal[
    "order.paid",
    "order.paid_late",
    "order.disputed",
    "order.closed",
    "order.expired",
    "order.failed",
    "refund.succeeded",
    "refund.failed",
]


# What a forum may have a topic of its own for.
TopicUse = Literal["bills", "lookups", "alarms"]


@dataclass(frozen=True, slots=True)
class MerchantNews:
    """What a merchant's server is told of an order. The body is written from the facts, the same
    every time. request_id: of what brought it about."""

    merchant_id: UUID
    app_id: UUID
    order_id: UUID
    type: News
    url: str
    facts: dict[str, Any]
    request_id: str


@dataclass(frozen=True, slots=True)
class Card:
    """An order's card: a new one in reply to somebody, or the edit of one that is there."""

    topic: ClassVar[str] = "card"
    merchant_id: str
    order_id: str
    reply_to: int | None = None
    edit_message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A merchant's bill. Without `reply_to`: the group's live, pinned one of the open day.

    first, last: ISO dates; None for the open day. edit_message_id: a bill whose button was
    pressed, or one that closed.
    """

    topic: ClassVar[str] = "bill"
    merchant_id: str
    first: str | None = None
    last: str | None = None
    reply_to: int | None = None
    edit_message_id: int | None = None


@dataclass(frozen=True, slots=True)
class DeskBill:
    """The bill of a supplier, or (without one) of the platform. Without `reply_to`: the group's
    live, pinned one of the open day, or where days are named, one of a day that closed.

    first, last, edit_message_id: as in `Bill`. currency: of the platform's; None: the one that
    most merchants have.
    """

    topic: ClassVar[str] = "desk_bill"
    first: str | None = None
    last: str | None = None
    supplier_id: str | None = None
    reply_to: int | None = None
    edit_message_id: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class AlarmCard:
    """The group's one message of an alarm: posted, or edited where it is there.

    posted: the group has it already, so that nobody waits for this one.
    """

    topic: ClassVar[str] = "alarm"
    alarm_id: str
    posted: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalCard:
    """A chat's one message of what waits for a second person: posted, or edited where it is there.

    posted: as of an alarm.
    """

    topic: ClassVar[str] = "approval"
    approval_id: str
    posted: bool = False


@dataclass(frozen=True, slots=True)
class EnquiryCard:
    """A supplier's group's one message of a question that was passed to it: posted, or edited where
    it is there.

    posted: as of an alarm.
    """

    topic: ClassVar[str] = "enquiry"
    keeper: ClassVar[str] = "enquiry"
    enquiry_id: str
    posted: bool = False

    @property
    def ref(self) -> str:
        """What its keeper knows it by."""
        return f"passed:{self.enquiry_id}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A message of another chat, without a word of whose it was: whatever it is made of.

    text: is said instead, where what was written cannot stay as it is. caption: likewise, of what
    stands under a picture or a file; None: as it is. keeper, ref: who is told which message it
    became (see `Outbox.on_sent`), and the name by which the board knows it. bulk: one of very many,
    behind everything for which somebody waits. html: what stands under it instead, as Telegram's
    HTML.
    """

    topic: ClassVar[str] = "copy"
    from_chat_id: int
    from_message_id: int
    reply_to: int | None = None
    text: str | None = None
    caption: str | None = None
    keeper: str = ""
    ref: str = ""
    bulk: bool = False
    html: str = ""


@dataclass(frozen=True, slots=True)
class MediaGroup:
    """Two to ten pictures, videos or files that belong together. items: their kinds (photo, video,
    document, audio; the last two among themselves alone) and Telegram's ids of the files. caption:
    plain text under the first. keeper, ref, bulk, html: as of a `Copy`."""

    topic: ClassVar[str] = "media_group"
    items: tuple[tuple[str, str], ...]
    caption: str = ""
    reply_to: int | None = None
    keeper: str = ""
    ref: str = ""
    bulk: bool = False
    html: str = ""


@dataclass(frozen=True, slots=True)
class Revise:
    """Other words in a message, or an album, that was one of very many. words: Telegram's HTML.
    captioned: they stand under a picture or a file. keeper, ref: as of a `Copy`. items: files in
    the place of those that are there, in their order, as of a `MediaGroup`; empty: these stay."""

    topic: ClassVar[str] = "revise"
    bulk: ClassVar[bool] = True
    message_ids: tuple[int, ...]
    words: str
    captioned: bool
    keeper: str
    ref: str
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A message, or an album, that was one of very many, and nobody shall read again. keeper, ref:
    as of a `Copy`."""

    topic: ClassVar[str] = "withdraw"
    bulk: ClassVar[bool] = True
    message_ids: tuple[int, ...]
    keeper: str
    ref: str


@dataclass(frozen=True, slots=True)
class PinCopy:
    """A message that was one of very many is to be pinned, where the bot may."""

    topic: ClassVar[str] = "pin_copy"
    bulk: ClassVar[bool] = True
    message_id: int


@dataclass(frozen=True, slots=True)
class BroadcastCard:
    """A chat's one message of a broadcast: posted, or edited where it is there.

    posted: as of an alarm. pressed: somebody pressed on it, and waits.
    """

    topic: ClassVar[str] = "broadcast"
    broadcast_id: str
    posted: bool = False
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """A message that says something.

    only_for: the one member who sees it (ephemeral; falls back to a reply). aloud: what that reply
    says, if that is something else, because everybody in the chat reads it. edit_message_id:
    replaces that message. remember: kind under which the board keeps the message (with ref), to be
    edited later. thread_id: the topic in which somebody wrote, for what only that member sees: it
    is no reply. keeper: who is told which message it became, with ref; see `Outbox.on_sent`. use:
    into which topic of a forum it comes, where it is no reply.
    """

    topic: ClassVar[str] = "say"
    notice: Notice
    reply_to: int | None = None
    only_for: int | None = None
    aloud: Notice | None = None
    edit_message_id: int | None = None
    remember: Literal["receipt", "question", "alarm", "copy"] | None = None
    ref: str = ""
    thread_id: int | None = None
    keeper: str = ""
    use: TopicUse | None = None

    @property
    def screen(self) -> str:
        """What shows it is called so."""
        return self.notice.screen

    @property
    def facts(self) -> dict[str, Any]:
        """What it says, as JSON values."""
        return values_of(self.notice)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text that is longer than a message, as a file. name: of the file, with its ending.
    notice: what stands under it, at most 1024 characters."""

    topic: ClassVar[str] = "file"
    name: str
    text: str
    notice: Notice
    reply_to: int | None = None

    @property
    def screen(self) -> str:
        """What shows what stands under it is called so."""
        return self.notice.screen


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR code that says a text to a camera; it is drawn when it leaves. The text is no secret,
    for the outbox keeps it, and has at most MAX_QR_BYTES. notice: what stands under it, at most
    1024 characters."""

    topic: ClassVar[str] = "picture"
    text: str
    notice: Notice
    reply_to: int | None = None

    @property
    def screen(self) -> str:
        """What shows what stands under it is called so."""
        return self.notice.screen


@dataclass(frozen=True, slots=True)
class TakeAway:
    """A message that nobody shall read again: of ours, or of somebody in a private chat."""

    topic: ClassVar[str] = "take_away"
    message_id: int


@dataclass(frozen=True, slots=True)
class Twins:
    """A try of a message had no answer, and a later one did: where the former arrived as well, it
    is among the messages between these two, and has to go."""

    topic: ClassVar[str] = "twins"
    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Pin:
    """The newest live bill of a merchant, which is to be pinned in its group."""

    topic: ClassVar[str] = "pin"
    message_id: int


@dataclass(frozen=True, slots=True)
class Unpin:
    """A live bill that is to be pinned no longer."""

    topic: ClassVar[str] = "unpin"
    message_id: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A stored row of a kind, or with facts, that this desk does not know: another put it in."""

    topic: str


Fact = (
    AlarmCard
    | ApprovalCard
    | Card
    | Bill
    | DeskBill
    | EnquiryCard
    | Copy
    | MediaGroup
    | Revise
    | Withdraw
    | PinCopy
    | BroadcastCard
    | Say
    | TextFile
    | Picture
    | TakeAway
    | Twins
    | Pin
    | Unpin
    | Unread
)
_TOPICS: dict[str, type[Fact]] = {
    kind.topic: kind
    for kind in (
        AlarmCard,
        ApprovalCard,
        Card,
        Bill,
        DeskBill,
        EnquiryCard,
        Copy,
        MediaGroup,
        Revise,
        Withdraw,
        PinCopy,
        BroadcastCard,
        Say,
        TextFile,
        Picture,
        TakeAway,
        Twins,
        Pin,
        Unpin,
    )
}


def pack(fact: Fact) -> dict[str, Any]:
    """A fact as JSON values; what is at its default is left out."""
    values = {field.name: getattr(fact, field.name) for field in fields(fact)}
    packed: dict[str, Any] = {}
    for name, value in values.items():
        if name == "notice":
            packed |= _pack_notice(value)
        elif value not in (None, ""):
            packed[name] = _pack_notice(value) if isinstance(value, Notice) else value
    return packed


def _pack_notice(notice: Notice) -> dict[str, Any]:
    return {"screen": notice.screen, "facts": values_of(notice)}


def unpack(topic: str, values: dict[str, Any]) -> Fact:
    """The fact of a stored row. One that cannot be read must not stop those beside it."""
    try:
        read = dict(values)
        if "screen" in read:
            read["notice"] = Stored(read.pop("screen"), read.pop("facts"))
        if "aloud" in read:
            read["aloud"] = Stored(read["aloud"]["screen"], read["aloud"]["facts"])
        if "items" in read:
            read["items"] = tuple((kind, file_id) for kind, file_id in read["items"])
        if "message_ids" in read:
            read["message_ids"] = tuple(read["message_ids"])
        return _TOPICS[topic](**read)
    except (KeyError, TypeError, ValueError):
        return Unread(topic)


# In a chat, what has a lower rank leaves first, and may use more of the chat's window.
ANSWER: Final = 0  # in the place of a message on which somebody pressed
SAID: Final = 1  # every new message
CARD: Final = 2  # an edit that shows what changed
LIVE_BILL: Final = 3  # the same; there will always be a newer one
BULK: Final = 4  # one of very many, for which nobody waits


def use_of(fact: Fact) -> TopicUse | None:
    """For what a fact comes into a chat unasked: a forum may have a topic of its own for that. A
    reply stays in the topic of what it answers, and an edit where its message is."""
    match fact:
        case (
            Bill(reply_to=None, edit_message_id=None)
            | DeskBill(reply_to=None, edit_message_id=None)
        ):
            return "bills"
        case Card(reply_to=None, edit_message_id=None) | EnquiryCard():
            return "lookups"
        case AlarmCard():
            return "alarms"
        case Say(reply_to=None, edit_message_id=None, only_for=None):
            return fact.use
        case _:
            return None


def is_bulk(fact: Fact) -> bool:
    """Whether it is one of very many."""
    return bool(getattr(fact, "bulk", False))


def keeper_of(fact: Fact) -> str:
    """Who is told what became of it; empty where nobody is."""
    return str(getattr(fact, "keeper", ""))


def rank_of(fact: Fact, dedupe_key: str | None) -> int:
    """The rank of a fact. What is put in under a key shows a state that may change again; without
    one, somebody waits for it."""
    if is_bulk(fact):
        return BULK
    match fact:
        case BroadcastCard(pressed=True):
            return ANSWER
        case BroadcastCard(posted=posted):
            return CARD if posted else SAID
        case (
            Bill(reply_to=None, edit_message_id=None)
            | DeskBill(first=None, reply_to=None, edit_message_id=None)
        ):
            return LIVE_BILL
        case AlarmCard(posted=posted) | ApprovalCard(posted=posted) | EnquiryCard(posted=posted):
            return CARD if posted else SAID
        case Pin() | Unpin() | Twins():
            return CARD
        case TakeAway():
            return ANSWER
        case TextFile() | Picture() | Copy() | MediaGroup():
            return SAID
        case Say() | Card() | Bill() | DeskBill() if fact.edit_message_id is None:
            return SAID
        case _:
            return ANSWER if dedupe_key is None else CARD
