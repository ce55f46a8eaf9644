"""What brings Prometheus, alerts, a proxy and login along with `services`, seen to work together. The tests stand in the order in which they happen."""

from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.estate import told
from tests.orion.stack import Orion, orion, until

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(3600)]

ANNA = ("-H", "Cookie: login=anna-is-in")
NOTHING = "Nothing to do: everything is as infra.yml says."


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orion]:
    with orion(tmp_path_factory.mktemp("orion")) as made:
        yield made


def about(messages: list[str], words: str) -> list[str]:
    """Messages whose first line says so."""
    return [each for each in messages if words in each.splitlines()[0]]


def test_all_of_it_comes_up_and_a_second_apply_is_silent(estate: Orion) -> None:
    estate.applied()
    assert NOTHING in estate.ok("apply", "--yes").out
    estate.settled()


def test_prometheus_measures_both_hosts_and_all_that_runs_there(estate: Orion) -> None:
    def down() -> list[str]:
        found = estate.asked("prometheus", "/api/v1/targets?state=active")["data"]["activeTargets"]
        return [f"{each['scrapePool']}: {each['lastError']}" for each in found if each["health"] != "up"]  # fmt: skip

    until(lambda: not down(), "everything is measured", 90)
    found = estate.asked("prometheus", "/api/v1/targets?state=active")["data"]["activeTargets"]
    measured = {(each["labels"]["kind"], each["labels"]["target"]) for each in found}
    assert {("node-exporter", "cortex"), ("node-exporter", "synapse"), ("caddy", "synapse"), ("dead-man", "cortex")} <= measured  # fmt: skip
    rules = estate.asked("prometheus", "/api/v1/rules?type=alert")["data"]["groups"]
    assert {rule["health"] for group in rules for rule in group["rules"]} == {"ok"}


def test_an_alert_is_followed_to_telegram(estate: Orion) -> None:
    done = estate.patient("alerts", "test", "--json")
    assert done.code == 0, done
    assert [step["outcome"] for step in done.document["steps"]] == ["seen"] * 5
    (first, last) = about(estate.messages(), "alertmanager on synapse")
    assert first.startswith("🟡 warning")
    assert last.startswith("✅ over")


def test_two_services_by_name_over_tls_and_the_public_one_behind_the_login(estate: Orion) -> None:
    estate.trust()
    stranger = estate.page("cart")
    assert stranger.endswith("302 https://login.example.org/?rd=https://media.example.org/cart")
    anna = estate.page("cart", *ANNA, "-H", "Remote-User: forged")
    assert anna.endswith("200 ")
    assert '"remote-user": "anna"' in anna
    assert "forged" not in anna
    inside = estate.page("-/ready", *ANNA, host="prometheus.example.org")
    assert "Prometheus Server is Ready" in inside
    outside = estate.on(
        "synapse",
        "sh",
        "-c",
        "curl -sSk -m 20 --resolve prometheus.example.org:443:203.0.113.21 https://prometheus.example.org/ 2>&1 || true",
    )
    assert "curl: (" in outside, "from elsewhere the connection is closed"


def test_a_full_disk_is_one_message_and_another_when_it_is_over(estate: Orion) -> None:
    estate.on("cortex", "sh", "-c", "mkdir -p /srv/small && mount -t tmpfs -o size=20m none /srv/small")  # fmt: skip
    estate.on("cortex", "sh", "-c", "dd if=/dev/zero of=/srv/small/full bs=1M count=30 2>/dev/null || true")  # fmt: skip
    until(lambda: about(estate.messages(), "critical · node-cortex"), "the disk is told")
    listed = "/api/v2/alerts?inhibited=true"

    def withheld() -> bool:
        return any(
            each["labels"]["alertname"] == "disk-nearly-full" and each["status"]["inhibitedBy"]
            for each in estate.asked("alertmanager", listed)
        )

    until(withheld, "the warning about the same disk is there, and not told")
    (message,) = about(estate.messages(), "node-cortex")
    assert "/srv/small of cortex is full" in message
    estate.on("cortex", "rm", "/srv/small/full")
    until(lambda: about(estate.messages(), "✅ over · node-cortex"), "it is over")
    assert len(about(estate.messages(), "node-cortex")) == 2
    estate.on("cortex", "umount", "/srv/small")


def test_a_word_in_telegram_silences(estate: Orion) -> None:
    estate.say("/silence db 1h")
    silences = "/api/v2/silences"
    until(lambda: estate.asked("alertmanager", silences), "it is silenced")
    (made,) = estate.asked("alertmanager", silences)
    assert made["status"]["state"] == "active"
    assert "Anna" in made["createdBy"]
    assert {"name": "service", "value": "db", "isRegex": False, "isEqual": True} in made["matchers"]
    until(lambda: any("db" in each for each in estate.messages()[-1:]), "it is answered")
    estate.say("/unsilence db")
    until(
        lambda: estate.asked("alertmanager", silences)[0]["status"]["state"] == "expired",
        "it is over",
    )


def test_a_host_that_dies_hides_its_services(estate: Orion) -> None:
    before = len(estate.messages())
    estate.incus("stop", "--force", "--project", "hosts.maison", "cortex")
    until(lambda: about(estate.messages(), "critical · cortex"), "the host is told")

    def hidden() -> set[str]:
        return {
            each["labels"]["service"]
            for each in estate.asked("alertmanager", "/api/v2/alerts?inhibited=true")
            if each["status"]["inhibitedBy"] and each["labels"]["alertname"] in {"ServiceDown", "ProbeFailed", "NameFailed"}
        }  # fmt: skip

    until(
        lambda: {"node-cortex", "watchman", "jellyfin"} <= hidden(),
        "its services are down and hidden",
    )
    firing = [each for each in estate.messages()[before:] if "✅" not in each]
    assert [each.splitlines()[0] for each in firing] == ["🔴 critical · cortex"]
    estate.incus("start", "--project", "hosts.maison", "cortex")
    estate.applied()
    until(lambda: about(estate.messages(), "✅ over · cortex"), "it is back")


def test_the_dead_mans_switch_tells_when_alertmanager_is_killed(estate: Orion) -> None:
    estate.on("synapse", "docker", "kill", "maison-alertmanager-1")
    until(lambda: about(estate.messages(), "critical · dead man's switch"), "silence is told")
    assert len(about(estate.messages(), "dead man's switch")) == 1
    estate.applied()
    until(lambda: about(estate.messages(), "over · dead man's switch"), "the beat is back")
    assert len(about(estate.messages(), "dead man's switch")) == 2


def test_another_port_is_one_plan_with_all_that_follows(estate: Orion) -> None:
    text = (estate.folder / "infra.yml").read_text()
    more = yaml.safe_load(text)
    more["services"]["jellyfin"]["ports"] = {"http": 8190}
    estate.write(yaml.safe_dump(more))
    plan = told(estate.plan())
    changed = {address: fields for address, (_, _, fields) in plan.items()}
    assert "ports" in changed["service:cortex/jellyfin"]
    assert any("Caddyfile" in each for each in changed["service:synapse/front"])
    assert any("prometheus" in each for each in changed["service:synapse/prometheus"])
    assert "provision:cortex" in changed, "who may come in by which port"
    estate.applied()
    assert estate.page("", *ANNA).endswith("200 ")
    assert NOTHING in estate.ok("apply", "--yes").out
    estate.settled()
