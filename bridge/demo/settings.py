"""The demo's configuration, written as an operator would write it: `bridge.yaml` and one plan file."""

from datetime import date, timedelta
from importlib import resources
from pathlib import Path

from bridge.demo.stage import Stage
from bridge.demo.world import BILLOMAT, CSV, FIRST_DAY, SEVDESK

_CONFIG = """\
language: de
clock: {today}  # the simulated date, for a look around afterwards
data: data
creditor:
  name: Lichtblick Kommunikation GmbH
  street: Speicherstraße 7
  postcode: "20457"
  city: Hamburg
  email: buchhaltung@lichtblick.example
  phone: 040 555 0100
  iban: DE89370400440532013000
  register_entry: Amtsgericht Hamburg, HRB 000000
  managers: [Erika Beispiel]
accounts:
  {sevdesk}:
    connector: sevdesk
    federal_state: HH
    http:
      base_url: {sevdesk_url}
      auth: {{type: token, token_file: sevdesk.secret}}
      pace: 1000
  {billomat}:  # behind an OAuth gateway that keeps Billomat's own key
    connector: billomat
    federal_state: HH
    http:
      base_url: {gateway_url}
      auth:
        type: oauth2
        client_id: {client_id}
        client_secret_file: gateway.secret
        authorize_url: {auth_url}/authorize
        token_url: {auth_url}/token
      pace: 1000
  {csv}:
    connector: generic_csv
    federal_state: HH
    freshness_hours: 120
    settings: {{inbox: csv-inbox, profile: open_items, settle_seconds: 0}}
channels:
  smtp:
    host: 127.0.0.1
    port: {smtp_port}
    security: none
    sender_name: Lichtblick Kommunikation
    sender_address: buchhaltung@lichtblick.example
  letter_outbox: {{folder: data/letters}}
plans:
  files: [hausplan.yaml]
  default: hausplan
dunning:
  cutoff: {cutoff}
  max_notices_per_run: 25
  max_count_jump_percent: 60
  max_total_jump_percent: 60
"""


def write(stage: Stage, today: date) -> Path:
    """Write the configuration and its secrets into the stage's folder; return its path."""
    text = _CONFIG.format(
        today=today,
        sevdesk=SEVDESK,
        billomat=BILLOMAT,
        csv=CSV,
        sevdesk_url=stage.sevdesk.base_url,
        gateway_url=stage.gateway.base_url,
        client_id=stage.auth.client_id,
        auth_url=stage.auth.base_url,
        smtp_port=stage.smtp_port,
        cutoff=FIRST_DAY - timedelta(days=120),
    )
    secrets = {"sevdesk.secret": stage.sevdesk.token, "gateway.secret": stage.auth.client_secret or ""}
    for name, secret in secrets.items():
        path = stage.folder / name
        path.touch(mode=0o600)
        path.write_text(secret, "utf-8")
    path = stage.folder / "bridge.yaml"
    path.write_text(text, "utf-8")
    (stage.folder / "hausplan.yaml").write_text(plan("hausplan"), "utf-8")
    return path


def plan(name: str) -> str:
    """Return the shipped standard plan as the agency made it its own: it sends by itself up to the second level.

    The providers send their own reminders; for the old program, which sends nothing, we do: `email` finds the way by itself.
    """
    shipped = (resources.files("bridge.policy") / "plans" / "standard.yaml").read_text("utf-8")
    head, first, second, *rest = shipped.split("automation: propose")
    own = f"{head}automation: send{first}automation: send{second}" + "".join(
        f"automation: propose{part}" for part in rest
    )
    return own.replace("name: standard", f"name: {name}")
