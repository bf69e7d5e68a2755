"""What systemd is told: one unit that keeps the fleet behind its front, one that brings a version out.

Pure: facts in, unit files out. The deploy is the very one of a laptop: it wishes, the kept fleet does, R4 judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Both run as the app's own user, and reach its state and nothing else of the machine's.
_HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
"""


@dataclass(frozen=True, kw_only=True)
class Host:
    """Where the app lies on a host: its folder, the Python that runs it, the port of its front."""

    app: str  # of the units, of the user and of what is below /etc and /var/lib
    title: str
    folder: Path
    python: str
    port: int

    @property
    def environment(self) -> str:
        """The file with the SHIPWORTHY_… variables of the installation; root's, mode 0600."""
        return f"/etc/{self.app}/environment"

    @property
    def state(self) -> str:
        return f"/var/lib/{self.app}"


def units_of(host: Host) -> dict[str, str]:
    """Return the unit files by their names."""
    return {f"{host.app}.service": _fleet(host), f"{host.app}-deploy.service": _deploy(host)}


def _fleet(host: Host) -> str:
    return f"""\
# {_line(host.title)}: web and worker of the release that was deployed last, behind a front on 127.0.0.1:{host.port}.
[Unit]
Description={_line(host.title)}
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Type=exec
{_place(host)}\
ExecStart={_word(host.python)} -m shipworthy serve --deployable --port {host.port}
Restart=on-failure
RestartSec=2
# It ends its processes in order; what is left after that is ended with it.
KillMode=mixed
TimeoutStopSec=60

{_HARDENED}
[Install]
WantedBy=multi-user.target
"""


def _deploy(host: Host) -> str:
    return f"""\
# Brings the version in {_line(str(host.folder))} out: systemctl start {host.app}-deploy. It goes back by itself.
# Its options ("--python /srv/next/bin/python", say) go into DEPLOY_OPTIONS in /etc/{host.app}/deploy.
[Unit]
Description={_line(host.title)}: bring a version out
Requires={host.app}.service
After={host.app}.service

[Service]
Type=oneshot
{_place(host)}\
Environment=DEPLOY_OPTIONS=
EnvironmentFile=-/etc/{host.app}/deploy
ExecStart={_word(host.python)} -m shipworthy deploy --state {host.state} $DEPLOY_OPTIONS
# A deploy ends when it is decided; stopped, it takes the version back in order.
TimeoutStartSec=infinity
KillSignal=SIGINT
TimeoutStopSec=60

{_HARDENED}"""


def _place(host: Host) -> str:
    return f"""\
User={host.app}
Group={host.app}
WorkingDirectory={_line(str(host.folder))}
StateDirectory={host.app}
StateDirectoryMode=0711
Environment=SHIPWORTHY_STATE={host.state} PYTHONUNBUFFERED=1
EnvironmentFile={host.environment}
"""


def _line(text: str) -> str:
    """Text in a unit file: a percent sign begins a specifier there, and a line ends a setting."""
    return " ".join(text.split()).replace("%", "%%")


def _word(text: str) -> str:
    """One word of a command line."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != text or " " in text else text
