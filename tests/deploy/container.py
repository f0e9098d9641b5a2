"""What hadolint does not know of the Dockerfile: whether what it names is there."""

import pathlib
import re
import tomllib

text = pathlib.Path("deploy/Dockerfile").read_text()
lines = [line for line in text.splitlines() if line and not line.startswith("#")]
manifest = tomllib.loads(pathlib.Path("Cargo.toml").read_text())
name, toolchain = manifest["package"]["name"], manifest["package"]["rust-version"]

build, final = [part.splitlines() for part in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]]
assert build[0].startswith(f"docker.io/library/rust:{toolchain}."), "the toolchain that Cargo.toml names"
commands = [line for line in lines if "cargo " in line]
assert commands and all("--locked" in line for line in commands), commands
assert "cargo build --release --locked" in commands[0]
assert f"COPY --from=build /source/target/release/{name} /{name}" in final
assert final[0].startswith("gcr.io/distroless/") and "USER 65532:65532" in final
assert f'ENTRYPOINT ["/{name}"]' in final and not any(line.startswith("RUN") for line in final)
# The build has to get all that Cargo.toml names, and not what was built outside.
ignored = pathlib.Path("deploy/Dockerfile.dockerignore").read_text().splitlines()
ignored = [line.strip("/") for line in ignored if line and not line.startswith("#")]
assert "target" in ignored
named = [one["path"] for kind in ("test", "bench") for one in manifest[kind]] + ["build.rs", "src/main.rs", "Cargo.lock"]
for path in named:
    assert pathlib.Path(path).exists(), path
    assert not any(path == one or path.startswith(f"{one}/") for one in ignored), path
ports = next(line for line in final if line.startswith("EXPOSE")).split()[1:]
for folder in ("kubernetes", "systemd"):
    told = tomllib.loads(pathlib.Path(f"deploy/{folder}/heel-origin.toml").read_text())
    assert ports == [told["server"]["listen"].split(":")[-1], told["admin"]["listen"].split(":")[-1]]
print("ok      container: the Dockerfile names what is there, and builds from the lock file")
