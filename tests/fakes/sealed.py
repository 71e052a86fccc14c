"""A key file and a configuration with an encrypted token, for tests of encrypted settings."""

from __future__ import annotations

from pathlib import Path

from collector.config import keyfile
from collector.config.ciphertext import Key, encrypt, new_key

TOKEN = "inputs.pod.credentials.token"

TEMPLATE = """\
# The collector of acme.
globals: {{id: "1", name: acme, secrets: {{key_file: key}}}}   # a comment
outputs:
  screen: {{type: console}}
  lake:
    type: http
    config: {{secure: true, url: '{url}',   headers: {{Authorization: "{header}"}}}}
inputs:
  pod:
    type: proofpoint_pod
    credentials:
      secure: true
      cluster_id: acme_hosted
      token: {token}    # bound to this line's path
    services: {{message: {{}}}}
"""

PLAIN = {
    TOKEN: "c4n4ry-token",
    "outputs.lake.config.url": "https://lake.example.com/c4n4ry-url",
    "outputs.lake.config.headers.Authorization": "Bearer c4n4ry-header",
}


def key_file(folder: Path, *keys: Key) -> Path:
    """A key file with these keys, or a new one."""
    first, *others = keys or (new_key(),)
    path = folder / "key"
    keyfile.create(path, first)
    for each in others:
        keyfile.add(path, each)
    return path


def ciphertexts(key: Key) -> dict[str, str]:
    """The secrets of the template encrypted for where they stand, by path."""
    return {path: encrypt(key, path, secret) for path, secret in PLAIN.items()}


def configuration(folder: Path, texts: dict[str, str]) -> Path:
    """The template with these texts for its secrets, by path."""
    path = folder / "config.yaml"
    names = {each: each.rpartition(".")[2] for each in PLAIN}
    names["outputs.lake.config.headers.Authorization"] = "header"
    path.write_text(TEMPLATE.format(**{names[each]: text for each, text in texts.items()}))
    return path
