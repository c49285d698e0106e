import asyncio
import json
import stat
from contextlib import asynccontextmanager

import pytest

from oracle.errors import EvidenceRefused, TeeUnavailable
from oracle.model import QuoteKind
from oracle.tee.documents import HttpDocuments
from oracle.tee.pccs import CollateralSource
from oracle.tee.pcs import INTEL_PCS, Document, Pcs, Wanted
from oracle.tee.quote import parse_quote
from oracle.tee.root import INTEL, Root
from oracle.tee.simulator import CollateralTerms, Revocable, Simulator, SimulatorOptions
from oracle.tee.verify import platform_of, verify_quote
from oracle.testing.clock import ManualClock
from tests.unit.oracle.tee.samples import AT_S, sample_collateral, sample_collateral_text, sample_quote

DAY_S = 86_400
REPORT_DATA = bytes(64)


class Road:
    """The way to a source: counts who goes and can be closed."""

    def __init__(self, documents):
        self._documents, self.asked, self.open = documents, [], True

    async def fetch(self, url, *, max_bytes):
        self.asked.append(url)
        if not self.open:
            raise TeeUnavailable("the road is closed")
        return await self._documents.fetch(url, max_bytes=max_bytes)


class World:
    """A simulator whose time is the clock's, and a source that asks it."""

    def __init__(self, simulator, clock, road, directory):
        self.simulator, self.clock, self.road, self.directory = simulator, clock, road, directory
        self.root = Root(simulator.root_der)
        self.quote = simulator.quote(REPORT_DATA)
        self.source = self.another_source()

    def another_source(self, directory=None):
        return CollateralSource(self.simulator.pccs_url, self.road, directory or self.directory, self.clock, self.root)

    @property
    def now_s(self):
        return self.clock.now_ns() // 10**9


