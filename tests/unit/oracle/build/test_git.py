import pytest

from oracle.build.git import checked_source
from oracle.errors import SourceRefused

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "repo", ["https://github.com/o/r", "github.com/o/r", "https://github.com/o/r.git", "github.com/o/r/", "https://GitHub.com/o/r"]
)
def test_every_spelling_of_a_github_repository_leads_to_one_url(repo):
    assert checked_source(repo, COMMIT, local_chain=False).url == "https://github.com/o/r"


@pytest.mark.parametrize(
    "repo",
    [
        "", "https://gitlab.com/o/r", "https://github.com.evil.example/o/r", "https://github.com@evil.example/o/r", "http://github.com/o/r",
        "ssh://git@github.com/o/r", "git@github.com:o/r", "ext::sh -c id", "--upload-pack=id", "github.com/../r", "github.com/o/..",
        "https://github.com/o/r/tree/main", "github.com/o/r\n", "https://user:pw@github.com/o/r",
    ],
)  # fmt: skip
@pytest.mark.parametrize("local_chain", [True, False])
def test_other_places_are_refused_on_every_chain(repo, local_chain):
    with pytest.raises(SourceRefused, match="cannot be cloned"):
        checked_source(repo, COMMIT, local_chain=local_chain)


@pytest.mark.parametrize("repo", ["file:///srv/r", "http://127.0.0.1:8000/r.git", "http://localhost/r", "http://[::1]/r"])
def test_this_machine_is_cloned_from_on_the_local_chain_only(repo):
    assert checked_source(repo, COMMIT, local_chain=True).url == repo
    with pytest.raises(SourceRefused):
        checked_source(repo, COMMIT, local_chain=False)


@pytest.mark.parametrize(
    "repo", ["http://10.0.0.1/r", "http://localhost.evil.example/r", "http://u@localhost/r", "file://host/r", "file:r"]
)
def test_the_local_chain_does_not_open_other_machines(repo):
    with pytest.raises(SourceRefused):
        checked_source(repo, COMMIT, local_chain=True)


@pytest.mark.parametrize("commit", ["", "main", "HEAD", COMMIT[:-1], COMMIT.upper(), "--output=x", COMMIT + "\n"])
def test_only_a_full_commit_hash_is_taken(commit):
    with pytest.raises(SourceRefused, match="full commit hash"):
        checked_source("github.com/o/r", commit, local_chain=True)
