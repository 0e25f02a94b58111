import pytest

ROUTE = "/open-apis/auth/v3/tenant_access_token/internal"
APP_ID = "cli_a1b2c3d4e5f60708"


def test_a_token_is_the_same_while_it_has_half_an_hour_left(bot, clock):
    first = bot.login()
    clock.now += 7200 - 1800
    assert bot.login() == first


def test_a_new_token_does_not_end_the_old_one(bot, clock, team):
    old = dict(bot.headers)
    clock.now += 7200 - 1799
    bot.login()
    assert bot.headers != old
    bot.headers = old
    assert bot.send(team).json()["code"] == 0


def test_the_answer_tells_the_seconds_that_are_left(bot, clock):
    clock.now += 100
    answer = bot.http.post(ROUTE, json={"app_id": APP_ID, "app_secret": "the-app-secret"}).json()
    assert answer["expire"] == 7100


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, 99991661),
        ({"Authorization": ""}, 99991661),
        ({"Authorization": "Bearer nonsense"}, 99991671),
        ({"Authorization": "t-0123"}, 99991671),
        ({"Authorization": "Bearer t-0123"}, 99991663),
    ],
)
def test_a_missing_or_wrong_token_is_refused_with_its_own_code(bot, team, header, code):
    bot.headers = header
    answer = bot.send(team)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_expired_token_is_refused(bot, clock, team):
    clock.now += 7200
    answer = bot.send(team)
    assert (answer.status_code, answer.json()["code"]) == (400, 99991663)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"app_id": APP_ID, "app_secret": "wrong"}, 10014),
        ({"app_id": "cli_other", "app_secret": "the-app-secret"}, 10003),
        ({"app_id": APP_ID}, 10003),
        ([], 10003),
    ],
)
def test_wrong_credentials_give_no_token(bot, body, code):
    answer = bot.http.post(ROUTE, json=body).json()
    assert answer["code"] == code
    assert "tenant_access_token" not in answer


def test_an_app_that_appears_later_is_found_by_its_id(bot, feishu):
    feishu.discover = lambda platform: {"second": {"app_id": "cli_2", "app_secret": "s2"}}
    answer = bot.http.post(ROUTE, json={"app_id": "cli_2", "app_secret": "s2"}).json()
    assert answer["code"] == 0
    assert feishu.app_names() == ["demo", "second"]


STORE = {"app_id": "cli_store", "app_secret": "s"}


class TestStoreApp:
    @pytest.fixture(autouse=True)
    def store_app(self, feishu):
        feishu.add_app("shop", {**STORE, "app_type": "store", "verification_token": "v"})

    def post(self, bot, path, **body):
        return bot.http.post(f"/open-apis/auth/v3/{path}", json=body).json()

    def ticket(self, bot, feishu):
        assert self.post(bot, "app_ticket/resend", **STORE)["code"] == 0
        (delivery,) = feishu.drain_outbox()
        assert b'"type":"event_callback"' in delivery.plain
        return feishu.accounts["shop"].tickets[-1]

    def test_the_ticket_leads_to_an_app_token_and_that_to_a_tenant_token(self, bot, feishu, team):
        app = self.post(bot, "app_access_token", **STORE, app_ticket=self.ticket(bot, feishu))
        tenant = self.post(
            bot, "tenant_access_token", app_access_token=app["app_access_token"], tenant_key=feishu.tenant("shop")
        )
        bot.headers = {"Authorization": f"Bearer {tenant['tenant_access_token']}"}
        assert bot.send(team).json()["code"] == 0

    def test_a_wrong_ticket_is_refused(self, bot, feishu):
        self.ticket(bot, feishu)
        assert self.post(bot, "app_access_token", **STORE, app_ticket="tkt-wrong")["code"] == 10012

    def test_the_ticket_before_the_last_still_counts(self, bot, feishu):
        older = self.ticket(bot, feishu)
        self.ticket(bot, feishu)
        assert self.post(bot, "app_access_token", **STORE, app_ticket=older)["code"] == 0
        self.ticket(bot, feishu)
        assert self.post(bot, "app_access_token", **STORE, app_ticket=older)["code"] == 10012

    def test_a_wrong_app_token_or_tenant_gives_no_tenant_token(self, bot, feishu):
        assert self.post(bot, "tenant_access_token", app_access_token="a-1", tenant_key="t")["code"] == 99991664
        app = self.post(bot, "app_access_token", **STORE, app_ticket=self.ticket(bot, feishu))
        answer = self.post(bot, "tenant_access_token", app_access_token=app["app_access_token"], tenant_key="other")
        assert answer["code"] == 10003

    def test_a_store_app_gets_no_token_by_the_way_of_a_custom_app(self, bot):
        assert self.post(bot, "tenant_access_token/internal", **STORE)["code"] == 10003