@asynccontextmanager
async def world_at(tmp_path, seed="pccs"):
    clock = ManualClock(AT_S * 10**9)
    options = SimulatorOptions(seed=seed, clock=lambda: clock.now_ns() // 10**9)
    async with Simulator(options) as simulator, HttpDocuments() as documents:
        yield World(simulator, clock, Road(documents), tmp_path / "collateral")


async def test_a_quote_verifies_with_what_the_source_gives(tmp_path):
    async with world_at(tmp_path) as world:
        collateral = await world.source.for_quote(world.quote)
        assert verify_quote(world.quote, collateral, world.now_s, world.root).tcb.status == "UpToDate"
        sgx = world.simulator.quoter.sgx_quote
        wanted = Wanted(QuoteKind.SGX, world.simulator.pki.platform.fmspc, "platform")
        assert json.loads((await world.source.for_platform(wanted)).members()["tcb_info"])["id"] == "SGX"
        assert sgx


async def test_collateral_is_asked_for_once_a_day(tmp_path):
    async with world_at(tmp_path) as world:
        first = await world.source.for_quote(world.quote)
        await world.clock.advance(DAY_S - 1)
        assert await world.source.for_quote(world.quote) is first
        assert len(world.road.asked) == 4
        await world.clock.advance(2)
        second = await world.source.for_quote(world.quote)
        assert second.issued_s == first.issued_s + DAY_S + 1
        assert len(world.road.asked) == 8


async def test_what_is_at_hand_is_given_at_once_and_fetched_aside(tmp_path):
    async with world_at(tmp_path) as world:
        assert world.source.at_hand(world.quote) is None
        fetched = await until(lambda: world.source.at_hand(world.quote))
        assert verify_quote(world.quote, fetched, world.now_s, world.root)
        asked = len(world.road.asked)
        await world.clock.advance(DAY_S + 1)
        assert world.source.at_hand(world.quote) == fetched
        newer = await until(lambda: found if (found := world.source.at_hand(world.quote)) != fetched else None)
        assert newer.issued_s > fetched.issued_s
        assert len(world.road.asked) == 2 * asked


async def test_what_is_kept_is_told_by_platform_while_it_is_good(tmp_path):
    async with world_at(tmp_path) as world:
        assert world.source.kept() == {}
        collateral = await world.source.for_quote(world.quote)
        quote = parse_quote(world.quote)
        assert world.source.kept() == {Wanted(quote.report.kind, *platform_of(quote)): collateral}
        await world.clock.advance(collateral.valid_until_s - world.now_s + 1)
        assert world.source.kept() == {}


async def test_a_source_that_is_down_costs_who_asks_for_what_is_at_hand_nothing(tmp_path):
    async with world_at(tmp_path) as world:
        world.road.open = False
        assert world.source.at_hand(world.quote) is None
        await until(lambda: world.road.asked)
        world.road.open = True
        assert await until(lambda: world.source.at_hand(world.quote))


async def until(told):
    """What is told as soon as it is something; the sockets' own time has to pass."""
    async with asyncio.timeout(10):
        while not (found := told()):
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        return found


async def test_callers_at_once_share_one_fetch(tmp_path):
    async with world_at(tmp_path) as world:
        answers = await asyncio.gather(*(world.source.for_quote(world.quote) for _ in range(10)))
        assert len({answer.sha256_hex for answer in answers}) == 1
        assert len(world.road.asked) == 4


async def test_while_the_source_is_down_what_is_kept_serves_until_it_expires(tmp_path):
    async with world_at(tmp_path) as world:
        first = await world.source.for_quote(world.quote)
        world.road.open = False
        await world.clock.advance(2 * DAY_S)
        assert await world.source.for_quote(world.quote) == first
        asked = len(world.road.asked)
        assert await world.source.for_quote(world.quote) == first
        assert len(world.road.asked) == asked, "a source that is down is not asked at every call"
        await world.clock.advance(first.valid_until_s - world.now_s)
        assert await world.source.for_quote(world.quote) == first
        await world.clock.advance(1)
        with pytest.raises(TeeUnavailable, match=r"no collateral for tdx-[0-9a-f]{12}-platform: .*the road is closed"):
            await world.source.for_quote(world.quote)
        world.road.open = True
        assert (await world.source.for_quote(world.quote)).valid_until_s > first.valid_until_s


async def test_files_serve_after_a_restart_without_the_source(tmp_path):
    async with world_at(tmp_path) as world:
        first = await world.source.for_quote(world.quote)
        (file,) = world.directory.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(world.directory.stat().st_mode) == 0o700
        world.road.open = False
        await world.clock.advance(2 * DAY_S)
        assert await world.another_source().for_quote(world.quote) == first
        world.road.open = True
        await world.another_source().for_quote(world.quote)
        assert len(world.road.asked) > 5


async def test_directories_that_are_made_on_the_way_are_for_this_user_alone(tmp_path):
    async with world_at(tmp_path) as world:
        home = tmp_path / "home"
        await world.another_source(home / "cache" / "collateral").for_quote(world.quote)
        assert {stat.S_IMODE(made.stat().st_mode) for made in (home, *home.rglob("*")) if made.is_dir()} == {0o700}


async def test_a_young_file_spares_the_source(tmp_path):
    async with world_at(tmp_path) as world:
        await world.source.for_quote(world.quote)
        await world.another_source().for_quote(world.quote)
        assert len(world.road.asked) == 4


@pytest.mark.parametrize("damage", ["", "{}", "no json", "[" * 100_000])
async def test_a_damaged_file_is_as_if_it_were_not_there(tmp_path, damage):
    async with world_at(tmp_path) as world:
        first = await world.source.for_quote(world.quote)
        (file,) = world.directory.iterdir()
        file.write_text(damage)
        assert await world.another_source().for_quote(world.quote) == first
        assert json.loads(file.read_text()) == json.loads(first.to_json())


async def test_a_file_of_another_root_is_not_believed(tmp_path):
    async with world_at(tmp_path, seed="liar") as liar:
        await liar.source.for_quote(liar.quote)
    async with world_at(tmp_path) as world:
        world.road.open = False
        with pytest.raises(TeeUnavailable):
            await world.source.for_quote(world.quote)


async def test_a_directory_that_cannot_be_written_costs_only_the_memory_of_it(tmp_path):
    (tmp_path / "file").write_text("")
    async with world_at(tmp_path) as world:
        source = world.another_source(tmp_path / "file" / "below")
        assert await source.for_quote(world.quote) is await source.for_quote(world.quote)


async def test_a_source_that_lies_takes_nothing_away_and_gives_nothing(tmp_path):
    async with world_at(tmp_path) as world, Simulator(SimulatorOptions(seed="liar", clock=lambda: world.now_s)) as liar:
        with_liar = CollateralSource(liar.pccs_url, world.road, None, world.clock, world.root)
        with pytest.raises(EvidenceRefused, match=r"gives collateral that is refused: the \w+ "):
            await with_liar.for_quote(world.quote)
        first = await world.source.for_quote(world.quote)
        world.simulator.terms = CollateralTerms(fmspc=b"wrong!")
        await world.clock.advance(2 * DAY_S)
        assert await world.source.for_quote(world.quote) == first
        assert json.loads(next(world.directory.iterdir()).read_text()) == json.loads(first.to_json())


async def test_collateral_that_is_rolled_back_is_not_taken(tmp_path):
    async with world_at(tmp_path) as world:
        world.simulator.terms = CollateralTerms(evaluation_number=18)
        first = await world.source.for_quote(world.quote)
        world.simulator.terms = CollateralTerms(evaluation_number=17)
        await world.clock.advance(2 * DAY_S)
        assert await world.source.for_quote(world.quote) == first
        world.simulator.terms = CollateralTerms(evaluation_number=19)
        await world.clock.advance(DAY_S)
        assert (await world.source.for_quote(world.quote)).evaluation_data_number == 19


async def test_a_source_that_once_gave_a_higher_edition_shuts_the_lower_out_until_that_has_expired(tmp_path):
    async with world_at(tmp_path) as world:
        world.simulator.terms = CollateralTerms(evaluation_number=18)
        assert (await world.source.for_quote(world.quote)).evaluation_data_number == 18
        world.simulator.terms = CollateralTerms(evaluation_number=17)
        await world.clock.advance(31 * DAY_S)
        assert (await world.source.for_quote(world.quote)).evaluation_data_number == 17


async def test_a_revocation_is_taken_in_although_the_quote_no_longer_verifies(tmp_path):
    async with world_at(tmp_path) as world:
        await world.source.for_quote(world.quote)
        world.simulator.terms = CollateralTerms(revoked=frozenset({Revocable.PCK}))
        await world.clock.advance(2 * DAY_S)
        collateral = await world.source.for_quote(world.quote)
        with pytest.raises(EvidenceRefused, match="Revoked"):
            verify_quote(world.quote, collateral, world.now_s, world.root)


async def test_an_unknown_platform_is_told_with_the_status(tmp_path):
    async with world_at(tmp_path) as world:
        with pytest.raises(TeeUnavailable, match=r"tdx tcb: http://127\.0\.0\.1:\d+/… answered with status 404"):
            await world.source.for_platform(Wanted(QuoteKind.TDX, b"other!", "platform"))


class Garbage:
    """A service whose every document is an empty object."""

    async def fetch(self, _url, *, max_bytes):
        return Document(b"{}"[:max_bytes], {})


@pytest.mark.parametrize("suffix", ["", "/sgx/certification/v4/"])
@pytest.mark.parametrize("answers", [True, False])
async def test_a_key_in_the_url_of_a_service_shows_in_no_refusal(tmp_path, suffix, answers):
    """They come into `/health`, which anybody may read."""
    async with world_at(tmp_path) as world, HttpDocuments() as documents:
        url = f"http://user:hunter2@{world.simulator.pccs_url.removeprefix('http://')}/hunter2{suffix}"
        source = CollateralSource(url, Garbage() if answers else documents, None, world.clock, world.root)
        with pytest.raises(EvidenceRefused if answers else TeeUnavailable, match=r"http://127\.0\.0\.1:\d+/…") as refused:
            await source.for_quote(world.quote)
    assert "hunter2" not in str(refused.value)


async def test_a_quote_that_is_none_asks_nobody(tmp_path):
    async with world_at(tmp_path) as world:
        with pytest.raises(EvidenceRefused):
            await world.source.for_quote(world.quote[:-1])
        assert world.road.asked == []


class IntelsService:
    """Answers as Intel's service does, with the parts of the real collateral."""

    def __init__(self, kind):
        self._parts, self.asked = json.loads(sample_collateral_text(kind)), []

    async def fetch(self, url, *, max_bytes):
        self.asked.append(url)
        parts = self._parts
        chains = {name: parts[name].replace("\n", "%0A") for name in parts if name.endswith("chain")}
        path = url.removeprefix(INTEL_PCS)
        if "/pckcrl?" in path:
            return Document(bytes.fromhex(parts["pck_crl"]), {"sgx-pck-crl-issuer-chain": chains["pck_crl_issuer_chain"]})
        if "/tcb?" in path:
            body = f'{{"tcbInfo":{parts["tcb_info"]},"signature":"{parts["tcb_info_signature"]}"}}'
            return Document(body.encode(), {"tcb-info-issuer-chain": chains["tcb_info_issuer_chain"]})
        if "/qe/identity" in path:
            body = f'{{"enclaveIdentity":{parts["qe_identity"]},"signature":"{parts["qe_identity_signature"]}"}}'
            return Document(body.encode(), {"sgx-enclave-identity-issuer-chain": chains["qe_identity_issuer_chain"]})
        if url == "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der":
            return Document(bytes.fromhex(parts["root_ca_crl"]), {})
        raise TeeUnavailable(url)


@pytest.mark.parametrize("kind", ["tdx", "sgx"])
async def test_intels_own_service_is_asked_as_its_interface_says(kind):
    service = IntelsService(kind)
    quote = parse_quote(sample_quote(kind))
    wanted = Wanted(quote.report.kind, *platform_of(quote))
    assert await Pcs(f"{INTEL_PCS}/{kind}/certification/v4/", service, INTEL).collateral(wanted) == sample_collateral(kind)
    assert service.asked == [
        f"{INTEL_PCS}/sgx/certification/v4/pckcrl?ca={wanted.authority}&encoding=der",
        f"{INTEL_PCS}/{kind}/certification/v4/tcb?fmspc={wanted.fmspc.hex().upper()}",
        f"{INTEL_PCS}/{kind}/certification/v4/qe/identity?update=standard",
        "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
    ]


async def test_a_cache_without_the_roots_list_sends_to_where_the_root_says_it_is(tmp_path):
    async with world_at(tmp_path) as world:
        inner = world.road.fetch

        async def fetch(url, *, max_bytes):
            if "rootcacrl" in url and url.startswith(world.simulator.pccs_url):
                raise TeeUnavailable("unknown")
            return await inner(url, max_bytes=max_bytes)

        world.road.fetch = fetch
        with pytest.raises(TeeUnavailable, match=r"pccs\.invalid"):
            await world.source.for_quote(world.quote)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (Document(b"{}", {}), "lacks its certificate chain|is no JSON object"),
        (Document(b"\xff", {"sgx-pck-crl-issuer-chain": "x"}), "cannot be read|no JSON"),
    ],
)
async def test_garbage_from_a_service_is_refused(document, reason):
    class Service:
        async def fetch(self, url, *, max_bytes):
            return document

    with pytest.raises(EvidenceRefused, match=reason):
        await Pcs(INTEL_PCS, Service(), INTEL).collateral(Wanted(QuoteKind.TDX, bytes(6), "platform"))
