"""What can be wrong with files as such, and how infra.d/ joins infra.yml."""

import os
from pathlib import Path

import pytest

from freehold.config.load import Loaded, load
from freehold.diagnostics import Diagnostic

HEAD = "freehold: 1\nname: test\n"


def only(loaded: Loaded) -> Diagnostic:
    assert len(loaded.diagnostics) == 1, loaded.diagnostics
    return loaded.diagnostics[0]


def test_a_file_over_eight_mebibytes(tmp_path: Path) -> None:
    file = tmp_path / "infra.yml"
    file.write_text(HEAD + "# filler\n" * 1_200_000)
    found = only(load(file))
    assert found.code == "file-too-large"
    assert "10.3 MiB" in found.detail


def test_a_file_of_just_under_eight_mebibytes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "infra.yml"
    file.write_text(HEAD + "# filler\n" * 900_000)
    assert load(file).infra is not None


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "infra.yml")
    assert only(load(tmp_path)).code == "not-a-file"


def test_a_device_without_end_is_not_read() -> None:
    assert only(load(Path("/dev/zero"))).code == "not-a-file"


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").symlink_to(tmp_path / "other.yml")
    (tmp_path / "other.yml").symlink_to(tmp_path / "infra.yml")
    found = only(load(tmp_path))
    assert found.code == "file-not-readable"
    assert "symbolic links" in found.detail


def test_a_link_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").symlink_to(tmp_path / "gone.yml")
    found = only(load(tmp_path))
    assert found.code == "file-not-found"
    assert "link" in found.detail


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yml").write_text(HEAD)
    (tmp_path / "infra.yml").symlink_to(tmp_path / "real.yml")
    assert load(tmp_path).infra is not None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    file = tmp_path / "infra.yml"
    file.write_text(HEAD)
    file.chmod(0)
    assert only(load(tmp_path)).code == "file-not-readable"


def test_a_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert only(load(tmp_path / "file" / "infra.yml")).code == "file-not-found"


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "\udcff"])
def test_names_that_cannot_be_files(tmp_path: Path, name: str) -> None:
    found = only(load(tmp_path / name))
    assert found.code in {"file-not-found", "file-not-readable"}
    assert found.source is not None
    found.source.file.encode()  # can be shown on any terminal


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "infra.yml"
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + b"gpu: {polcy: x}\r\n")
    found = only(load(file))
    assert found.source is not None
    assert (found.code, found.source.line, found.source.column) == ("unknown-key", 3, 7)
    assert found.source.text == "gpu: {polcy: x}"


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    file = tmp_path / "infra.yml"
    file.write_text(HEAD + "domains: {web: {description: 'é€😀', subnet: 1, subnet_id: 0}}\n")
    found = only(load(file))
    assert found.source is not None
    assert found.source.column == 37


def test_domains_and_policies_of_all_files_are_joined_in_the_order_of_names(tmp_path: Path) -> None:
    (tmp_path / "infra.d").mkdir()
    policy = "policies: [{{from: web, to: internet, ports: [{}]}}]\n"
    (tmp_path / "infra.yml").write_text(
        HEAD + "domains: {web: {subnet_id: 0}}\n" + policy.format(1)
    )
    (tmp_path / "infra.d" / "b.yml").write_text(
        "domains: {db: {subnet_id: 1}}\n" + policy.format(3)
    )
    (tmp_path / "infra.d" / "a.yml").write_text("gpu: {policy: shared}\n" + policy.format(2))
    loaded = load(tmp_path)
    assert loaded.infra is not None, loaded.diagnostics
    assert [domain.name for domain in loaded.infra.domains] == ["db", "web"]
    assert [policy.ports[0][0] for policy in loaded.infra.policies] == [1, 2, 3]
    assert [file.name for file in loaded.files] == ["infra.yml", "a.yml", "b.yml"]


def test_hidden_and_other_files_in_infra_d_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "infra.d").mkdir()
    (tmp_path / "infra.yml").write_text(HEAD)
    (tmp_path / "infra.d" / ".web.yml").write_text("nonsense: true\n")
    (tmp_path / "infra.d" / "web.yml~").write_text("nonsense: true\n")
    (tmp_path / "infra.d" / "README.md").write_text("nonsense\n")
    assert load(tmp_path).diagnostics == ()


def test_infra_d_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(HEAD)
    (tmp_path / "infra.d").write_text("")
    assert only(load(tmp_path)).code == "not-a-folder"


def test_infra_d_belongs_to_infra_yml_only(tmp_path: Path) -> None:
    (tmp_path / "infra.d").mkdir()
    (tmp_path / "infra.d" / "web.yml").write_text("domains: {web: {subnet_id: 0}}\n")
    (tmp_path / "infra.yml").write_text(HEAD)
    (tmp_path / "other.yml").write_text(HEAD)
    by_name = load(tmp_path / "infra.yml").infra
    other = load(tmp_path / "other.yml").infra
    assert by_name is not None
    assert other is not None
    assert len(by_name.domains) == 1
    assert len(other.domains) == 0


def test_loading_leaves_the_collector_as_it_was(tmp_path: Path) -> None:
    import gc

    (tmp_path / "infra.yml").write_text(HEAD)
    load(tmp_path)
    assert gc.isenabled()
