"""Under load: every request of eight clients at once is answered, none stalls.

LAB_REQUESTS=10000 runs the long proof (some four minutes).
"""

import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

CLIENTS = 8
REQUESTS = int(os.environ.get("LAB_REQUESTS", "300"))
STALLED_SECONDS = 10  # a lost segment or SYN costs less; a timer that jumped costs hours


@pytest.mark.timeout(max(120, REQUESTS))
def test_every_request_of_eight_clients_is_answered(board, gateway):
    def request(n):
        start = time.monotonic()
        connection = http.client.HTTPConnection(*gateway.forwards[80], timeout=30)
        try:
            connection.request("GET", "/status")
            answer = connection.getresponse()
            status = json.loads(answer.read())
        finally:
            connection.close()
        return answer.status, status["uptime_ms"], time.monotonic() - start

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(request, range(REQUESTS)))
    assert [status for status, _, _ in answers] == [200] * REQUESTS
    assert max(seconds for _, _, seconds in answers) < STALLED_SECONDS
    assert board.events == []
    assert "Traceback" not in board.console.text
