"""clients/web: every message is stored once and in order, and every reply is passed on once and in order."""

import time

import pytest

from tests.e2e.webchat.conftest import TIMES, Tab
from tests.e2e.webchat.scripted import Scripted

TEXTS = [f"message {number}" for number in range(6)]
STEPS = ["ticket", "connect", "hello", "open", "message", "stored"]


def everything_arrived(tab: Tab, texts: list[str] = TEXTS) -> bool:
    return tab.replies() == texts and [message["text"] for _, message in tab.server.stored] == texts


def test_messages_are_stored_and_replies_come_in_order(tab: Tab, server: Scripted) -> None:
    tab.begin()
    keys = tab.send(*TEXTS)
    tab.wait(lambda: everything_arrived(tab))
    assert [(event["key"], event["id"]) for event in tab.events("accepted")] == [(key, f"id-of-{key}") for key in keys]
    assert [event["cursor"] for event in tab.events("reply")] == [str(1000 + number) for number in range(6)]
    tab.wait(lambda: server.box().acknowledged == 1005)
    assert (tab.events("error"), server.connected) == ([], 1)


@pytest.mark.parametrize("fault", [*(f"{what} {step}" for what in ("cut", "hang") for step in STEPS), "cut reply"])
def test_a_connection_that_is_lost_or_hangs_at_any_step_loses_and_repeats_nothing(
    tab: Tab, server: Scripted, fault: str
) -> None:
    server.faults = [fault, fault]
    tab.begin()
    tab.send(*TEXTS)
    tab.wait(lambda: everything_arrived(tab))
    assert server.faults == []


def test_a_connection_that_is_cut_again_and_again_loses_and_repeats_nothing(tab: Tab, server: Scripted) -> None:
    tab.begin()
    texts = [f"message {number}" for number in range(40)]
    for number, text in enumerate(texts):
        tab.send(text)
        if number % 4 == 3:
            server.cut()
    tab.wait(lambda: everything_arrived(tab, texts))


def test_the_next_message_is_sent_after_the_answer_to_the_last_one(tab: Tab, server: Scripted) -> None:
    server.faults = ["hang stored"]
    tab.begin()
    tab.send("a", "b", "c")
    tab.wait(lambda: everything_arrived(tab, ["a", "b", "c"]))
    sent = [frame.get("text", frame["type"]) for frame in server.frames if frame["type"] in ("hello", "message")]
    assert sent == ["hello", "a", "hello", "a", "b", "c"]


@pytest.mark.parametrize("what", ["twice", "drop", "swap"])
def test_replies_that_come_twice_not_at_all_or_late_are_put_in_order(tab: Tab, server: Scripted, what: str) -> None:
    tab.begin()
    tab.ready()
    for text in TEXTS:
        server.faults.append(f"{what} reply")
        tab.send(text)
        tab.wait(lambda text=text: text in str(server.stored))
    server.faults.clear()
    tab.send("the end")
    tab.wait(lambda: everything_arrived(tab, [*TEXTS, "the end"]))
    time.sleep(1.2)  # nothing is missing, so nothing happens
    assert server.connected == 1


