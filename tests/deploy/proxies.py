"""deploy/proxies before three real replicas: nginx, then HAProxy, with only addresses and paths put in place."""

import contextlib
import pathlib
import re
import socket
import subprocess
import sys
import time

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from heelorigin.v1 import assessment_pb2, knowledge_service_pb2, knowledge_service_pb2_grpc
from heelorigin.v1 import scoring_service_pb2 as scoring, scoring_service_pb2_grpc
from replicas import CERTIFICATES, WORK, Replica, channel, token, wait_for


def request(*ids, assessment_id=""):
    findings = [assessment_pb2.Finding(id=one, present=True) for one in ids]
    return scoring.ScoreFindingsRequest(
        assessment=assessment_pb2.Assessment(findings=findings, assessment_id=assessment_id))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def nginx(three, port):
    """The command that runs nginx by the shipped configuration."""
    text = pathlib.Path("deploy/proxies/nginx.conf").read_text()
    for number, one in enumerate(three, 11):
        text = text.replace(f"192.0.2.{number}:50051", one.address)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {WORK}/nginx-{kind};" for kind in kinds)
    text = text.replace("/etc/nginx/heel-origin", str(CERTIFICATES)).replace("/var/log/nginx", str(WORK))
    text = text.replace("/run/nginx.pid", f"{WORK}/nginx.pid").replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace("http {", f"http {{ {folders}", 1)
    path = WORK / "nginx.conf"
    path.write_text(text)
    command = ["nginx", "-p", str(WORK), "-e", "stderr", "-c", str(path)]
    return [*command, "-t"], [*command, "-g", "daemon off;"]


def haproxy(three, port):
    """The command that runs HAProxy by the shipped configuration."""
    text = pathlib.Path("deploy/proxies/haproxy.cfg").read_text()
    for number, one in enumerate(three, 11):
        admin = one.admin.rsplit(":")[-1]
        text = text.replace(f"192.0.2.{number}:50051 track", f"{one.address} track")
        text = re.sub(rf"192\.0\.2\.{number}:50051", f"{one.address} port {admin}", text)
    text = text.replace("/etc/haproxy/heel-origin", str(CERTIFICATES)).replace("bind :443", f"bind 127.0.0.1:{port}")
    path = WORK / "haproxy.cfg"
    path.write_text(text)
    return ["haproxy", "-c", "-f", str(path)], ["haproxy", "-db", "-f", str(path)]


@contextlib.contextmanager
def running(name, check, command, port):
    """A proxy that accepted its configuration, as long as it is needed."""
    checked = subprocess.run(check, capture_output=True, text=True)
    print(checked.stdout + checked.stderr, end="")
    assert checked.returncode == 0 and "warn" not in (checked.stdout + checked.stderr).lower()
    with open(WORK / f"{name}.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)

    def answers():
        assert process.poll() is None, (WORK / f"{name}.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for(f"{name} to listen", answers)
        yield
    finally:
        process.terminate()
        process.wait()


def passes(secure, known):
    """Everything a caller does passes through, and nothing else."""
    stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
    assert stub.ScoreFindings(request("slump_test"), metadata=known).origins
    health = health_pb2_grpc.HealthStub(secure).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    sent = (scoring.StreamScoresRequest(assessment=request("slump_test", assessment_id=f"{n}").assessment) for n in range(5))
    came = [one.assessment_id for one in stub.StreamScores(sent, metadata=known, timeout=10)]
    assert came == ["0", "1", "2", "3", "4"], came


def refused(call, code, **more):
    try:
        call(timeout=5, **more)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError(f"not refused: {code}")


def keeps_out(secure, known):
    """The proxy vouches for nobody, and long refusals come through."""
    stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
    ask = lambda **more: stub.ScoreFindings(request("slump_test"), **more)
    refused(ask, grpc.StatusCode.UNAUTHENTICATED)
    stranger = (("authorization", f"Bearer {token('nobody')}"),)
    refused(ask, grpc.StatusCode.UNAUTHENTICATED, metadata=stranger)
    # Clinic 4 may score and not read the knowledge base.
    listing = knowledge_service_pb2_grpc.KnowledgeServiceStub(secure).ListFindings
    read = lambda **more: listing(knowledge_service_pb2.ListFindingsRequest(), **more)
    refused(read, grpc.StatusCode.PERMISSION_DENIED, metadata=known)
    watch = health_pb2_grpc.HealthStub(secure).Watch
    reflect = secure.stream_unary("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    for _ in range(50):
        refused(lambda **more: next(watch(health_pb2.HealthCheckRequest(), **more)), grpc.StatusCode.UNIMPLEMENTED)
        refused(lambda **more: reflect(iter([b""]), **more), grpc.StatusCode.UNIMPLEMENTED, metadata=known)
    many = request(*(f"made_up_{number}" for number in range(256)))
    error = refused(lambda **more: stub.ScoreFindings(many, **more), grpc.StatusCode.INVALID_ARGUMENT, metadata=known)
    bad = error_details_pb2.BadRequest()
    assert any(one.Unpack(bad) for one in rpc_status.from_call(error).details) and bad.field_violations


def survives(secure, known, replica, end):
    """Calls asked while a replica goes; how many failed."""
    stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
    failed = 0
    for number in range(200):
        if number == 20:
            end(replica)
        try:
            stub.ScoreFindings(request("slump_test"), metadata=known)
        except grpc.RpcError as error:
            failed += 1
            print(f"call {number}: {error.code()} {error.details()}")
        time.sleep(0.01)
    return failed


def behind(name, build):
    """One proxy from beginning to end."""
    with Replica(1) as one, Replica(2) as two, Replica(3) as third:
        three, port = [one, two, third], free_port()
        with running(name, *build(three, port), port), channel([f"127.0.0.1:{port}"]) as secure:
            known = (("authorization", f"Bearer {token('clinic-4')}"),)
            stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
            ask = lambda: stub.ScoreFindings(request("slump_test"), metadata=known)
            wait_for("an answer of each replica", lambda: ask() and all(replica.scored() for replica in three))
            passes(secure, known)
            keeps_out(secure, known)
            print(f"ok      {name}: calls, streams and health pass; strangers, reflection and wrong roles do not")
            assert not survives(secure, known, one, lambda replica: replica.process.terminate())
            assert one.process.wait(timeout=30) == 0
            print(f"ok      {name}: none of 200 calls failed while a replica ended in order")
            assert not survives(secure, known, two, lambda replica: replica.process.kill())
            print(f"ok      {name}: none of 200 calls failed when a replica was killed")
            third.process.kill()
            third.process.wait()
            refused(lambda **more: stub.ScoreFindings(request("slump_test"), **more), grpc.StatusCode.UNAVAILABLE, metadata=known)
            print(f"ok      {name}: says UNAVAILABLE when no replica is left")
            callers = {line["caller"] for replica in three for line in replica.lines()}
            assert callers == {"clinic-4"}, callers
            print(f"ok      {name}: the audit logs name the caller, not the proxy")


for proxy in sys.argv[1:] or ("nginx", "haproxy"):
    behind(proxy, {"nginx": nginx, "haproxy": haproxy}[proxy])
