"""From a bare address to the right collection, on real servers and on hostile ones."""

import unicodedata

import pytest

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.discovery import collections
from lorsync.adapters.caldav.selection import open_collection
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.urls import shown
from lorsync.core.errors import ConfigError, CredentialsError, TryAgainError, UnavailableError
from lorsync.core.settings import CalendarSettings, Provider
from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request


@pytest.fixture(params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


def settings(server: Server, name: str, **more: str) -> CalendarSettings:
    return CalendarSettings(
        **{
            "provider": Provider.CALDAV,
            "url": server.url,
            "username": server.username,
            "name": name,
            **more,
        }
    )


def opened(server: Server, chosen: CalendarSettings, remembered: str | None = None):
    calendar = open_collection(chosen, server.password, remembered=remembered)
    calendar.close()
    return calendar


def test_a_missing_collection_is_made_and_then_found(server: Server) -> None:
    chosen = settings(server, "Found again", color="#336699")
    made, found = opened(server, chosen), opened(server, chosen)
    assert (made.created, found.created) == (True, False)
    assert found.address == made.address
    assert made.requests <= 5
    assert found.requests <= 4


def test_a_remembered_collection_costs_no_request(server: Server) -> None:
    made = opened(server, settings(server, "Remembered"))
    again = opened(server, settings(server, "Renamed since"), remembered=made.address)
    assert again.address == made.address
    assert again.requests == 0
    assert again.listing(None).complete
    again.close()


@pytest.mark.parametrize(
    "name",
    [
        "a/b",
        "..",
        ".",
        "/",
        "../../other",
        "Letters 🎓✉️",
        "מכתבי המלצה",
        "50 & <more> \"quotes\" 'and' #hash?",
        "x" * 300,
    ],
)
def test_any_display_name_makes_one_harmless_segment(server: Server, name: str) -> None:
    made = opened(server, settings(server, name))
    home, segment = made.address.rstrip("/").rsplit("/", 1)
    assert home in {f"{server.url}user", f"{server.url}user/calendars"}
    assert segment.replace("-", "").isalnum()
    assert segment.isascii()
    assert len(segment) <= 60
    assert opened(server, settings(server, name)).address == made.address


def test_a_collection_that_xandikos_made_without_its_name_is_used(xandikos_server: Server) -> None:
    chosen = settings(xandikos_server, "50%2F off")
    with pytest.raises(TryAgainError):
        opened(xandikos_server, chosen)
    second, third = opened(xandikos_server, chosen), opened(xandikos_server, chosen)
    assert not second.created
    assert second.address == third.address


def test_a_per_cent_sign_in_a_name_is_no_escape(radicale_server: Server) -> None:
    chosen = settings(radicale_server, "50%2F off")
    made = opened(radicale_server, chosen)
    assert made.created
    assert opened(radicale_server, chosen).address == made.address


def test_names_are_compared_in_one_normal_form(server: Server) -> None:
    composed = unicodedata.normalize("NFC", "Lettres de référence é")
    made = opened(server, settings(server, composed))
    found = opened(server, settings(server, unicodedata.normalize("NFD", composed)))
    assert found.address == made.address
    assert opened(server, settings(server, composed.upper())).address != made.address


def test_the_address_of_a_collection_is_that_collection(server: Server) -> None:
    made = opened(server, settings(server, "By address"))
    found = opened(server, settings(server, "Another name", url=made.address))
    assert (found.address, found.created, found.requests) == (made.address, False, 1)


def test_two_of_one_name_are_an_error_that_names_both(server: Server) -> None:
    made = opened(server, settings(server, "Twice"))
    twin = made.address.rstrip("/") + "-twin/"
    transport = Transport(server.url, username=server.username, password=server.password)
    body = (
        b'<c:mkcalendar xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:set><d:prop>'
        b"<d:displayname>Twice</d:displayname></d:prop></d:set></c:mkcalendar>"
    )
    headers = {"Content-Type": "application/xml"}
    assert transport.send("MKCALENDAR", twin, body=body, headers=headers).status == 201
    assert {found.name for found in collections(transport)} >= {"Twice"}
    transport.close()
    with pytest.raises(ConfigError) as caught:
        opened(server, settings(server, "Twice"))
    assert made.address in str(caught.value)
    assert twin in str(caught.value)


def test_a_renamed_collection_leaves_its_segment_to_nobody_else(server: Server) -> None:
    made = opened(server, settings(server, "Before"))
    transport = Transport(server.url, username=server.username, password=server.password)
    body = (
        b'<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:displayname>After</d:displayname>'
        b"</d:prop></d:set></d:propertyupdate>"
    )
    headers = {"Content-Type": "application/xml"}
    assert transport.send("PROPPATCH", made.address, body=body, headers=headers).status == 207
    transport.close()
    again = opened(server, settings(server, "Before"))
    assert again.created
    assert again.address != made.address


def test_a_wrong_password_is_a_credentials_error(radicale_server: Server) -> None:
    with pytest.raises(CredentialsError):
        open_collection(settings(radicale_server, "x"), "wrong", remembered=None)


# Hostile servers


HOME, WELL_KNOWN = "/dav/calendars/maya/", "/.well-known/caldav"


def multistatus(*responses: tuple[str, str]) -> Reply:
    inside = "".join(
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        for href, props in responses
    )
    body = (
        '<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        f"{inside}</d:multistatus>"
    )
    return Reply(body=body.encode(), headers={"Content-Type": "application/xml"})


def calendar_props(name: str, more: str = "") -> str:
    kinds = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
    return f"{kinds}<d:displayname>{name}</d:displayname>{more}"


def tell(hostile: Hostile, answers: dict[tuple[str, str], Reply]) -> None:
    def answer(request: Request) -> Reply:
        return answers.get((request.method, request.path), Reply(status=404))

    hostile.answer = answer


def discover(hostile: Hostile, name: str = "Letters", path: str = "") -> CalDavCalendar:
    chosen = CalendarSettings(
        provider=Provider.CALDAV, url=f"{hostile.url}{path}", username="maya", name=name
    )
    calendar = open_collection(chosen, "secret", remembered=None)
    calendar.close()
    return calendar


PRINCIPAL = multistatus(
    ("/", "<d:current-user-principal><d:href>/p/</d:href></d:current-user-principal>")
)
HOME_SET = multistatus(
    ("/p/", f"<c:calendar-home-set><d:href>{HOME}</d:href></c:calendar-home-set>")
)


def test_a_bare_host_is_asked_for_its_well_known_address(hostile: Hostile) -> None:
    tell(
        hostile,
        {
            ("PROPFIND", "/"): Reply(status=405, body=b"<html></html>"),
            ("PROPFIND", "/.well-known/caldav"): Reply(
                status=301, headers={"Location": "/remote.php/dav/"}
            ),
            ("PROPFIND", "/remote.php/dav/"): PRINCIPAL,
            ("PROPFIND", "/p/"): HOME_SET,
            ("PROPFIND", HOME): multistatus((HOME + "a%40b/", calendar_props("Letters"))),
        },
    )
    calendar = discover(hostile)
    assert calendar.address == hostile.url.rstrip("/") + HOME + "a%40b/"
    assert calendar.href_for("lorsync-1") == HOME + "a@b/lorsync-1.ics"
    assert calendar.requests == 5


@pytest.mark.parametrize(
    "answers",
    [
        {("PROPFIND", "/dav/"): PRINCIPAL},
        {("PROPFIND", "/.well-known/caldav"): PRINCIPAL},
        {
            ("PROPFIND", "/dav"): multistatus(
                ("/dav", "<d:resourcetype><d:collection/></d:resourcetype>")
            ),
            ("PROPFIND", "/dav/"): PRINCIPAL,
        },
    ],
    ids=["with its slash", "by the well-known address", "that is a folder"],
)
def test_a_path_without_its_slash_leads_to_the_account(
    hostile: Hostile, answers: dict[tuple[str, str], Reply]
) -> None:
    """RFC 6764 section 6: where a path answers with errors, the well-known address is asked."""
    rest = {
        ("PROPFIND", "/p/"): HOME_SET,
        ("PROPFIND", HOME): multistatus((HOME + "a/", calendar_props("Letters"))),
    }
    tell(hostile, answers | rest)
    assert discover(hostile, path="dav").address.endswith(HOME + "a/")


def test_a_path_that_leads_nowhere_is_named_itself(hostile: Hostile) -> None:
    tell(hostile, {})
    with pytest.raises(UnavailableError, match=r"/dav does not answer like a CalDAV server"):
        discover(hostile, path="dav")
    assert [request.path for request in hostile.requests] == ["/dav", "/dav/", WELL_KNOWN]


def test_hrefs_of_a_calendar_whose_address_has_a_blank_are_encoded(hostile: Hostile) -> None:
    """RFC 4918 section 8.3: an href is a URI, whatever the config says."""
    path = "/my%20cal%C3%A8/"
    calendar = multistatus((path, calendar_props("Letters")))
    event = multistatus((path + "lorsync-1.ics", '<d:getetag>"1"</d:getetag>'))
    tell(hostile, {("PROPFIND", path): calendar, ("REPORT", path): event})
    chosen = CalendarSettings(
        provider=Provider.CALDAV, url=f"{hostile.url}my calè/", username="maya", name="Letters"
    )
    opened = open_collection(chosen, "secret", remembered=None)
    opened.fetch([opened.href_for("lorsync-1")])
    opened.close()
    assert opened.href_for("lorsync-1") == "/my calè/lorsync-1.ics"
    assert {request.path for request in hostile.requests} == {path}
    assert f"<d:href>{path}lorsync-1.ics</d:href>".encode() in hostile.requests[-1].body


@pytest.mark.parametrize("name", ["localhost", "[::1]"])
def test_a_home_under_another_name_of_this_machine_is_the_same_server(
    hostile: Hostile, name: str
) -> None:
    there = f"{hostile.url.replace('127.0.0.1', name).rstrip('/')}{HOME}"
    home = f"<c:calendar-home-set><d:href>{there}</d:href></c:calendar-home-set>"
    tell(
        hostile,
        {
            ("PROPFIND", "/"): multistatus(("/", home)),
            ("PROPFIND", HOME): multistatus((f"{there}a/", calendar_props("Letters"))),
        },
    )
    assert discover(hostile).address == f"{hostile.url.rstrip('/')}{HOME}a/"
    hosts = {request.headers["host"].partition(":")[0] for request in hostile.requests}
    assert hosts == {"127.0.0.1"}


def test_a_folder_at_the_root_of_a_host_is_not_taken_for_the_account(hostile: Hostile) -> None:
    tell(
        hostile,
        {
            ("PROPFIND", "/"): multistatus(
                ("/", "<d:resourcetype><d:collection/></d:resourcetype>")
            ),
            ("PROPFIND", "/.well-known/caldav"): PRINCIPAL,
            ("PROPFIND", "/p/"): HOME_SET,
            ("PROPFIND", HOME): multistatus((HOME + "a/", calendar_props("Letters"))),
        },
    )
    assert discover(hostile).address.endswith(HOME + "a/")


def test_a_home_that_is_named_twice_holds_no_two_calendars_of_one_name(hostile: Hostile) -> None:
    spellings = [HOME, HOME.rstrip("/"), HOME.replace("m", "%6D"), hostile.url.rstrip("/") + HOME]
    named = "".join(f"<d:href>{home}</d:href>" for home in spellings)
    props = f"<c:calendar-home-set>{named}</c:calendar-home-set>"
    tell(
        hostile,
        {
            ("PROPFIND", "/"): PRINCIPAL,
            ("PROPFIND", "/p/"): multistatus(("/p/", props)),
            ("PROPFIND", HOME): multistatus(
                (HOME + "a%40b/", calendar_props("Letters")),
                (HOME + "a@b/", calendar_props("Letters")),
            ),
        },
    )
    assert discover(hostile).address.endswith(HOME + "a%40b/")


def test_an_empty_list_of_calendars_is_no_home_to_make_one_in(hostile: Hostile) -> None:
    tell(
        hostile,
        {
            ("PROPFIND", "/"): PRINCIPAL,
            ("PROPFIND", "/p/"): HOME_SET,
            ("PROPFIND", HOME): multistatus(),
            ("MKCALENDAR", HOME): Reply(status=201),
        },
    )
    with pytest.raises(UnavailableError, match="incomplete list"):
        discover(hostile)
    assert "MKCALENDAR" not in {request.method for request in hostile.requests}


def test_a_home_on_another_host_is_not_given_the_password(hostile: Hostile) -> None:
    elsewhere = "<c:calendar-home-set><d:href>https://evil.example/</d:href></c:calendar-home-set>"
    tell(hostile, {("PROPFIND", "/"): multistatus(("/", elsewhere))})
    with pytest.raises(UnavailableError, match=r"evil\.example"):
        discover(hostile)


def test_a_collection_on_another_host_is_not_used(hostile: Hostile) -> None:
    tell(
        hostile,
        {
            ("PROPFIND", "/"): PRINCIPAL,
            ("PROPFIND", "/p/"): HOME_SET,
            ("PROPFIND", HOME): multistatus(
                ("https://evil.example/cal/", calendar_props("Letters"))
            ),
        },
    )
    with pytest.raises(UnavailableError, match=r"evil\.example"):
        discover(hostile)


def test_an_answer_without_principal_is_about_credentials(hostile: Hostile) -> None:
    nobody = (
        "<d:current-user-principal><d:unauthenticated/></d:current-user-principal>"
        "<d:resourcetype><d:collection/></d:resourcetype>"
    )
    tell(hostile, {("PROPFIND", "/"): multistatus(("/", nobody))})
    with pytest.raises(CredentialsError, match="whose calendars"):
        discover(hostile)


def test_task_lists_and_read_only_calendars_are_told_apart(hostile: Hostile) -> None:
    tasks = (
        '<c:supported-calendar-component-set><c:comp name="VTODO"/>'
        "</c:supported-calendar-component-set>"
    )
    reading = (
        "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege>"
        "</d:current-user-privilege-set>"
    )
    tell(
        hostile,
        {
            ("PROPFIND", "/"): PRINCIPAL,
            ("PROPFIND", "/p/"): HOME_SET,
            ("PROPFIND", HOME): multistatus(
                (HOME + "tasks/", calendar_props("Letters", tasks)),
                (HOME + "shared/", calendar_props("Letters", reading)),
            ),
        },
    )
    with pytest.raises(ConfigError, match="read-only"):
        discover(hostile)


def test_a_calendar_is_made_without_its_colour_where_that_is_not_taken(hostile: Hostile) -> None:
    about = {"/": PRINCIPAL, "/p/": HOME_SET, HOME: multistatus((HOME, ""))}

    def answer(request: Request) -> Reply:
        if request.method == "MKCALENDAR":
            return Reply(status=403 if b"calendar-color" in request.body else 201)
        made = multistatus((request.path, calendar_props("Letters")))
        return about.get(request.path, made)

    hostile.answer = answer
    chosen = CalendarSettings(
        provider=Provider.CALDAV, url=hostile.url, username="maya", color="#336699"
    )
    calendar = open_collection(chosen, "secret", remembered=None)
    calendar.close()
    assert calendar.created
    assert calendar.requests == 6  # the last one looks whether it is there


def test_a_server_without_mkcalendar_says_what_to_do(hostile: Hostile) -> None:
    tell(
        hostile,
        {
            ("PROPFIND", "/"): PRINCIPAL,
            ("PROPFIND", "/p/"): HOME_SET,
            ("PROPFIND", HOME): multistatus((HOME, "")),
        },
    )
    with pytest.raises(ConfigError, match="make one called 'Letters'"):
        discover(hostile)


def test_a_web_page_is_no_caldav_server(hostile: Hostile) -> None:
    page = Reply(status=200, body=b"<html><p>Hi", headers={"Content-Type": "text/html"})
    hostile.always(page)
    with pytest.raises(UnavailableError, match="web page"):
        discover(hostile)


def test_a_remembered_address_elsewhere_gets_no_password() -> None:
    chosen = CalendarSettings(
        provider=Provider.CALDAV, url="https://new.example.org/", username="maya"
    )
    with pytest.raises(ConfigError, match=r"old\.example\.com"):
        open_collection(chosen, "secret", remembered="https://old.example.com/cal/")


def test_addresses_are_shown_without_credentials() -> None:
    assert shown("https://u:p@h.example/x/?token=1#f") == "https://h.example/x/"
