"""What changes in a stored document when a person is forgotten: ids, names and texts, and no structure."""

import json
from collections.abc import Iterator
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
import pytest

from parley.adapter import Sent
from parley.journal.masking import MASK, Subject
from parley.journal.strings import STRINGS
from parley.model import Button, Card, Mention, Message, Outgoing, Quote, Reply, Select, Sender, Text
from parley.model.agenda import Agenda, Answer, LoginQuestion, Numbered, OpenDialogue, Reminder, Timer
from parley.model.codec import encode
from parley.model.instant import Choice, Form, Input
from parley.model.message import Action, Command
from parley.model.segments import CardField, File, Link, Location, Media, Other
from tests.factories import make_message, make_reply

STORED: tuple[Any, ...] = (Message, Outgoing, Agenda, Timer, Sent)
"""The Structs that rows hold as JSON."""


def structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """The Structs in a type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for inner in get_args(kind):
        yield from structs(inner)


def reached() -> set[type[msgspec.Struct]]:
    """The Structs in all stored types."""
    found: set[type[msgspec.Struct]] = set()
    waiting = [*STORED]
    while waiting:
        if (kind := waiting.pop()) not in found:
            found.add(kind)
            waiting += [each for hint in get_type_hints(kind).values() for each in structs(hint)]
    return found


def has_strings(kind: Any) -> bool:
    """Whether a field of this type holds strings that are no literals, of a Struct itself."""
    if get_origin(kind) is Literal:
        return False
    values = get_args(kind)[1:] if get_origin(kind) is dict else get_args(kind)
    return kind in (str, Any) or any(map(has_strings, values))


def test_every_string_of_a_stored_struct_is_decided() -> None:
    assert reached() == STRINGS.keys()
    for kind, strings in STRINGS.items():
        decided = {name for names in strings for name in names}
        held = {name for name, hint in get_type_hints(kind).items() if has_strings(hint)} & {*kind.__struct_fields__}
        assert len(decided) == sum(map(len, strings)), kind
        assert held == decided or (issubclass(kind, Media) and held < decided), kind


def documents() -> dict[str, tuple[Any, Any]]:
    """Documents of all stored types, with values in their fields, and their types."""
    bob = make_message(
        "m1",
        sender=Sender(id="bob", name="Bob"),
        segments=(Text(text="hi"), Mention(id="bob", name="Bob"), File(key="k", name="f"), Quote(message_id="q")),
        command=Command(name="deploy", options={"what": "tea"}, menu="user"),
        action=Action(id="go", value="v", form={"what": "tea"}, options=("a",)),
        reply_to="r",
        event="joined",
    )
    form = Form(id="s", title="F", inputs=(Input(id="what", label="What", choices=(Choice("A", "a"),)),))
    card = Card(
        title="T",
        buttons=(Button(id="go", label="Go", value="v", style="danger"),),
        fields=(CardField(label="l", value="v"),),
        selects=(Select(id="menu", label="M", choices=(Choice("A", "a"),)),),
        form=form,
    )
    segments = (card, Link(url="u"), Location(latitude=1, longitude=2), Other(name="typing"))
    out = msgspec.structs.replace(make_reply(bob, "hi"), reply=Reply(segments=segments, op="edit", target="t"))
    answer = Answer(question="q", message=bob, now=1.0, text="tea", by=Sender(id="bob"))
    dialogue = OpenDialogue(
        id="d1",
        handler="bot:deploy",
        given={"what": "tea", "more": {"kind": "x"}},
        message=bob,
        started=1.0,
        answers=(answer,),
        question="q",
        results='{"look":{"phone":"1"}}',
        cards=("reply:1",),
        room=out.to,
    )
    reminder = Reminder(id="r1", at=1.0, handler="parley.dialogue", zone="Asia/Shanghai", by="bob")
    numbered = Numbered(number=1, at=1.0, id="go", value="v", form=form)
    agenda = Agenda(reminders={"r1": reminder}, dialogues={"bob": dialogue}, numbers=(numbered,))
    login = LoginQuestion(place="d1.0", scopes="calendar")
    timer = Timer(message=bob, at=1.0, cron="0 9 * * 1", zone="Asia/Shanghai", login=login)
    receipts = (Sent("om_1", {"key": "img", "unreached": "invaliduser lin|bob"}),)
    return {
        "message": (bob, Message),
        "reply": (out, Outgoing),
        "agenda": (agenda, Agenda),
        "timer": (timer, Timer),
        "receipts": (receipts, tuple[Sent, ...]),
    }


DOCUMENTS = documents()


def structure(document: Any) -> Any:
    """`document` with its texts, ids and values of the bot left out: keys, numbers, literals and what code compares."""
    match document:
        case msgspec.Struct():
            strings = STRINGS[type(document)]
            open_ = strings.ids | strings.texts | strings.values | strings.json
            shown = {name: structure(getattr(document, name)) for name in document.__struct_fields__}
            keys = {name: [*value] for name, value in shown.items() if name in open_ and isinstance(value, dict)}
            return type(document), {name: value for name, value in shown.items() if name not in open_} | keys
        case tuple():
            return [structure(each) for each in cast("tuple[Any, ...]", document)]
        case dict():
            return {key: structure(value) for key, value in cast("dict[str, Any]", document).items()}
        case _:
            return document


def words(document: Any) -> set[str]:
    """All strings and keys in JSON."""
    if isinstance(document, dict):
        items = cast("dict[str, Any]", document).items()
        return {key for key, _ in items}.union(*(words(value) for _, value in items))
    if isinstance(document, list):
        return set[str]().union(*map(words, cast("list[Any]", document)))
    return {document} if isinstance(document, str) else set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_person_whose_id_or_name_is_any_word_of_a_document_changes_no_structure(name: str) -> None:
    document, kind = DOCUMENTS[name]
    stored = encode(document).decode()
    for word in sorted(words(json.loads(stored)) - {"", "bob", "Bob"}):
        masked = Subject("wecom", "demo", word).mask(stored, kind) or stored
        assert structure(msgspec.json.decode(masked, type=kind)) == structure(document), word


@pytest.mark.parametrize("word", ["user", "message", "feishu", "demo", "deploy", "text", "danger", "kind", "what"])
def test_a_name_that_is_a_word_of_the_structure_is_masked_where_people_read_it(word: str) -> None:
    segments = (Mention(id="ann", name=word), Text(text=f"{word} has approved"))
    document = make_message("m1", sender=Sender(id="bob"), segments=segments, command=Command(name="deploy"))
    masked = Subject("wecom", "demo", "ann").mask(encode(document).decode(), Message)
    found = msgspec.json.decode(masked or "", type=Message)
    assert found.segments == (Mention(id=MASK, name=MASK), Text(text=f"{MASK} has approved"))
    assert structure(found) == structure(document)


def dialogue_of(person: str, **more: Any) -> OpenDialogue:
    message = make_message("m1", sender=Sender(id=person))
    fields: dict[str, Any] = {"given": {}}
    return OpenDialogue(id="d1", handler="bot:ask", message=message, started=1.0, **fields | more)


def masked_dialogue(person: str, **more: Any) -> OpenDialogue:
    stored = encode(Agenda(dialogues={"bob": dialogue_of("bob", **more)})).decode()
    masked = Subject("wecom", "demo", person).mask(stored, Agenda) or stored
    return msgspec.json.decode(masked, type=Agenda).dialogues["bob"]


def test_arguments_and_results_lose_the_id_and_keep_their_names() -> None:
    given = {"lin": "ask lin", "more": {"lin": ["lin", 1, None], "kind": "line"}}
    found = masked_dialogue("lin", given=given, results='{"lin":{"lin":"lin"}}')
    assert found.given == {"lin": f"ask {MASK}", "more": {MASK: [MASK, 1, None], "kind": "line"}}
    assert json.loads(found.results) == {"lin": {MASK: MASK}}


def test_fields_of_another_version_stay() -> None:
    stored = encode(make_message("m1", segments=(Mention(id="ann"),))).decode()[:-1] + ',"later":{"kind":"x"}}'
    masked = json.loads(Subject("feishu", "demo", "ann").mask(stored, Message) or "")
    assert masked["later"] == {"kind": "x"}
    assert masked["segments"] == [{"type": "mention", "id": MASK, "name": "", "bot": False}]


def test_a_document_that_this_version_cannot_read_is_no_document_to_mask() -> None:
    stored = encode(make_message("m1", sender=Sender(id="ann"))).decode().replace('"kind":"user"', '"kind":"robot"')
    with pytest.raises(msgspec.ValidationError):
        Subject("feishu", "demo", "ann").mask(stored, Message)


@pytest.mark.parametrize(
    ("person", "text", "masked"),
    [
        ("li", "ask li, Li and @li; not Lisbon, not li-2", f"ask {MASK}, {MASK} and @{MASK}; not Lisbon, not li-2"),
        (
            "lin",
            "lin.wang, a.lin, lin@x.cn, x@lin, jean-lin, lin-2",
            "lin.wang, a.lin, lin@x.cn, x@lin, jean-lin, lin-2",
        ),
        ("lin", "lin. Lin-- (lin), @lin: -lin\nlin", f"{MASK}. {MASK}-- ({MASK}), @{MASK}: -{MASK}\n{MASK}"),
        ("lin.wang", "ask lin.wang. Or lin", f"ask {MASK}. Or lin"),
        ("lin", "问lin吧", f"问{MASK}吧"),
        ("Jos", "José and Jos", f"José and {MASK}"),
        ("Анна", "Аннабель, Анна", f"Аннабель, {MASK}"),
        ("王伟", "问王伟吧", f"问{MASK}吧"),
        ('a"b', 'say a"b', f"say {MASK}"),
    ],
)
def test_an_id_is_masked_where_it_stands_alone(person: str, text: str, masked: str) -> None:
    assert masked_dialogue(person, text=text).text == masked
    assert masked_dialogue("nobody", text=text).text == text


def test_an_id_that_is_a_part_of_another_one_is_another_person() -> None:
    ids = ("lin.wang", "lin@x.cn", "lin-2", "lin_2", "wang.lin", "Line")
    dialogues = {id_: dialogue_of(id_, given={"to": f"{id_}, {id_}!"}) for id_ in ids}
    reminders = {id_: Reminder(id=id_, at=1.0, by=id_) for id_ in ids}
    stored = encode(Agenda(dialogues=dialogues, reminders=reminders)).decode()
    assert Subject("wecom", "demo", "lin").mask(stored, Agenda) is None


def test_a_person_among_several_receivers_is_masked() -> None:
    to = msgspec.structs.replace(make_reply(make_message(), "hi").to, user_id="lin.wang|lin|bob")
    stored = encode(msgspec.structs.replace(make_reply(make_message(), "hi"), to=to)).decode()
    found = msgspec.json.decode(Subject("wecom", "demo", "lin").mask(stored, Outgoing) or "", type=Outgoing)
    assert found.to.user_id == f"lin.wang|{MASK}|bob"


def test_an_id_at_the_start_of_a_line_is_found() -> None:
    assert Subject("wecom", "demo", "lin").is_in(encode({"notes": ["said\nlin"]}).decode())


@pytest.mark.parametrize("person", ["ZhangSan", "zhangsan", "ZHANGSAN"])
def test_the_name_beside_an_id_of_wecom_is_masked_in_any_case_of_the_id(person: str) -> None:
    by = Sender(id="ZhangSan", name="张三")
    answer = Answer(question="q", message=make_message("m2", sender=by), now=1.0, text="张三 approved", by=by)
    [found] = masked_dialogue(person, answers=(answer,)).answers
    assert (found.text, found.by) == (f"{MASK} approved", Sender(id=MASK, name=MASK))


def test_the_name_beside_the_id_is_masked_in_the_same_row() -> None:
    segments = (Text(text="@Ann look"), Mention(id="ou_1", name="Ann"), Mention(id="ou_2", name="Bo"))
    stored = encode(make_message("m1", segments=segments)).decode()
    found = msgspec.json.decode(Subject("feishu", "demo", "ou_1").mask(stored, Message) or "", type=Message)
    assert found.segments == (Text(text=f"@{MASK} look"), Mention(id=MASK, name=MASK), Mention(id="ou_2", name="Bo"))
