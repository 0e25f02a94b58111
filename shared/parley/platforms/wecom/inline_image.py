"""Images within the JSON of a message (WeCom docs: Group robots > Image messages; Smart bots > Passive replies)."""

import hashlib

from parley.crypto import decode_base64
from parley.model import Image
from parley.platforms.tencent.media import has_format


def inline_image(image: Image, most: int) -> dict[str, str] | None:
    """The content of an image with its data. None if there are no data, or they have over `most` bytes or another
    format than JPG or PNG. Raises ValueError if the data are not Base64.
    """
    if not image.data or not has_format(image, "jpg", "jpeg", "png"):
        return None
    data = decode_base64(image.data)
    if len(data) > most:
        return None
    return {"base64": image.data, "md5": hashlib.md5(data, usedforsecurity=False).hexdigest()}
