"""The bill of materials of the program: bill.py FILE writes it in CycloneDX 1.5 by cargo-cyclonedx, puts it right and checks it.

cargo-cyclonedx reads `cargo metadata`, which also lists crates that an optional feature would want and that are never built. They are
taken out by `cargo tree`, which lists what is built; a bill that names what is not there is as wrong as one that leaves something out.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

TARGET = "x86_64-unknown-linux-gnu"
place = pathlib.Path(sys.argv[1])


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def tree(edges):
    """Name and version of every crate that such edges lead to."""
    lines = output("cargo", "tree", "--locked", "--target", TARGET, "--edges", edges, "--prefix", "none", "--format", "{p}")
    crates = {tuple(line.split()[:2]) for line in lines.splitlines()}
    return {(name, version.removeprefix("v")) for name, version in crates if name != "heel-origin"}


def written():
    """What cargo-cyclonedx writes. It lies beside Cargo.toml first, where it does not stay."""
    lock = pathlib.Path("Cargo.lock").read_bytes()
    time = os.environ.get("SOURCE_DATE_EPOCH") or output("git", "log", "-1", "--format=%ct").strip()
    subprocess.run(
        ["cargo", "cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--target", TARGET,
         "--override-filename", "heel-origin.cdx"],
        check=True, env={**os.environ, "SOURCE_DATE_EPOCH": time})
    beside = pathlib.Path("heel-origin.cdx.json")
    text = beside.read_text()
    beside.unlink()
    assert pathlib.Path("Cargo.lock").read_bytes() == lock, "the lock file was changed"
    # The folder that it was made in is nobody's business, and would make every bill another.
    return json.loads(text.replace(f"path+file://{pathlib.Path.cwd()}#", "path+file:///source#"))


def put_right(bill, built, shipped):
    """Leaves what is built, and tells what only builds (`excluded`) from what is part of the program (`required`)."""
    key = lambda component: (component["name"], component["version"])
    gone = {one["bom-ref"] for one in bill["components"] if key(one) not in built}
    bill["components"] = [one for one in bill["components"] if one["bom-ref"] not in gone]
    for one in bill["components"]:
        one["scope"] = "required" if key(one) in shipped else "excluded"
    bill["dependencies"] = [one for one in bill["dependencies"] if one["ref"] not in gone]
    for one in bill["dependencies"]:
        if "dependsOn" in one:
            one["dependsOn"] = [ref for ref in one["dependsOn"] if ref not in gone]


def check(bill, built, text):
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    named = [(one["name"], one["version"]) for one in bill["components"]]
    assert len(named) == len(set(named)) and set(named) == built, set(named) ^ built
    for one in bill["components"]:
        name = f"{one['name']} {one['version']}"
        assert re.fullmatch(r"pkg:cargo/[^@]+@\S+", one.get("purl", "")), name
        assert one.get("licenses"), name
        assert [hash["alg"] for hash in one["hashes"]] == ["SHA-256"], name
    refs = {one["bom-ref"] for one in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert all(one["ref"] in refs and set(one.get("dependsOn", ())) <= refs for one in bill["dependencies"])
    assert str(pathlib.Path.cwd()) not in text
    fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    assert fault is None, fault


built, shipped = tree("normal,build"), tree("normal")
bill = written()
put_right(bill, built, shipped)
text = json.dumps(bill, indent=1) + "\n"
check(bill, built, text)
place.parent.mkdir(parents=True, exist_ok=True)
place.write_text(text)
print(f"{place}: {len(shipped)} crates in the program and {len(built - shipped)} that only build it, each with purl, licence and digest")
