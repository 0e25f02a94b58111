"""An assistant for the meeting rooms: a language model answers, and uses the commands. README.md says how to use it."""

from datetime import date

from office import Booking, Hour, OfficeTurn, Room, free_rooms, language_model, mine, moment, name_of, words_for
from parley.bot import Bot, Quotas

bot = Bot(quotas=Quotas(person_tokens_a_day=50_000, room_tokens_a_day=200_000))

_SYSTEM = """You are the assistant of a team and take care of its meeting rooms.
Answer in the language of the question, in two sentences at most.
If a room, a day or an hour is missing, ask for it. Never guess one."""


@bot.converse(model=language_model, system=_SYSTEM, command="ask")
def assistant(turn: OfficeTurn) -> str:
    """What the model knows of a message beside its text"""
    return f"It is {moment(turn):%A, %Y-%m-%d, %H:%M}. The person is {name_of(turn)}."


@bot.command(helps={"zh-CN": "查看空闲的会议室"})
def free(turn: OfficeTurn, day: date, hour: Hour) -> str:
    """Show the rooms that are free at an hour"""
    words, rooms = words_for(turn), free_rooms(turn, day, hour)
    return words.free.format(rooms=", ".join(rooms)) if rooms else words.nothing_free


@bot.command(tool="approve", helps={"zh-CN": "预订会议室"})
def book(turn: OfficeTurn, room: Room, day: date, hour: Hour) -> str:
    """Book a room for an hour"""
    words, now = words_for(turn), moment(turn)
    if (day, hour) <= (now.date(), now.hour):
        return words.past
    if room not in free_rooms(turn, day, hour):
        return words.taken.format(room=room)
    coming = [each for each in turn.shared.bookings if each.day >= now.date().isoformat()]
    number = turn.shared.last = turn.shared.last + 1
    booking = Booking(number=number, room=room, day=day.isoformat(), hour=hour, by=turn.message.sender.id)
    turn.shared.bookings = [*coming, booking]
    return words.booked.format(booking=booking)


@bot.command(helps={"zh-CN": "查看我的预订"})
def bookings(turn: OfficeTurn) -> str:
    """Show your bookings"""
    words = words_for(turn)
    return "\n".join(words.line.format(booking=each) for each in mine(turn)) or words.nothing


@bot.command(tool=False, helps={"zh-CN": "取消预订"})
def cancel(turn: OfficeTurn, number: int) -> str:
    """Cancel one of your bookings"""
    words = words_for(turn)
    found = next((each for each in mine(turn) if each.number == number), None)
    if found is None:
        return words.unknown.format(number=number)
    turn.shared.bookings.remove(found)
    return words.cancelled.format(booking=found)
