"""Replicas by the configuration of deploy/systemd, on free ports of this machine, and channels to them."""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

import grpc
import jwt

WORK = pathlib.Path(os.environ["WORK"])
CERTIFICATES = WORK / "certificates"
NAME = "heel-origin.hospital.example"
SERVICE_CONFIG = pathlib.Path("deploy/grpc/service-config.json").read_text()


def configuration():
    """The shipped configuration, with its files where they lie here."""
    shipped = pathlib.Path("deploy/systemd/heel-origin.toml").read_text()
    path = WORK / "live.toml"
    path.write_text(shipped.replace("/etc/heel-origin", str(CERTIFICATES)))
    return path


def token(subject):
    """A token of the issuer whom the shipped configuration names."""
    key = (CERTIFICATES / "issuer.key").read_bytes()
    claims = {"iss": "https://login.hospital.example", "aud": "heel-origin", "sub": subject, "exp": time.time() + 3600}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "one"})


def credentials(caller=None):
    """TLS to a server that our authority vouches for; with a caller's certificate where one is named."""
    read = lambda name: (CERTIFICATES / name).read_bytes()
    own = (read(f"{caller}.key"), read(f"{caller}.crt")) if caller else (None, None)
    return grpc.ssl_channel_credentials(read("ca.crt"), *own)


def channel(addresses, caller=None, config=SERVICE_CONFIG):
    """A channel with the shipped service config."""
    options = [("grpc.service_config", config), ("grpc.ssl_target_name_override", NAME),
               ("grpc.default_authority", NAME)]
    return grpc.secure_channel("ipv4:" + ",".join(addresses), credentials(caller), options)


class Replica:
    """A running server."""

    def __init__(self, number):
        variables = {
            "HEELORIGIN__SERVER__LISTEN": "127.0.0.1:0",
            "HEELORIGIN__ADMIN__LISTEN": "127.0.0.1:0",
            "HEELORIGIN__AUDIT__LOG": str(WORK / f"audit-{number}.jsonl"),
            "HEELORIGIN__RELOAD__CHECK_MS": "200",
        }
        self.audit = pathlib.Path(variables["HEELORIGIN__AUDIT__LOG"])
        self.audit.unlink(missing_ok=True)
        with open(WORK / f"replica-{number}.log", "w") as log:
            command = [os.environ["HEEL_ORIGIN"], "serve", "--config", str(configuration())]
            self.process = subprocess.Popen(
                command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=log, text=True)
        said = [self.process.stdout.readline().split()[-1:] for _ in range(2)]
        assert all(said), (WORK / f"replica-{number}.log").read_text()
        (self.address,), (self.admin,) = said

    def ask(self, path):
        """Status and text of the admin port."""
        try:
            with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def scored(self):
        """ScoreFindings that were answered with OK."""
        wanted = 'heelorigin_requests_total{method="/heelorigin.v1.ScoringService/ScoreFindings",code="OK"} '
        lines = [line for line in self.ask("/metrics")[1].splitlines() if line.startswith(wanted)]
        return sum(int(line.split()[-1]) for line in lines)

    def lines(self):
        """What stands in the audit log."""
        return [json.loads(line) for line in self.audit.read_text().splitlines()]

    def end(self):
        """Ends it in order, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def wait_for(what, condition, seconds=20):
    """Waits until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not in {seconds} s: {what}"
        time.sleep(0.05)
