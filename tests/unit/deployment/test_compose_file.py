"""docker-compose.phala.yml and the Dockerfile, as far as they can be judged as text; what their own tools say is in docs/phala.md."""

import re
import tomllib
from pathlib import Path

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from phala.template import SECRETS, fill

from oracle.settings import Settings, read_settings

ROOT = Path(__file__).parents[3]
COMPOSE = (ROOT / "docker-compose.phala.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
VALUES = {
    "WORKER_IMAGE": "docker.io/me/worker@sha256:" + "ab" * 32,
    "NEAR_NETWORK_ID": "testnet",
    "NEAR_RPC_URL": "https://one.example,https://two.example",
    "OFFCHAINVM_CONTRACT_ID": "outlayer.testnet",
    "REGISTER_CONTRACT_ID": "operator.testnet",
    "INIT_ACCOUNT_ID": "payer.testnet",
}
_ENTRY = re.compile(r'^      ([A-Z_]+): "?(.*?)"?$', re.MULTILINE)


def a_key() -> str:
    key = Ed25519PrivateKey.generate()
    return "ed25519:" + base58.b58encode(key.private_bytes_raw() + key.public_key().public_bytes_raw()).decode()


def environment() -> dict[str, str]:
    return dict(_ENTRY.findall(fill(COMPOSE, VALUES).text))


@pytest.fixture
def in_the_container(monkeypatch, tmp_path):
    """The environment of the compose file, with the secret as the platform hands it over, and no other."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in (environment() | {"INIT_ACCOUNT_PRIVATE_KEY": a_key()}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def test_the_worker_takes_the_environment_of_the_compose_file(in_the_container):
    settings = read_settings(Settings)
    assert settings.is_attested
    assert settings.operator_account_id == settings.register_contract_id == "operator.testnet"
    assert str(settings.api_listen) == "0.0.0.0:8070"


def test_every_variable_of_the_environment_is_a_setting():
    known = {name.upper() for name in Settings.model_fields}
    assert environment().keys() - known == set()


def test_nothing_but_the_secret_is_left_to_the_platform():
    filled = fill(COMPOSE, VALUES)
    assert set(filled.secrets) == set(re.findall(r"\$\{([A-Z_]+)", filled.text)) == SECRETS
    assert "ed25519:" not in filled.text


def test_the_container_has_the_socket_and_as_few_rights_as_it_can():
    for line in (
        "source: /var/run/dstack.sock, target: /var/run/dstack.sock",
        "read_only: true",
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        'user: "10001:10001"',
        "healthcheck:",
    ):
        assert line in COMPOSE
    assert "docker.sock" not in COMPOSE
    assert "privileged: true" not in COMPOSE
    assert "build:" not in COMPOSE  # a machine has no build context, and would measure none


def test_the_health_check_of_image_and_compose_file_is_the_same():
    (of_image,) = re.findall(r'^    CMD \[(".*")\]$', DOCKERFILE, re.MULTILINE)
    (of_compose,) = re.findall(r'^      test: \["CMD", (".*")\]$', COMPOSE, re.MULTILINE)
    assert of_image == of_compose


def test_the_base_image_has_to_be_named():
    assert re.search(r"^ARG BASE_IMAGE$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE_IMAGE}"}


def test_the_image_installs_by_hash_and_builds_nothing_that_is_not_ours():
    installs = re.findall(r"pip (?:--python \S+ )?install (.*?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 3
    for words in installs:
        assert "--no-deps" in words
        assert "--no-index" in words or ("--require-hashes" in words and "--only-binary :all:" in words)
    assert not re.search(r"\b(apt|apt-get|curl|wget|git)\b", DOCKERFILE)
    assert not re.search(r"^ADD\b", DOCKERFILE, re.MULTILINE)


def test_the_image_runs_as_the_user_of_the_compose_file():
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_every_package_of_the_wheel_goes_into_the_build():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {pattern.removesuffix("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    taken = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert packages | {"pyproject.toml", "README.md", "LICENSE", "requirements"} <= taken
