"""The same over HTTP: `GET /quote?grams=1200&country=FI`."""

import json
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from postage.quotes import quote


def application(environ, start_response):
    """A WSGI application."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    try:
        found = quote(int(query["grams"][0]), query["country"][0])
        status, answer = "200 OK", {"zone": found.zone, "cents": found.total.cents}
    except (KeyError, ValueError) as error:
        status, answer = "400 Bad Request", {"error": str(error)}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def serve_forever(port):
    """Answers until it is interrupted."""
    with make_server("", port, application) as server:
        server.serve_forever()