def test_a_gap_that_stays_open_makes_the_client_connect_again(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.ready()
    tab.wait(lambda: server.clients and server.clients[0].rooms)
    server.faults = ["drop reply", *(["hang open"] * 3)]
    server.put({"text": "a"})
    server.put({"text": "b"})
    tab.wait(lambda: tab.replies() == ["a", "b"])
    assert server.connected == 2


def test_replies_that_waited_come_page_by_page(tab: Tab, server: Scripted) -> None:
    server.box().acknowledged = 999
    for number in range(20):
        server.put({"text": str(number)})
    tab.begin()
    tab.wait(lambda: tab.replies() == [str(number) for number in range(20)])
    opens = [frame for frame in server.frames if frame["type"] == "open"]
    assert [frame.get("after") for frame in opens] == [None, *(str(number) for number in range(1002, 1019, 3))]
    assert tab.events("error") == []


def test_a_person_who_has_acknowledged_nothing_gets_what_comes_from_now_on(tab: Tab, server: Scripted) -> None:
    server.put({"text": "before"})
    tab.begin()
    tab.send("hello")
    tab.wait(lambda: tab.replies() == ["hello"])


def test_a_reply_for_somebody_else_is_passed_over(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    server.put(None)
    tab.send("b")
    tab.wait(lambda: tab.replies() == ["a", "b"])
    tab.wait(lambda: server.box().acknowledged == 1002)


def test_replies_that_have_expired_are_reported(tab: Tab, server: Scripted) -> None:
    tab.begin(storage="sessionStorage")
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    tab.load()
    server.box().first, server.box().replies = 5000, []
    server.put({"text": "much later"})
    tab.begin(storage="sessionStorage")
    tab.wait(lambda: tab.replies() == ["much later"])
    assert [(event["from"], event["to"]) for event in tab.events("lost")] == [("1001", "4999")]


def test_a_server_that_counts_anew_is_followed(tab: Tab, server: Scripted) -> None:
    tab.begin(storage="sessionStorage")
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    tab.load()
    server.box().first, server.box().replies, server.box().acknowledged = 100, [], None
    tab.begin(storage="sessionStorage")
    tab.send("b")
    tab.wait(lambda: tab.replies() == ["b"])
    assert tab.events("reply")[0]["cursor"] == "100"


# --- large replies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["ticket", "token"])
def test_a_large_reply_is_read_by_http_and_keeps_its_place(tab: Tab, server: Scripted, way: str) -> None:
    tab.begin(api=f"{server.url}/" if way == "token" else "")
    tab.ready()
    tab.wait(lambda: server.clients and server.clients[0].rooms)
    server.put({"text": "a"})
    server.put({"text": "b" * 100_000}, large=True)
    server.put({"text": "c"})
    tab.wait(lambda: [text[:1] for text in tab.replies()] == ["a", "b", "c"])
    assert len(tab.replies()[1]) == 100_000


def test_a_page_that_cannot_read_large_replies_says_that_there_was_one(tab: Tab, server: Scripted) -> None:
    tab.begin(blind=True)
    tab.ready()
    tab.wait(lambda: server.clients and server.clients[0].rooms)
    server.put({"text": "b" * 100_000}, large=True)
    server.put({"text": "c"})
    tab.wait(lambda: tab.replies() == ["", "c"])
    assert tab.events("reply")[0]["reply"]["large"] is True


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_message_that_is_refused_for_now_is_sent_again_with_its_key(tab: Tab, server: Scripted, status: int) -> None:
    server.errors = [{"status": status, "error": "later", "retry_after": 0.1}] * 2
    tab.begin()
    keys = tab.send(*TEXTS)
    tab.wait(lambda: everything_arrived(tab))
    sent = [frame["key"] for frame in server.frames if frame["type"] == "message"]
    assert sent == [keys[0], keys[0], *keys]
    assert server.connected == 1


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
def test_a_message_that_is_refused_for_good_is_reported_and_the_next_one_is_sent(
    tab: Tab, server: Scripted, status: int
) -> None:
    server.errors = [{"status": status, "error": "no", "detail": "Because."}]
    tab.begin()
    keys = tab.send("a", "b")
    tab.wait(lambda: tab.replies() == ["b"])
    [refused] = tab.events("refused")
    assert (refused["key"], refused["status"], refused["detail"]) == (keys[0], status, "Because.")
    assert tab.script("return client.unsent") == []


def test_a_message_that_is_too_large_for_a_frame_is_refused_at_once(tab: Tab, server: Scripted) -> None:
    tab.begin()
    with pytest.raises(Exception, match="larger than 32768 bytes"):
        tab.send("语" * 11_000)
    tab.send("small")
    tab.wait(lambda: tab.replies() == ["small"])


@pytest.mark.parametrize("what", ["expired", "refused"])
def test_an_expired_ticket_is_replaced(tab: Tab, server: Scripted, what: str) -> None:
    if what == "expired":
        server.ticket_seconds = 0
    else:
        server.ticket_status = 401
    tab.begin()
    tab.send("a")
    tab.wait(lambda: len([event for event in tab.events("state") if event["state"] == "waiting"]) > 2)
    server.ticket_seconds, server.ticket_status = 60, 201
    tab.wait(lambda: tab.replies() == ["a"])
    if what == "refused":
        assert tab.events("error")[0] == {"type": "error", "status": 401, "error": "stale", "detail": "It has expired."}


def test_a_token_that_expires_while_connected_ends_the_connection_and_loses_nothing(tab: Tab, server: Scripted) -> None:
    server.errors = [{"status": 401, "error": "stale"}]
    tab.begin()
    tab.send("a")
    tab.wait(lambda: not server.errors)
    server.cut()
    tab.wait(lambda: tab.replies() == ["a"])


# --- time -------------------------------------------------------------------------------------------------------------


def test_the_pause_between_attempts_grows_and_differs(tab: Tab, server: Scripted) -> None:
    server.ticket_status = 503
    tab.begin({"retry": 40, "retryMax": 400})
    states = tab.wait(lambda: (found := tab.events("state"))[16:] and found)
    pauses = [event["seconds"] for event in states if event["state"] == "waiting"]
    assert all(0.02 * 2**number <= pause <= 0.04 * 2**number for number, pause in enumerate(pauses[:3]))
    assert all(0.2 <= pause <= 0.4 for pause in pauses[4:])
    assert len(set(pauses)) == len(pauses)


def test_a_connection_is_replaced_before_it_ends(tab: Tab, server: Scripted) -> None:
    server.life = 3
    tab.begin({"early": 1500, "stable": 100})
    tab.ready()
    tab.wait(lambda: server.connected == 2)
    assert "waiting" not in [event["state"] for event in tab.events("state")]
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])


