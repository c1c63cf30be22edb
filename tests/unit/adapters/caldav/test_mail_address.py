"""From a mail address to its server by DNS (RFC 6764), asked of a real name server on loopback."""

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from lorsync.adapters.caldav.account import server_of
from lorsync.core.errors import ConfigError, UnavailableError

SRV, TXT = "_caldavs._tcp.example.org.", "_caldavs._tcp.example.org."


class NameServer:
    """Answers from a table of records; everything else does not exist."""

    def __init__(self) -> None:
        self.records: list[dns.rrset.RRset] = []
        self.rcode = dns.rcode.NXDOMAIN
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def has(self, name: str, kind: str, *values: str) -> None:
        self.records.append(dns.rrset.from_text(name, 60, "IN", kind, *values))

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, client = self._socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            asked = query.question[0]
            same_name = [found for found in self.records if found.name == asked.name]
            answer.answer = [found for found in same_name if found.rdtype == asked.rdtype]
            if not same_name:
                answer.set_rcode(self.rcode)
            self._socket.sendto(answer.to_wire(), client)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    yield server
    server.close()


def test_srv_and_txt_name_the_server(names: NameServer) -> None:
    names.has(SRV, "SRV", "0 1 8443 cal.example.org.")
    names.has(TXT, "TXT", '"v=1"', '"path=/dav/"')
    assert server_of("example.org") == "https://cal.example.org:8443/dav/"


def test_without_a_path_the_well_known_one_is_asked(names: NameServer) -> None:
    names.has(SRV, "SRV", "0 1 443 cal.example.org.")
    assert server_of("example.org") == "https://cal.example.org/.well-known/caldav"


def test_without_records_the_domain_itself_is_asked(names: NameServer) -> None:
    assert server_of("example.org") == "https://example.org/.well-known/caldav"


def test_lowest_priority_number_and_then_most_weight_wins(names: NameServer) -> None:
    names.has(
        SRV,
        "SRV",
        "10 99 443 late.example.org.",
        "0 1 443 light.example.org.",
        "0 5 443 heavy.example.org.",
    )
    assert server_of("example.org").startswith("https://heavy.example.org/")


@pytest.mark.parametrize("path", ["path=//evil.example/", "path=https://evil.example/", "path="])
def test_txt_leads_to_no_other_host(names: NameServer, path: str) -> None:
    names.has(SRV, "SRV", "0 1 443 cal.example.org.")
    names.has(TXT, "TXT", f'"{path}"')
    assert server_of("example.org") == "https://cal.example.org/.well-known/caldav"


def test_server_of_another_domain_is_not_taken_unasked(names: NameServer) -> None:
    names.has(SRV, "SRV", "0 1 443 caldav.evil.example.")
    with pytest.raises(ConfigError, match=r"write this address into calendar\.url") as caught:
        server_of("example.org")
    assert "https://caldav.evil.example/" in str(caught.value)


def test_domain_that_says_it_has_none(names: NameServer) -> None:
    names.has(SRV, "SRV", "0 0 0 .")
    with pytest.raises(UnavailableError, match="has no calendars"):
        server_of("example.org")


def test_dns_that_fails_is_no_absence(names: NameServer) -> None:
    names.rcode = dns.rcode.SERVFAIL
    with pytest.raises(UnavailableError, match="DNS does not say"):
        server_of("example.org")


@pytest.mark.parametrize("domain", ["straße.example", "xn--strae-oqa.example", "STRASSE.example"])
def test_an_international_domain_is_asked_for_by_its_own_name(
    names: NameServer, domain: str
) -> None:
    """By IDNA 2003, “ß” would be somebody else's “ss”."""
    names.has("_caldavs._tcp.xn--strae-oqa.example.", "SRV", "0 1 443 cal.xn--strae-oqa.example.")
    names.has("_caldavs._tcp.strasse.example.", "SRV", "0 1 443 cal.strasse.example.")
    own = "strasse" if domain.lower().startswith("strasse") else "xn--strae-oqa"
    assert server_of(domain) == f"https://cal.{own}.example/.well-known/caldav"


def test_a_path_in_utf_8_is_read_as_such(names: NameServer) -> None:
    names.has(SRV, "SRV", "0 1 443 cal.example.org.")
    names.has(TXT, "TXT", r'"path=/caf\195\169/"')
    assert server_of("example.org") == "https://cal.example.org/café/"
