"""Media that clients upload: whose they are, and where they are.

The id of media begins like those of the messages of the person who has uploaded them, so nobody else can name them. The
object has the key `APP/ID`: all that a person has uploaded has one prefix.
"""

from parley.adapter import App, NewMedia
from parley.model import AnyMedia, Audio, File, Image, Outgoing, Source, Video, digest
from parley.platforms.http import persons
from parley.platforms.http.bodies import Attached, MediaRequest
from parley.platforms.http.persons import Person

ROUTE = "/v1/{app}/media"
PLATFORM = "http"
_PLACE = "/media"
"""In place of a room: no room has this name, so no message has the id of media."""
_KINDS: dict[str, type[AnyMedia]] = {"image": Image, "audio": Audio, "video": Video}


def new_media(person: Person, app: App, key: str, wanted: MediaRequest) -> NewMedia:
    """The media that the person wants to upload, the same for each request with this idempotency key."""
    return NewMedia(object_key(app.name, persons.message_id(person, _PLACE, key)), wanted.type, wanted.size)


def object_key(app: str, id_: str) -> str:
    """The key of the object."""
    return f"{app}/{id_}"


def uploads_of(person: str, app: str) -> str:
    """See `parley.adapter.SupportsUploads`."""
    return object_key(app, persons.mark_of(person))


def copy_of(out: Outgoing, number: int) -> Source:
    """See `parley.adapter.SupportsCopies`. The copy belongs to the person who gets the reply, else to the room."""
    owner = persons.mark_of(out.to.user_id or out.to.room_id)
    return Source(platform=PLATFORM, app=out.to.app, key=owner + digest(out.id, str(number))[:32])


def id_in(key: str) -> str:
    """The id of the media in the object with that key."""
    return key.rpartition("/")[2]


def segment_of(attached: Attached) -> AnyMedia:
    """The segment of uploaded media."""
    kind = _KINDS.get(attached.type.partition("/")[0].lower(), File)
    return kind(key=attached.id, name=attached.name, mime=attached.type)


def stored(source: Source) -> str:
    """See `parley.adapter.SupportsUploads`."""
    return object_key(source.app, source.key) if source.platform == PLATFORM and source.key else ""
