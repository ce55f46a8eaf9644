"""What the catalog tells Authelia: who must show what, one login for the domain, and users whose passwords are only hashes.

Authelia is not to be had here. Where it is on PATH, it judges the files itself.
"""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.config.catalog.passwords import ITERATIONS, StandIn, pbkdf2_sha512
from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from tests.ingress.rendered import ESTATE, SECRETS, delivered, estate, with_settings

CONFIGURATION, USERS = "/etc/authelia/configuration.yml", "/etc/authelia/users.yml"
STORES = (
    ESTATE
    + "  db: {on: cortex, service: postgresql}\n      cache: {on: cortex, service: redis}\n    "
)
KINDS = {
    "usual": "{}",
    "stores": "{storage: postgresql, sessions: redis}",
    "mail": '{mail: "submission://smtp.example.org:587", mail_user: anna}',
    "users": "{users: own}",
    "domain": "{domain: example.org}",
}


def configuration(folder: Path, settings: str = "{}", text: str = ESTATE) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(_written(folder, settings, text, CONFIGURATION))
    return read


def _written(folder: Path, settings: str, text: str, path: str) -> str:
    return delivered(estate(folder, with_settings(text, "login", settings)), "login", path)


def test_each_name_has_the_login_that_infra_yml_says_and_all_others_are_closed(
    tmp_path: Path,
) -> None:
    control = configuration(tmp_path)["access_control"]
    assert control["default_policy"] == "deny"
    assert {each["domain"]: each["policy"] for each in control["rules"]} == {
        "media.example.org": "two_factor",  # public, and nothing said
        "photos.example.org": "one_factor",
    }


def test_where_nothing_has_a_login_the_rules_are_such_as_authelia_starts_with(
    tmp_path: Path,
) -> None:
    """Without rules it refuses `deny`."""
    text = ESTATE.replace(", public: true}}", "}}").replace(", auth: one_factor}", "}")
    assert configuration(tmp_path, text=text)["access_control"] == {"default_policy": "two_factor"}


def test_one_login_is_for_all_names_of_the_domain(tmp_path: Path) -> None:
    read = configuration(tmp_path)
    assert read["session"]["cookies"] == [
        {"domain": "example.org", "authelia_url": "https://auth.example.org"}
    ]
    assert read["totp"]["issuer"] == "example.org"
    deeper = ESTATE.replace(".example.org", ".home.example.org")
    chosen = configuration(tmp_path, "{domain: example.org}", deeper)
    assert chosen["session"]["cookies"][0]["domain"] == "example.org"
    usual = configuration(tmp_path, text=deeper)
    assert usual["session"]["cookies"][0]["domain"] == "home.example.org"


def test_the_first_user_has_the_generated_password_as_a_hash(tmp_path: Path) -> None:
    text = _written(tmp_path, "{user: anna, name: 'Anna: of the house'}", ESTATE, USERS)
    assert "correct horse" not in text
    user = yaml.safe_load(text)["users"]["anna"]
    assert user["displayname"] == "Anna: of the house"
    _, kind, rounds, salt, key = user["password"].split("$")
    assert (kind, int(rounds)) == ("pbkdf2-sha512", 310_000)
    assert _key("correct horse", salt, int(rounds)) == key
    assert _key("another", salt, int(rounds)) != key


def _key(password: str, salt: str, rounds: int) -> str:
    """The same, from what the format says: base64 with `.` for `+`, without padding."""
    padded = salt.replace(".", "+") + "=" * (-len(salt) % 4)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(padded), rounds)
    return base64.b64encode(made).decode().rstrip("=").replace("+", ".")


def test_a_hash_is_the_same_each_time_and_another_for_somebody_else() -> None:
    """So that a file that did not change is not delivered anew, and one password of two users does not show."""
    once = pbkdf2_sha512("correct horse", "maison/login/anna")
    assert once == pbkdf2_sha512("correct horse", "maison/login/anna")
    assert once != pbkdf2_sha512("correct horse", "maison/login/berta")
    assert f"${ITERATIONS}$" in once