@pytest.mark.parametrize("life", [-7200, 0, 30, 10**9])
def test_a_wrong_clock_does_not_make_the_client_connect_again_and_again(
    tab: Tab, server: Scripted, life: float
) -> None:
    server.life = life
    tab.begin()
    tab.ready()
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    time.sleep(1)  # longer than a connection is kept at least
    assert server.connected == 1


def test_an_idle_connection_is_kept_and_a_dead_one_is_found(tab: Tab, server: Scripted) -> None:
    tab.begin({"check": 100})
    tab.ready()
    tab.wait(lambda: len([frame for frame in server.frames if frame["type"] == "open"]) > 3)
    assert server.connected == 1
    server.faults = ["hang open"] * 20
    tab.wait(lambda: server.connected == 2)


def test_a_connection_without_a_room_is_kept_with_pings(tab: Tab, server: Scripted) -> None:
    server.refused = {""}
    tab.begin({"check": 100})
    tab.wait(lambda: len([frame for frame in server.frames if frame["type"] == "ping"]) > 2)
    assert [event["status"] for event in tab.events("error")] == [403]
    server.faults = ["hang ping"] * 20
    tab.wait(lambda: server.connected == 2)


def test_a_reply_whose_push_got_lost_is_found(tab: Tab, server: Scripted) -> None:
    tab.begin({"check": 200})
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    server.faults = ["drop reply"]
    server.put({"text": "lost"})
    tab.wait(lambda: tab.replies() == ["a", "lost"])
    assert server.connected == 1


def test_the_network_that_is_back_ends_the_pause(tab: Tab, server: Scripted) -> None:
    server.ticket_status = 503
    tab.begin({"retry": 600_000, "retryMax": 600_000})
    tab.wait(lambda: tab.script("return client.state") == "waiting")
    server.ticket_status = 201
    tab.script("dispatchEvent(new Event('online'))")
    tab.ready()


def test_the_browser_offline_and_online(tab: Tab, server: Scripted) -> None:
    tab.begin({"answer": 400})
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    network = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.browser.execute_cdp_cmd("Network.enable", {})
    tab.browser.execute_cdp_cmd("Network.emulateNetworkConditions", network)
    server.cut()
    tab.send("b", "c")
    tab.wait(lambda: len([event for event in tab.events("state") if event["state"] == "waiting"]) > 1)
    tab.browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**network, "offline": False})
    tab.wait(lambda: everything_arrived(tab, ["a", "b", "c"]))


