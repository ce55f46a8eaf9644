"""The door of the estate, as a process on loopback: two services by name over TLS, a login before the public one, nothing for strangers."""

import ssl
from collections.abc import Iterator

import pytest

from tests.ingress.door import STRANGER, Door, opened
from tests.ingress.standins import BARE_COOKIE, COOKIE

pytestmark = [pytest.mark.allow("process", "connection"), pytest.mark.timeout(180)]

MEDIA, NOTES, AUTH = (f"https://{name}.example.org" for name in ("media", "notes", "auth"))
LOGGED_IN = {"Cookie": COOKIE}
FORGED = {"Remote-User": "root", "REMOTE-NAME": "root", "Remote_User": "root", "remote_groups": "root"}  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(tmp_path_factory.mktemp("door")) as door:
        yield door


def test_two_services_by_name_with_certificates_of_the_estates_authority(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert door.ask(f"{NOTES}/today").sent["path"] == "/today"
    assert door.ask(f"{AUTH}/").status == 200
    monkeypatch.setattr(door, "authority", None)
    with pytest.raises(ssl.SSLCertVerificationError):
        door.ask(NOTES)


def test_who_is_not_logged_in_is_sent_to_the_login(door: Door) -> None:
    answer = door.ask(f"{MEDIA}/film?number=7")
    assert answer.status == 302
    wanted = "https%3A%2F%2Fmedia.example.org%2Ffilm%3Fnumber%3D7"
    assert answer.headers["location"] == f"https://auth.example.org/?rd={wanted}"


def test_who_is_logged_in_sees_the_page_and_the_page_is_told_who_it_is(door: Door) -> None:
    sent = door.ask(f"{MEDIA}/film", LOGGED_IN).sent
    assert sent["path"] == "/film"
    assert (sent["remote-user"], sent["remote-groups"]) == ("anna", "admins")
    assert sent["remote-email"] == "anna@example.org"
    assert sent["x-forwarded-proto"] == "https"


@pytest.mark.parametrize("url", [MEDIA, NOTES, AUTH])
def test_nobody_says_himself_who_he_is(door: Door, url: str) -> None:
    sent = door.ask(url, {**LOGGED_IN, **FORGED}).sent
    told = {name: text for name, text in sent.items() if name.startswith("remote")}
    expected = {"remote-user", "remote-groups", "remote-name", "remote-email"}
    assert told.keys() == (expected if url == MEDIA else set())
    assert "root" not in "".join(told.values())


def test_what_the_login_leaves_out_a_client_does_not_add(door: Door) -> None:
    """As it could with Caddy 2.10 and 2.11.1 alone (GHSA-7r4p-vjf4-gxv4)."""
    sent = door.ask(MEDIA, {"Cookie": BARE_COOKIE, **FORGED}).sent
    assert sent["remote-user"] == "berta"
    assert "root" not in "".join(text for name, text in sent.items() if name.startswith("remote"))


def test_what_is_forged_does_not_pass_the_login_either(door: Door) -> None:
    assert door.ask(MEDIA, FORGED).status == 302


def test_by_the_tunnel_come_public_names_alone(door: Door) -> None:
    assert door.refuses("http://notes.example.org", by="tunnel")
    assert door.refuses("http://other.example.org", by="tunnel")
    assert door.ask("http://media.example.org", LOGGED_IN, by="tunnel").status == 200


def test_by_the_tunnel_the_login_learns_who_asks_and_that_he_came_over_https(door: Door) -> None:
    visitor = {"Cf-Connecting-Ip": "198.51.100.7", "X-Forwarded-For": "10.0.0.1"}
    answer = door.ask("http://media.example.org/film", visitor, by="tunnel")
    assert answer.headers["location"].endswith("?rd=https%3A%2F%2Fmedia.example.org%2Ffilm")
    assert answer.headers["asked-from"] == "198.51.100.7"
    sent = door.ask("http://media.example.org", {**LOGGED_IN, **FORGED}, by="tunnel").sent
    assert sent["remote-user"] == "anna"


def test_a_stranger_opens_public_names_alone(door: Door) -> None:
    assert door.refuses(NOTES, source=STRANGER)
    assert door.refuses("http://notes.example.org", source=STRANGER)
    assert door.ask(NOTES).status == 200
    assert door.ask(MEDIA, source=STRANGER).status == 302
    assert door.ask(AUTH, source=STRANGER).status == 200


def test_a_stranger_gets_no_other_name_by_asking_for_two(door: Door) -> None:
    """The certificate of one name, the page of another."""
    assert door.refuses(MEDIA, headers={"Host": "notes.example.org"}, source=STRANGER)
    assert door.refuses(MEDIA, headers={"Host": "other.example.org"})
    assert door.ask(MEDIA, {"Host": "notes.example.org"}).status == 200


def test_an_address_that_is_only_claimed_does_not_count(door: Door) -> None:
    claimed = {"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": "for=127.0.0.1"}  # fmt: skip
    assert door.refuses(NOTES, headers=claimed, source=STRANGER)


def test_plain_http_leads_to_https(door: Door) -> None:
    answer = door.ask("http://media.example.org/film?number=7")
    assert answer.status == 308
    assert answer.headers["location"] == "https://media.example.org/film?number=7"


def test_another_name_gets_no_answer(door: Door) -> None:
    assert door.refuses("http://other.example.org")
    assert door.refuses("https://other.example.org")


def test_browsers_are_told_to_be_careful(door: Door) -> None:
    headers = door.ask(NOTES).headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "server" not in headers


def test_requests_are_logged_without_what_opens_doors_and_counted(door: Door) -> None:
    door.ask(f"{MEDIA}/counted", LOGGED_IN)
    lines = [each for each in door.log() if each.get("request", {}).get("uri") == "/counted"]
    assert [(each["request"]["host"], each["status"]) for each in lines] == [("media.example.org", 200)]  # fmt: skip
    assert COOKIE not in (door.folder / "stdout").read_text()
    counted = door.ask("http://localhost/metrics", by="metrics").text
    assert "caddy_http_requests_total{" in counted


def test_what_changes_it_answers_to_its_own_computer_alone(door: Door) -> None:
    own = f"http://localhost:{door.ports['admin']}/config/"
    assert door.ask(own, by="admin").status == 200
    assert door.ask("http://media.example.org/config/", by="admin").status == 403
