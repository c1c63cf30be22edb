"""Google's way of signing in: a login in the browser, and access tokens that follow from it."""

from lorsync.adapters.google.consent import Client, client_from, logged_in
from lorsync.adapters.google.endpoint import Login
from lorsync.adapters.google.tokens import revoked, tokens_for

__all__ = ["Client", "Login", "client_from", "logged_in", "revoked", "tokens_for"]
