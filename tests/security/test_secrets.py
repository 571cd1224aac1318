import subprocess
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
# Detectors of what has a form of its own. Those that guess by randomness find every checksum instead.
DETECTORS = (
    "AWSKeyDetector",
    "BasicAuthDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "JwtTokenDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SlackDetector",
    "TelegramBotTokenDetector",
)


def secrets_in(files: list[Path]) -> list[str]:
    """Return where something stands that looks like a secret, as `file:line: kind`."""
    collection = SecretsCollection(root=str(ROOT))
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        for file in files:
            collection.scan_file(str(file))
    return sorted(f"{name}:{secret.line_number}: {secret.type}" for name, secret in collection)


def test_no_secret_is_in_the_repository() -> None:
    """Tokens that tests make up are marked, each in its line."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert len(files) > 100
    assert secrets_in(files) == []


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    """A token of Telegram's form, as somebody would paste it into the example."""
    file = tmp_path / "config.yaml"
    file.write_text("token: 110201543" + ":AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8\n")
    (found,) = secrets_in([file])
    assert found.endswith(":1: Telegram Bot Token")
