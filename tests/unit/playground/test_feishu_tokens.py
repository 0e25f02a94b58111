import pytest

ROUTE = "/open-apis/auth/v3/tenant_access_token/internal"
APP_ID = "cli_a1b2c3d4e5f60708"


def test_a_token_is_reused_until_half_an_hour_before_its_end(bot, clock):
    first = bot.login()
    clock.now += 7200 - 1800
    assert bot.login() == first


def test_a_new_token_does_not_revoke_the_old_one(bot, clock, team):
    old = dict(bot.headers)
    clock.now += 7200 - 1799
    bot.login()
    assert bot.headers != old
    bot.headers = old
    assert bot.send(team).json()["code"] == 0


def test_the_response_contains_the_remaining_seconds(bot, clock):
    clock.now += 100
    response = bot.http.post(ROUTE, json={"app_id": APP_ID, "app_secret": "the-app-secret"}).json()
    assert response["expire"] == 7100


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
def test_a_missing_or_wrong_token_is_rejected_with_its_own_code(bot, team, header, code):
    bot.headers = header
    response = bot.send(team)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_an_expired_token_is_rejected(bot, clock, team):
    clock.now += 7200
    response = bot.send(team)
    assert (response.status_code, response.json()["code"]) == (400, 99991663)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"app_id": APP_ID, "app_secret": "wrong"}, 10014),
        ({"app_id": "cli_other", "app_secret": "the-app-secret"}, 10003),
        ({"app_id": APP_ID}, 10003),
        ([], 10003),
    ],
)
def test_wrong_credentials_are_rejected(bot, body, code):
    response = bot.http.post(ROUTE, json=body).json()
    assert response["code"] == code
    assert "tenant_access_token" not in response


def test_a_new_app_is_discovered_by_its_id(bot, feishu):
    feishu.discover = lambda platform: {"second": {"app_id": "cli_2", "app_secret": "s2"}}
    response = bot.http.post(ROUTE, json={"app_id": "cli_2", "app_secret": "s2"}).json()
    assert response["code"] == 0
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

    def test_a_ticket_gives_an_app_token_and_that_gives_a_tenant_token(self, bot, feishu, team):
        app = self.post(bot, "app_access_token", **STORE, app_ticket=self.ticket(bot, feishu))
        tenant = self.post(
            bot, "tenant_access_token", app_access_token=app["app_access_token"], tenant_key=feishu.tenant("shop")
        )
        bot.headers = {"Authorization": f"Bearer {tenant['tenant_access_token']}"}
        assert bot.send(team).json()["code"] == 0

    def test_a_wrong_ticket_is_rejected(self, bot, feishu):
        self.ticket(bot, feishu)
        assert self.post(bot, "app_access_token", **STORE, app_ticket="tkt-wrong")["code"] == 10012

    def test_the_second_newest_ticket_is_valid(self, bot, feishu):
        older = self.ticket(bot, feishu)
        self.ticket(bot, feishu)
        assert self.post(bot, "app_access_token", **STORE, app_ticket=older)["code"] == 0
        self.ticket(bot, feishu)
        assert self.post(bot, "app_access_token", **STORE, app_ticket=older)["code"] == 10012

    def test_a_wrong_app_token_or_tenant_is_rejected(self, bot, feishu):
        assert self.post(bot, "tenant_access_token", app_access_token="a-1", tenant_key="t")["code"] == 99991664
        app = self.post(bot, "app_access_token", **STORE, app_ticket=self.ticket(bot, feishu))
        response = self.post(bot, "tenant_access_token", app_access_token=app["app_access_token"], tenant_key="other")
        assert response["code"] == 10003

    def test_a_store_app_cannot_use_the_token_api_of_custom_apps(self, bot):
        assert self.post(bot, "tenant_access_token/internal", **STORE)["code"] == 10003
