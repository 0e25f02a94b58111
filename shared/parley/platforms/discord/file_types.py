"""The kind of a received file. The callback function imports it, so it does without the module `mimetypes`."""

from parley.model import AnyMedia, Audio, File, Image, Video

_KINDS: dict[str, type[AnyMedia]] = {"image": Image, "audio": Audio, "video": Video}
_EXTENSIONS: dict[type[AnyMedia], str] = {
    Image: "png jpg jpeg jfif gif webp avif heic heif bmp svg tif tiff ico apng",
    Audio: "mp3 ogg oga opus wav flac m4a aac wma weba amr aif aiff mid midi",
    Video: "mp4 m4v mov webm mkv avi mpg mpeg wmv 3gp flv ogv",
}
_BY_EXTENSION = {extension: kind for kind, extensions in _EXTENSIONS.items() for extension in extensions.split()}
_UNKNOWN = ("", "application/octet-stream")


def media_type(mime: str, name: str) -> type[AnyMedia]:
    """The segment for a file with this MIME type; without one, the file's extension decides."""
    known = mime.partition(";")[0].strip().lower()
    if known in _UNKNOWN:
        return _BY_EXTENSION.get(name.rpartition(".")[2].lower() if "." in name else "", File)
    return _KINDS.get(known.partition("/")[0], File)
