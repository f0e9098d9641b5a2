"""deploy/grpc/service-config.json in a real client (grpcio): what it repeats, how it spreads, what it waits for."""

import concurrent.futures
import socket
import threading
import time

import grpc

from heelorigin.v1 import assessment_pb2, scoring_service_pb2 as scoring, scoring_service_pb2_grpc
from replicas import SERVICE_CONFIG, Replica, channel, wait_for

SCORE = "/heelorigin.v1.ScoringService/ScoreFindings"
FOUND = assessment_pb2.Finding(id="slump_test", present=True)
REQUEST = scoring.ScoreFindingsRequest(assessment=assessment_pb2.Assessment(findings=[FOUND]))


class Failing(grpc.GenericRpcHandler):
    """Answers a number of calls with a status, and those after with OK."""

    def __init__(self, code, times):
        self.code, self.times, self.asked = code, times, 0

    def service(self, call):
        # The client watches the health of who has one.
        if call.method.startswith("/grpc.health"):
            return None

        def answer(_request, context):
            self.asked += 1
            if self.asked <= self.times:
                context.abort(self.code, "not now")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


def outcome_of(code, times, method=SCORE, port=0):
    """Status of a call to a server that fails so many times, and how often it was asked."""
    failing = Failing(code, times)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[failing])
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.service_config", SERVICE_CONFIG)]) as plain:
        call = plain.unary_unary(method)
        try:
            call(b"")
            status = grpc.StatusCode.OK
        except grpc.RpcError as error:
            status = error.code()
    server.stop(None).wait()
    return status, failing.asked


def repeats():
    busy, gone = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE
    assert outcome_of(gone, 2) == (grpc.StatusCode.OK, 3)
    assert outcome_of(busy, 3) == (grpc.StatusCode.OK, 4)
    assert outcome_of(gone, 9) == (gone, 4), "there is an end to it"
    # What the caller got wrong stays wrong, and what broke inside is looked at, not repeated.
    for code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAUTHENTICATED):
        assert outcome_of(code, 1) == (code, 1), code
    # Half a stream cannot be sent again.
    assert outcome_of(gone, 1, "/heelorigin.v1.ScoringService/StreamScores") == (gone, 1)


def spreads(three):
    """Calls go round the replicas in turn."""
    with channel([one.address for one in three], "practice-gateway") as secure:
        stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
        stub.ScoreFindings(REQUEST)
        # Round robin begins with the first connection; count once all three are there.
        wait_for("three connections", lambda: stub.ScoreFindings(REQUEST) and all(one.scored() for one in three))
        before = [one.scored() for one in three]
        for _ in range(30):
            stub.ScoreFindings(REQUEST)
        counts = [one.scored() - earlier for one, earlier in zip(three, before)]
    assert counts == [10, 10, 10], counts


def survives(three):
    """No call fails while a replica ends; it is answered by the others."""
    with channel([one.address for one in three], "practice-gateway") as secure:
        stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
        stub.ScoreFindings(REQUEST)
        ended = []
        ending = threading.Thread(target=lambda: ended.append(three[0].end()))
        ending.start()
        asked = 0
        while ending.is_alive():
            stub.ScoreFindings(REQUEST)
            asked += 1
            time.sleep(0.005)
        for _ in range(20):
            stub.ScoreFindings(REQUEST)
    assert ended == [0], ended
    assert asked > 50, asked
    return asked + 20


def waits():
    """A call before its server is there waits for it, and ends where none comes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Failing(None, 0)])
    start = threading.Timer(1.0, lambda: (server.add_insecure_port(f"127.0.0.1:{port}"), server.start()))
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.service_config", SERVICE_CONFIG)]) as plain:
        call, began = plain.unary_unary(SCORE), time.monotonic()
        start.start()
        call(b"")
        assert time.monotonic() - began >= 1.0
    server.stop(None).wait()
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.service_config", SERVICE_CONFIG)]) as plain:
        began = time.monotonic()
        try:
            plain.unary_unary(SCORE)(b"")
            raise AssertionError("nobody is there")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
        assert time.monotonic() - began < 7

repeats()
print("ok      client: repeats UNAVAILABLE and RESOURCE_EXHAUSTED up to four times, nothing else, no stream")
waits()
print("ok      client: waits for a server that starts later, no longer than its deadline")
with Replica(1) as one, Replica(2) as two, Replica(3) as third:
    spreads([one, two, third])
    print("ok      client: 30 calls to three replicas by mutual TLS went 10, 10 and 10")
    calls = survives([one, two, third])
    print(f"ok      client: none of {calls} calls failed while a replica ended in order")
