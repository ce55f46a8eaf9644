"""The rules of single entries of the catalog over made-up measurements: certificates, disks, SMART, PostgreSQL, Redis."""

from pathlib import Path

import pytest

from tests.monitoring.test_rules import Bench, labels

pytestmark = pytest.mark.lab

ESTATE = """
    freehold: 1
    name: orion
    hosts:
      cortex: {{address: 203.0.113.20}}
    services:
      prometheus: {{on: cortex}}
      alertmanager: {{on: cortex, expose: {{host: alerts.example.org}}}}
      front: {{on: cortex, service: caddy{caddy}}}
      looks: {{on: cortex, service: blackbox-exporter}}
      node: {{on: cortex, service: node-exporter}}
      disks: {{on: cortex, service: smartctl-exporter}}
      db: {{on: cortex, service: postgresql}}
      db-numbers: {{on: cortex, service: postgres-exporter}}
      cache: {{on: cortex, service: redis}}
      cache-numbers: {{on: cortex, service: redis-exporter}}
    """
HOUR, DAY = 3600, 86400
CERTIFICATE = 'service="alertmanager",target="cortex",prober="looks",ingress="front",instance="https://alerts.example.org"'
SIZE = 1_000_000_000


@pytest.fixture(scope="module")
def bench(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """With certificates of Caddy's own authority."""
    return Bench(programs, tmp_path_factory.mktemp("own"), ESTATE.format(caddy=""))


@pytest.fixture(scope="module")
def known(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """With those of a known one."""
    text = ESTATE.format(caddy=", settings: {certificates: acme}")
    return Bench(programs, tmp_path_factory.mktemp("known"), text)


def series(of: str, name: str, more: str = "") -> str:
    """A series as Prometheus has it of a service on cortex."""
    return f'{name}{{service="{of}",target="cortex"{"," if more else ""}{more}}}'


def told(of: str, severity: str, summary: str, more: str = "") -> dict[str, str]:
    return {"service": of, "target": "cortex", **(labels(more) if more else {}), "severity": severity, "summary": summary}  # fmt: skip


def ending(left: str) -> str:
    return f"The certificate of https://alerts.example.org ends in {left}, and should have been renewed"


def test_a_certificate_for_twelve_hours_is_told_of_when_caddy_has_not_renewed_it(
    bench: Bench,
) -> None:
    """Caddy has a new one when four hours are left."""
    name = f"probe_ssl_earliest_cert_expiry{{{CERTIFICATE}}}"
    renewed = f"{12 * HOUR}x959 {20 * HOUR}x961"  # after eight hours
    bench.expect(
        {name: renewed},
        ("10m", "certificate-ends-soon", []),
        ("7h50m", "certificate-ends", []),
        ("11h", "certificate-ends", []),
    )
    about = labels(CERTIFICATE)
    bench.expect(
        {name: f"{12 * HOUR}x1500"},
        ("8h30m", "certificate-ends", []),
        ("10h5m", "certificate-ends", [{**about, "severity": "warning", "summary": ending("1h 55m 0s")}]),
        ("10h5m", "certificate-ends-soon", []),
        ("11h", "certificate-ends-soon", [{**about, "severity": "critical", "summary": ending("1h 0m 0s")}]),
    )  # fmt: skip


def test_one_for_ninety_days_is_told_of_two_weeks_before_its_end(known: Bench) -> None:
    name = f"probe_ssl_earliest_cert_expiry{{{CERTIFICATE}}}"
    summary = ending("12d 22h 0m 0s")
    known.expect(
        {name: f"{15 * DAY}x300"},
        ("2h", "certificate-ends", []),
    )
    known.expect(
        {name: f"{13 * DAY}x300"},
        ("2h", "certificate-ends", [{**labels(CERTIFICATE), "severity": "warning", "summary": summary}]),
        ("2h", "certificate-ends-soon", []),
    )  # fmt: skip


def test_what_is_reserved_for_root_is_free(bench: Bench) -> None:
    """A disk of which 15 % are reserved, and 30 % are free in truth."""
    disk = 'device="/dev/sda1",fstype="ext4",mountpoint="/srv"'
    measured = {
        series("node", "node_filesystem_size_bytes", disk): f"{SIZE}x60",
        series("node", "node_filesystem_free_bytes", disk): f"{SIZE * 30 // 100}x19 {SIZE * 9 // 100}x40",
        series("node", "node_filesystem_avail_bytes", disk): f"{SIZE * 15 // 100}x19 0x40",
    }  # fmt: skip
    nearly = told("node", "warning", "/srv of cortex has 9.0 % left of 10 % that should be free", disk)  # fmt: skip
    full = told("node", "critical", "/srv of cortex is full: 0.0 % left", disk)
    bench.expect(
        measured,
        ("9m", "disk-nearly-full", []),
        ("9m", "disk-full", []),
        ("20m", "disk-nearly-full", [nearly]),
        ("20m", "disk-full", [full]),
    )


@pytest.mark.parametrize("kind", ["nfs4", "nfs", "cifs", "fuse.sshfs", "tmpfs"])
def test_a_disk_of_another_computer_is_told_of_by_that_one(bench: Bench, kind: str) -> None:
    disk = f'device="cortex:/srv",fstype="{kind}",mountpoint="/mnt/srv"'
    measured = {
        series("node", "node_filesystem_size_bytes", disk): f"{SIZE}x60",
        series("node", "node_filesystem_free_bytes", disk): "0x60",
        series("node", "node_filesystem_avail_bytes", disk): "0x60",
        series("node", "node_filesystem_files", disk): "100x60",
        series("node", "node_filesystem_files_free", disk): "0x60",
    }
    silent = ("disk-nearly-full", "disk-full", "disk-full-in-a-day", "disk-without-inodes")
    bench.expect(measured, *(("25m", name, []) for name in silent))


def test_a_disk_that_is_asked_in_the_wrong_way_does_not_say_that_it_fails(bench: Bench) -> None:
    """smartctl_exporter's issue 229: of a SATA disk taken for a SCSI one nothing is read, and its status is 0."""
    there = series("disks", "smartctl_device", 'device="sda"')
    status = series("disks", "smartctl_device_smart_status", 'device="sda"')
    count = series("disks", "smartctl_devices")
    bench.expect(
        {there: "1x200", status: "0x200", count: "1x200"},
        ("90m", "disk-failing", []),
        ("50m", "disk-not-read", []),
        ("90m", "disk-not-read", [told("disks", "warning", "How the disk sda of cortex feels cannot be read; behind a USB bridge it may take the setting `devices: /dev/sda;sat`", 'device="sda"')]),
        ("90m", "disk-not-found", []),
    )  # fmt: skip


@pytest.mark.parametrize(
    "read",
    [
        'smartctl_device_attribute{service="disks",target="cortex",device="sda",attribute_id="5",attribute_value_type="raw"}',
        'smartctl_device_available_spare{service="disks",target="cortex",device="sda"}',
        'smartctl_scsi_grown_defect_list{service="disks",target="cortex",device="sda"}',
    ],
)
def test_one_that_is_read_is_believed(bench: Bench, read: str) -> None:
    there = series("disks", "smartctl_device", 'device="sda"')
    status = series("disks", "smartctl_device_smart_status", 'device="sda"')
    says = told("disks", "critical", "The disk sda of cortex says that it fails", 'device="sda"')
    bench.expect(
        {there: "1x200", status: "0x200", read: "3x200"},
        ("10m", "disk-failing", [says]),
        ("90m", "disk-not-read", []),
    )


@pytest.mark.parametrize("found", ["0x200", "1x200"])
def test_that_no_disk_can_be_read_is_told(bench: Bench, found: str) -> None:
    """None was found, or none could be opened."""
    nothing = told("disks", "warning", "disks: of no disk of cortex anything can be read; its log says why (settings `devices`, `asleep`)")  # fmt: skip
    bench.expect(
        {series("disks", "smartctl_devices"): found},
        ("50m", "disk-not-found", []),
        ("90m", "disk-not-found", [nothing]),
    )


def test_a_database_that_does_not_answer_or_is_at_its_limits(bench: Bench) -> None:
    of, where = "db-numbers", 'datname="app"'
    bench.expect(
        {series(of, "pg_up"): "0x40", series(of, "pg_exporter_last_scrape_error"): "1x40"},
        ("3m", "database-does-not-answer", []),
        ("5m", "database-does-not-answer", [told(of, "critical", "db-numbers: it cannot log in to its database at db:5432")]),
        ("20m", "measurements-missing", []),  # that says it all
    )  # fmt: skip
    bench.expect(
        {
            series(of, "pg_up"): "1x60",
            series(of, "pg_exporter_last_scrape_error"): "1x60",
            series(of, "pg_stat_database_numbackends", where): "81x60",
            series(of, "pg_stat_database_numbackends", 'datname="shop"'): "0x60",
            series(of, "pg_stat_database_deadlocks", where): "0x20 1x40",
            series(of, "pg_stat_activity_max_tx_duration", f'{where},state="idle in transaction",usename="app"'): "4000x60",
            series(of, "pg_stat_activity_max_tx_duration", 'datname="shop",state="active",usename=""'): "9000x60",
        },
        ("20m", "measurements-missing", [told(of, "warning", "db-numbers: not all of the database can be measured; its log says why")]),
        ("20m", "database-connections", [told(of, "warning", "db-numbers: 81 of 100 connections to the database are taken")]),
        ("9m", "database-deadlocks", []),
        ("17m", "database-deadlocks", [told(of, "warning", "db-numbers: clients of the database app block each other", where)]),
        ("20m", "database-transaction-without-end", [told(of, "warning", "db-numbers: a transaction in the database app has been open for 1h 6m 40s", where)]),
        ("20m", "database-does-not-answer", []),
    )  # fmt: skip


def test_a_cache_that_is_full_or_cannot_keep_what_it_holds(bench: Bench) -> None:
    of = "cache-numbers"
    bench.expect(
        {
            series(of, "redis_up"): "1x60",
            series(of, "redis_memory_max_bytes"): "1000x60",
            series(of, "redis_memory_used_bytes"): "950x60",
            series(of, "redis_errors_total", 'err="OOM"'): "0x20 7x40",
            series(of, "redis_errors_total", 'err="WRONGTYPE"'): "0+1x60",
            series(of, "redis_rdb_last_bgsave_status"): "0x60",
            series(of, "redis_aof_last_write_status"): "1x60",
        },
        ("15m", "cache-nearly-full", [told(of, "warning", "cache-numbers: 95 % of the 256mb of Redis are taken")]),
        ("9m", "cache-refuses-data", []),
        ("17m", "cache-refuses-data", [told(of, "critical", "cache-numbers: Redis refuses data: its memory of 256mb is full", 'err="OOM"')]),
        ("15m", "cache-not-kept", [told(of, "critical", "cache-numbers: Redis cannot write what it holds to its disk")]),
        ("15m", "cache-does-not-answer", []),
    )  # fmt: skip
    bench.expect(
        {series(of, "redis_up"): "0x40"},
        ("5m", "cache-does-not-answer", [told(of, "critical", "cache-numbers: it cannot log in to its Redis at cache:6379")]),
    )  # fmt: skip
