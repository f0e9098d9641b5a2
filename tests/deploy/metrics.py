"""Every metric and label that the alerts, their tests and the dashboard name is one that a running server prints."""

import json
import pathlib
import re
import socket

import grpc
import yaml

from heelorigin.v1 import assessment_pb2, scoring_service_pb2 as scoring, scoring_service_pb2_grpc
from replicas import CERTIFICATES, WORK, Replica, channel, wait_for

# What Prometheus itself adds.
ADDED = {"instance", "job", "le"}


def use(replica):
    """Makes every kind of series appear."""
    finding = lambda name: assessment_pb2.Finding(id=name, present=True)
    request = lambda name: scoring.ScoreFindingsRequest(assessment=assessment_pb2.Assessment(findings=[finding(name)]))
    with channel([replica.address], "practice-gateway") as secure:
        stub = scoring_service_pb2_grpc.ScoringServiceStub(secure)
        stub.ScoreFindings(request("slump_test"))
        try:
            stub.ScoreFindings(request("made_up"))
            raise AssertionError("an unknown finding was taken")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    host, port = replica.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as stranger:
        stranger.sendall(b"this is not TLS\r\n\r\n")
        stranger.recv(100)
    keys = CERTIFICATES / "token-keys.json"
    sound = keys.read_text()
    try:
        keys.write_text("{")
        wait_for("a failed reload", lambda: "heelorigin_reloads_total{" in replica.ask("/metrics")[1])
    finally:
        keys.write_text(sound)


def printed(text):
    """Names of the labels of each series."""
    series = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels = re.match(r"(\w+)(?:\{(.*)\})? ", line).groups()
            series.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return series


def dashboard():
    """Queries of the dashboard."""
    panels = json.loads(pathlib.Path("deploy/observability/grafana-dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def asked():
    """Queries of the alerts and the dashboard, and the series of the alerts' tests."""
    read = lambda name: yaml.safe_load(pathlib.Path(f"deploy/observability/{name}").read_text())
    rules = [rule["expr"] for group in read("alerts.yaml")["groups"] for rule in group["rules"]]
    tests = [one["series"] for test in read("alerts.test.yaml")["tests"] for one in test["input_series"]]
    return rules + tests + dashboard()


def unknown(query, series):
    """What a query names and the server does not print."""
    used = re.findall(r"(heelorigin_\w+)(?:\{([^}]*)\})?", query)
    faults = [name for name, _ in used if name not in series]
    for name, matchers in used:
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        faults += [f"{name}.{label}" for label in labels - series.get(name, set()) - ADDED]
    kept = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")}
    there = set().union(ADDED, *(series.get(name, set()) for name, _ in used))
    return faults + [f"by {label}" for label in kept - there]


def classic(text):
    """The older text format, in which a counter's type stands beside its full name, as promtool reads it."""
    counters = re.findall(r"# TYPE (\w+) counter", text)
    for name in counters:
        text = re.sub(rf"^# (HELP|TYPE) {name} ", rf"# \1 {name}_total ", text, flags=re.MULTILINE)
    return text.replace("# EOF\n", "")


with Replica(1) as replica:
    use(replica)
    status, text = replica.ask("/metrics")
    assert status == 200 and text.endswith("# EOF\n")
    assert replica.ask("/readyz")[0] == replica.ask("/livez")[0] == 200
series = printed(text)
faults = {query: unknown(query, series) for query in asked()}
assert not any(faults.values()), {query: fault for query, fault in faults.items() if fault}
everything = " ".join(asked())
unused = [name for name in series if re.sub("_(bucket|sum|count)$", "", name) not in everything]
assert not unused, f"nobody looks at {unused}"
(WORK / "metrics.txt").write_text(classic(text))
rules = [{"record": f"dashboard:{number}", "expr": query} for number, query in enumerate(dashboard())]
(WORK / "dashboard.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
print(f"ok      metrics: {len(faults)} queries and test series name nothing but what is printed, and all that is printed is looked at")