def test_stop_ends_all_and_start_goes_on(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    tab.script("client.stop()")
    tab.wait(lambda: not server.clients)
    tab.send("b")
    server.put({"text": "meanwhile"})
    time.sleep(0.3)  # nothing happens
    assert (server.connected, tab.script("return client.state")) == (1, "stopped")
    tab.script("client.start()")
    tab.wait(lambda: tab.replies() == ["a", "meanwhile", "b"])


def test_stop_in_a_listener_ends_it_there(tab: Tab, server: Scripted) -> None:
    for event in ("connecting", "ready", "waiting"):
        tab.load()
        tab.script("addEventListener('error', (e) => console.error(e.message))")
        server.ticket_status = 503 if event == "waiting" else 201
        listener = "({detail}) => detail.state === arguments[0] && client.stop()"
        tab.script("begin({times: {retry: 10}}); client.stop()")
        tab.script(f"client.addEventListener('state', {listener}); client.start()", event)
        tab.wait(lambda: tab.script("return client.state") == "stopped")
        time.sleep(0.2)  # nothing happens
        assert tab.script("return client.state") == "stopped"


def test_stop_when_another_person_has_come_ends_it_there(tab: Tab, server: Scripted) -> None:
    tab.script("sessionStorage.setItem('parley:web', JSON.stringify({ person: 'wang', last: {}, unsent: [] }))")
    # In one script: nothing happens between the two.
    options = {"times": TIMES, "storage": "sessionStorage"}
    tab.script("begin(arguments[0]); client.addEventListener('person', () => client.stop())", options)
    tab.wait(lambda: tab.script("return client.state") == "stopped")
    assert [event["state"] for event in tab.events("state")] == ["connecting", "stopped"]


# --- several pages ----------------------------------------------------------------------------------------------------


def test_the_next_page_sends_what_is_unsent_and_goes_on_after_the_last_reply(tab: Tab, server: Scripted) -> None:
    tab.begin(storage="sessionStorage")
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    server.faults = ["hang message"]
    keys = tab.send("b", "c")
    tab.wait(lambda: not server.faults)
    tab.load()
    server.put({"text": "meanwhile"})
    tab.begin(storage="sessionStorage")
    tab.wait(lambda: tab.replies() == ["meanwhile", "b", "c"])
    assert [key for key, _ in server.stored][1:] == keys


def test_a_page_without_storage_goes_on_after_the_last_acknowledged_reply(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.send("a")
    tab.wait(lambda: server.box().acknowledged == 1000)
    tab.load()
    server.put({"text": "meanwhile"})
    tab.begin()
    tab.wait(lambda: tab.replies() == ["meanwhile"])


def test_nothing_of_a_person_is_sent_or_kept_for_another_one(tab: Tab, server: Scripted) -> None:
    tab.begin(storage="sessionStorage")
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    server.faults = ["hang message"]
    tab.send("private")
    tab.wait(lambda: not server.faults)
    tab.load()
    server.person = "wang"
    tab.begin(storage="sessionStorage")
    tab.wait(lambda: tab.events("person"))
    tab.send("mine")
    tab.wait(lambda: tab.replies()[-1:] == ["mine"])
    assert "private" not in str(server.stored)
    assert "private" not in tab.script("return JSON.stringify(sessionStorage)")


@pytest.mark.parametrize("stored", ["{", "[]", "7", '{"person": "lin", "last": 7, "unsent": "x"}', '{"person": 1}'])
def test_a_storage_with_something_else_does_no_harm(tab: Tab, server: Scripted, stored: str) -> None:
    tab.script("sessionStorage.setItem('parley:web', arguments[0])", stored)
    tab.begin(storage="sessionStorage")
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])


def test_a_full_storage_does_no_harm(tab: Tab, server: Scripted) -> None:
    tab.script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }")
    tab.begin(storage="sessionStorage")
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])


def test_two_tabs_of_a_person_get_all_replies(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    first = tab.browser.current_window_handle
    tab.browser.switch_to.new_window("tab")
    try:
        tab.load()
        tab.begin()
        tab.send("b")
        tab.wait(lambda: tab.replies()[-1:] == ["b"])
    finally:
        tab.browser.close()
        tab.browser.switch_to.window(first)
    tab.wait(lambda: tab.replies() == ["a", "b"])


def test_rooms_have_an_order_of_their_own(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.script("client.open('team')")
    tab.send("a")
    tab.send("b", room="team")
    tab.wait(lambda: (tab.replies(), tab.replies("team")) == (["a"], ["b"]))
    tab.wait(lambda: server.box("team").acknowledged == 1000)


def test_frames_that_a_later_version_has_and_broken_ones_do_no_harm(tab: Tab, server: Scripted) -> None:
    tab.begin()
    tab.ready()
    tab.wait(lambda: server.clients and server.clients[0].rooms)
    for frame in ("{", "7", "null", "[]", '{"type": "new"}', '{"type": "reply"}', '{"type": "opened", "room": "x"}'):
        server.clients[0].socket.send(frame)
    for cursor in ("x", "", "-1", "1e99", None):
        server.clients[0].send({"type": "reply", "room": "", "cursor": cursor, "reply": {"text": "no"}})
    tab.send("a")
    tab.wait(lambda: tab.replies() == ["a"])
    assert server.connected == 1


@pytest.mark.parametrize("options", ["{}", "{app: 'web'}", "{app: 'web', token: () => ''}", "{app: 'web', api: 'x'}"])
def test_a_client_without_a_way_to_a_ticket_is_refused(tab: Tab, options: str) -> None:
    code = "const { Parley } = await import('/chat/parley.js'); try { new Parley(OPTIONS) } catch (e) { return e.name }"
    assert tab.script(f"return (async () => {{ {code.replace('OPTIONS', options)} }})()") == "TypeError"
