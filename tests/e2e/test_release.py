"""What is released: the metadata, what a wheel and an sdist hold, and that both install and run."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest

from lorsync import __version__, __version_date__
from tests import ROOT

EPOCH = "1577836800"


def test_the_version_stands_in_one_place() -> None:
    assert distribution("lorsync").version == __version__
    named = [
        path.relative_to(ROOT)
        for path in [*ROOT.glob("*.toml"), *(ROOT / "lorsync").rglob("*.py")]
        if f'"{__version__}"' in path.read_text("utf-8")
    ]
    assert [str(path) for path in named] == ["lorsync/__init__.py"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", __version_date__)


def test_the_changelog_is_ready_for_the_next_version() -> None:
    headings = re.findall(r"(?m)^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert headings[0] == "Unreleased"
    for heading in headings[1:]:
        assert re.fullmatch(r"\d+\.\d+\.\d+ \(20\d\d-\d\d-\d\d\)", heading)


def built(folder: Path, source: Path, mask: int = 0o022) -> dict[str, Path]:
    """Build wheel and sdist of a source tree."""
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, source],
        env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True, text=True, timeout=300, check=False, umask=mask,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    source = checkout(tmp_path_factory.mktemp("one") / "lorsync")
    return built(tmp_path_factory.mktemp("dist"), source)


def checkout(folder: Path) -> Path:
    """Copy what belongs to the project, as a clone would."""
    unwanted = shutil.ignore_patterns(
        ".git", ".venv*", ".test-venvs", "dist", "__pycache__", ".*_cache", ".hypothesis", ".run"
    )
    return Path(shutil.copytree(ROOT, folder, ignore=unwanted))


@pytest.mark.long
@pytest.mark.needs("build")
@pytest.mark.timeout(900)
def test_the_same_source_gives_the_same_bytes(made: dict[str, Path], tmp_path: Path) -> None:
    """In another folder, at another time, with other rights on the files."""
    again = built(tmp_path / "dist", checkout(tmp_path / "another place"), mask=0o077)
    assert {name: digest(path) for name, path in made.items()} == {
        name: digest(path) for name, path in again.items()
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.long
@pytest.mark.needs("build", "twine")
def test_the_archives_hold_what_they_need_and_nothing_else(made: dict[str, Path]) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *made.values()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    with zipfile.ZipFile(made[".whl"]) as wheel:
        names = wheel.namelist()
        (metadata,) = [name for name in names if name.endswith("/METADATA")]
        told: Message = Parser().parsestr(wheel.read(metadata).decode())
    assert "lorsync/py.typed" in names
    assert any(name.endswith("/share/man/man1/lorsync.1") for name in names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lorsync"}
    assert told["License-Expression"] == "MIT"
    assert told["Requires-Python"] == ">=3.11"
    assert len(told.get_all("Classifier")) > 8
    assert told.get_payload().startswith("# lorsync\n")
    with tarfile.open(made[".gz"]) as sdist:
        inside = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {
        "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "config.example.toml",
        "docs/lorsync.1", "docs/config.md", "tests/e2e/test_release.py", "tools/test-wheel",
        "systemd/lorsync.service",
    }  # fmt: skip
    assert wanted <= inside
    assert not [name for name in inside if "node_modules" in name or name.startswith(".venv")]


@pytest.mark.long
@pytest.mark.needs("build")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("suffix", [".whl", ".gz"])
def test_it_installs_into_an_empty_environment_and_runs(
    made: dict[str, Path], tmp_path: Path, suffix: str
) -> None:
    venv, home = tmp_path / "venv", tmp_path / "home"
    home.mkdir()
    base = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}

    def does(*arguments: str | Path, **environment: str) -> str:
        done = subprocess.run(
            arguments, env=base | environment, cwd=home,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    does(sys.executable, "-m", "venv", venv)
    config = Path.home() / ".config" / "pip" / "pip.conf"
    if config.exists():
        pip.setdefault("PIP_CONFIG_FILE", str(config))
    does(venv / "bin" / "pip", "install", "--quiet", f"{made[suffix]}[local]", **pip)
    lorsync = venv / "bin" / "lorsync"
    example = home / "config.toml"
    shutil.copy(ROOT / "config.example.toml", example)
    assert does(lorsync, "--version") == f"lorsync {__version__}\n"
    assert "is fine" in does(lorsync, "-c", example, "check")
    assert "created" in does(lorsync, "-c", example, "sync")
    assert "Nothing to write" in does(lorsync, "-c", example, "sync")
    assert does(venv / "bin" / "python", "-c", "import lorsync, sys; print(lorsync.__version__)")
    assert (venv / "share" / "man" / "man1" / "lorsync.1").exists()
