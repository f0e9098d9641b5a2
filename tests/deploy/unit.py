"""What systemd-analyze does not know of the unit: that it fits its configuration."""

import configparser
import pathlib
import tomllib

unit = configparser.RawConfigParser(strict=False)
unit.optionxform = str
unit.read("deploy/systemd/heel-origin.service")
service = unit["Service"]
told = tomllib.loads(pathlib.Path("deploy/systemd/heel-origin.toml").read_text())

needed = told["server"]["lame_duck_ms"] + told["server"]["shutdown_grace_ms"]
assert int(service["TimeoutStopSec"]) * 1000 > needed
assert service["User"] == service["Group"] == "heel-origin"
assert service["ExecStart"].split()[1:] == ["serve", "--config", "/etc/heel-origin/heel-origin.toml"]
assert service["ExecReload"].startswith("/bin/kill -HUP ")
# Nothing can be written but the folder of the audit log.
assert service["ProtectSystem"] == "strict" and service["LogsDirectory"] == "heel-origin"
assert told["audit"]["log"].startswith("/var/log/heel-origin/")
assert not {"ReadWritePaths", "StateDirectory", "CacheDirectory"} & set(service)
print("ok      systemd: the unit leaves its configuration the time and the folder it needs")
