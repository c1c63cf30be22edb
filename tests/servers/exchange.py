"""One request and its answer, as the servers of the tests see them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the hostile server answers.

    ``hang`` waits for the client to give up; ``drop`` closes the connection afterwards, unsaid.
    """

    status: int = 207
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False


@dataclass(frozen=True, kw_only=True)
class Request:
    """What it was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