def test_a_plan_hashes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a second for each user would be felt."""
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", None)
    infra = estate(tmp_path)
    login = infra.service("login")
    assert login is not None
    found = wanted(infra, login, FakeSecrets(SECRETS))
    other = wanted(infra, login, FakeSecrets({**SECRETS, "login_password": b"a new one"}))
    assert found.fields["secrets"][USERS] != other.fields["secrets"][USERS]
    assert pbkdf2_sha512(StandIn("9f2c"), "maison/login/anna") == "9f2c"


def test_other_stores_are_used_when_they_are_chosen_and_not_because_they_are_there(
    tmp_path: Path,
) -> None:
    usual = configuration(tmp_path, text=STORES)
    assert usual["storage"].keys() == {"encryption_key", "local"}
    assert "redis" not in usual["session"]
    chosen = configuration(tmp_path, "{storage: postgresql, sessions: redis}", STORES)
    assert chosen["storage"]["postgres"] == {
        "address": "tcp://203.0.113.20:5432",
        "database": "app",
        "username": "app",
        "password": "of-the-database",
    }
    assert chosen["session"]["redis"] == {
        "host": "203.0.113.20", "port": 6379, "password": "of-the-cache"
    }  # fmt: skip


def test_a_database_that_is_not_chosen_is_neither_waited_for_nor_opened(tmp_path: Path) -> None:
    def db_and_cache(settings: str) -> list[set[str]]:
        infra = estate(tmp_path, with_settings(STORES, "login", settings))
        login = infra.service("login")
        assert login is not None
        stores = [each for each in infra.services if each.name in ("cache", "db")]
        return [set(login.needs.values()), {each.name for each in stores if each.published}]

    assert db_and_cache("{}") == [set(), set()]
    assert db_and_cache(KINDS["stores"]) == [{"db", "cache"}, {"db", "cache"}]


def test_secrets_are_those_that_the_settings_ask_for(tmp_path: Path) -> None:
    def names(settings: str, text: str = ESTATE) -> set[str]:
        login = estate(tmp_path, with_settings(text, "login", settings)).service("login")
        assert login is not None
        return set(login.secrets.values())

    usual = {"login_password", "login_session", "login_storage"}
    assert names("{}", STORES) == usual
    assert names(KINDS["stores"], STORES) == {*usual, "db_password", "cache_password"}
    assert names(KINDS["mail"]) == {*usual, "login_mail"}
    assert names(KINDS["users"]) == {*usual, "login_users"}


def test_codes_go_by_mail_or_into_a_file(tmp_path: Path) -> None:
    usual = configuration(tmp_path)
    assert usual["notifier"] == {"filesystem": {"filename": "/config/notification.txt"}}
    mail = configuration(tmp_path, KINDS["mail"])["notifier"]["smtp"]
    assert mail == {
        "address": "submission://smtp.example.org:587",
        "sender": "Login <login@example.org>",
        "username": "anna",
        "password": 'with "quotes" and: colons',
    }


def test_a_users_file_of_ones_own_takes_the_place_of_the_first_user(tmp_path: Path) -> None:
    backend = configuration(tmp_path, KINDS["users"])["authentication_backend"]
    assert backend["file"] == {"path": "/etc/authelia/own-users.yml"}


@pytest.mark.allow("process")
@pytest.mark.parametrize("kind", KINDS)
def test_authelia_accepts_it(tmp_path: Path, kind: str) -> None:
    program = shutil.which("authelia")
    if program is None:
        pytest.skip("not measured: there is no authelia on PATH")
    file = tmp_path / "configuration.yml"
    file.write_text(_written(tmp_path, KINDS[kind], STORES, CONFIGURATION))
    argv = [program, "config", "validate", "--config", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without errors" in done.stdout
