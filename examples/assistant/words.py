"""The texts of the assistant, in English and Chinese."""

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one language. Words in braces are filled in."""

    free: str = "Free: {rooms}"
    nothing_free: str = "No room is free."
    past: str = "That hour is over, or has begun."
    taken: str = "{room} is taken at that hour."
    booked: str = "✅ {booking.room}, {booking.day} at {booking.hour}:00, booking {booking.number}"
    line: str = "{booking.number}: {booking.room}, {booking.day} at {booking.hour}:00"
    nothing: str = "You have no bookings."
    unknown: str = "You have no booking {number}."
    cancelled: str = "Cancelled: {booking.room}, {booking.day} at {booking.hour}:00"


_CHINESE = Words(
    free="空闲：{rooms}",
    nothing_free="没有空闲的会议室。",
    past="这个时间已经过去或已经开始。",
    taken="{room} 在这个时间已被预订。",
    booked="✅ {booking.room}，{booking.day} {booking.hour}:00，预订号 {booking.number}",
    line="{booking.number}：{booking.room}，{booking.day} {booking.hour}:00",
    nothing="你没有预订。",
    unknown="你没有 {number} 号预订。",
    cancelled="已取消：{booking.room}，{booking.day} {booking.hour}:00",
)
LANGUAGES = {"en": Words(), "zh": _CHINESE}
"""The texts by language; see `parley.bot.texts_for`."""
