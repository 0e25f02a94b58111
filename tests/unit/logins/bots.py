"""A bot that reads the calendar of a person."""

from parley.bot import Bot, Login, Script, Turn

SCOPE = "calendar:calendar:readonly"
EVENTS = "/open-apis/calendar/v4/calendars/primary/events"


def made_bot() -> Bot:
    """The bot."""
    bot = Bot()

    @bot.command()
    def calendar(turn: Turn) -> Script:
        login = yield Login(SCOPE)
        if not login:
            return f"End: {login.outcome}"
        return f"End: {len(turn.as_user().get(EVENTS)['data']['items'])}"

    return bot
