"""Media that clients of the team's own load: copies in the bucket of this deployment, and addresses of what is there.

Such a client cannot load media that only another platform has. So these, and media that the bot has made, are copied to
the bucket before the reply is delivered: one in each attempt, after which the reply names the copy. A repeat writes the
same object. Without the bucket nothing is copied.
"""

from itertools import count

from msgspec.structs import replace

from parley.adapter import IDEMPOTENT, Call, SupportsCopies, SupportsStoredMedia, Upload
from parley.engine.aws import setting
from parley.model import AnyMedia, Outgoing, Source, media_of, with_media


class UncopiedMediaError(Exception):
    """`media`, which have the number `number` among those of a reply, are not in the bucket. `source` is their place in
    it, and `key` the key of the object.
    """

    def __init__(self, media: AnyMedia, number: int, source: Source, key: str) -> None:
        # Imported here: functions that only make addresses do not pay for the HTTP client.
        import mimetypes  # noqa: PLC0415

        from parley.engine.http import MAX_DOWNLOAD  # noqa: PLC0415

        super().__init__("media are not in the bucket")
        mime = media.mime or mimetypes.guess_type(media.name)[0] or "application/octet-stream"
        self.media, self.number, self.source, self.key = replace(media, mime=mime), number, source, key
        # The media as they are: if there are no bytes, the reply goes out without these.
        upload = Upload(field="", media=media, limit=MAX_DOWNLOAD)
        self.call = Call(name="copy", method="PUT", url="", upload=upload, stored=key, idempotent_for=IDEMPOTENT)

    def addressed(self, call: Call) -> Call:
        """`call`, which has the bytes, with its address."""
        from parley.engine.objects import write_address  # noqa: PLC0415  # few deployments have a bucket

        headers = {"Content-Type": self.media.mime}
        return replace(call, url=write_address(self.key, headers), headers=headers)

    def copied(self, out: Outgoing) -> Outgoing:
        """`out`, which names the copy."""
        numbers = count()

        def changed(media: AnyMedia) -> AnyMedia:
            own = next(numbers) == self.number
            return replace(self.media, key=self.source.key, data="", source=self.source) if own else media

        return replace(out, reply=replace(out.reply, segments=with_media(out.reply.segments, changed)))


def check_copied(out: Outgoing, platform: object) -> None:
    """Raise UncopiedMediaError for the first media of `out` that have to be copied before it is delivered."""
    if not isinstance(platform, SupportsCopies) or not setting("MEDIA_HOST", ""):
        return
    for number, media in enumerate(media_of(out.reply.segments)):
        if media.data or (media.source and not platform.stored(media.source)):
            source = platform.copy_of(out, number)
            raise UncopiedMediaError(media, number, source, platform.stored(source))


def with_addresses(out: Outgoing, platform: object) -> Outgoing:
    """`out`, whose media of the bucket have an address, which is valid for a quarter of an hour."""
    if not isinstance(platform, SupportsStoredMedia) or not setting("MEDIA_HOST", ""):
        return out
    stored = platform.stored

    def readable(media: AnyMedia) -> AnyMedia:
        key = stored(media.source) if media.source and not media.data else ""
        if not key:
            return media
        from parley.engine.objects import read_address  # noqa: PLC0415  # few deployments have a bucket

        return replace(media, url=read_address(key, media.name))

    segments = with_media(out.reply.segments, readable)
    return out if segments == out.reply.segments else replace(out, reply=replace(out.reply, segments=segments))
