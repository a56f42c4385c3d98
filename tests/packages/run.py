#!/usr/bin/env python3
"""Builds every package as a release would, installs each in an empty folder, and runs examples/01 from there.

    python tests/packages/run.py [--profile dev|dist] [--sdist] [wheel|sdist|npm|go|crate ...]

Every package must hold LICENSE and the NOTICE of the shipped models, and say of itself what an index shows.
Wheel and npm tarballs are installed and run with cargo, rustc and every C compiler out of reach; the Go modules,
served from a file proxy as a release would serve them, with cargo and rustc out of reach. The sdist and the crate are
sources: the crate is built, the sdist only with --sdist or in `dist`, as that compiles everything once more. `dev`
(the default) uses unoptimised libraries: quick, and sizes are only printed. `dist` is what a release ships, a wheel
for manylinux2014 by way of zig; it costs many minutes (LTO, for two glibcs), and wheel and npm tarball must then
stay below 10 MB and the Go library below 25 MB.

Needs maturin for wheel and sdist and, in profile dist, ziglang (in the interpreter that runs this), and
node/node_modules for the npm tarballs. What is built stays in packages/ of the target folder. With BAROGRAPH_BUILT=1
the libraries for npm and Go are not built, but taken as they are in this profile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target")).resolve()
OUT = TARGET / "packages"
EXAMPLE = TOP / "examples" / "01-risk"
COMPILERS = ("cargo", "rustc", "cc", "gcc", "g++", "clang", "c++", "cl")
LIMIT, GO_LIMIT = 10_000_000, 25_000_000
LICENSE, NOTICE = TOP / "LICENSE", TOP / "core/src/predict/prior/NOTICE"
METADATA = ("Name: barograph\n", "Summary: ", "Keywords: ", "License-Expression: Apache-2.0", "Project-URL: Repository, ",
            "Description-Content-Type: text/markdown", "# Barograph for Python")
MODULE = "github.com/barograph/barograph/go"


def run(command: list[str | Path], cwd: Path = TOP, **more) -> str:
    """What a command prints; one that fails ends this script with what it said."""
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} in {cwd} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def path_of(folder: Path, *tools: str) -> str:
    """A PATH of nothing but these tools, in which no compiler is."""
    place = folder / "tools"
    place.mkdir()
    for tool in tools:
        found = shutil.which(tool)
        if found is None:
            sys.exit(f"packages: {tool} is missing")
        # Through a script, as some tools look beside the file that was started.
        (place / tool).write_text(f'#!/bin/sh\nexec "{os.path.realpath(found)}" "$@"\n')
        (place / tool).chmod(0o755)
    out_of_reach = [name for name in COMPILERS if name not in tools and shutil.which(name, path=str(place))]
    if out_of_reach:
        sys.exit(f"packages: {out_of_reach} can be reached")
    return str(place)


def clean(path: str, home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of this checkout or of the user counts."""
    return {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", **more}


class Packages:
    """One run: the profile, the bundled repository, and what its example must print."""

    def __init__(self, profile: str, sources: bool, folder: Path) -> None:
        self.profile, self.sources, self.folder = profile, sources or profile == "dist", folder
        self.built = TARGET / ("debug" if profile == "dev" else profile)
        fixtures = Path(run([sys.executable, TOP / "tests/fixtures/repositories.py", "--into", TARGET / "fixtures"]).strip())
        self.demo = fixtures / "demo"
        self.printed: dict[str, str] = {}
        self.failed = 0
        self.version = next(line.split('"')[1] for line in (TOP / "Cargo.toml").read_text().splitlines()
                            if line.startswith("version"))

    def size(self, file: Path, limit: int = LIMIT) -> None:
        """Prints a package's size; a release's must stay below the limit."""
        size = file.stat().st_size
        print(f"  {file.name}: {size / 1e6:.1f} MB")
        if self.profile == "dist" and size >= limit:
            print(f"  {file.name} is too large: at most {limit / 1e6:.0f} MB")
            self.failed += 1

    def holds(self, package: Path, files: dict[str, Path], says: str = "", words: tuple[str, ...] = ()) -> None:
        """A package must hold these texts, under names that end like this, and these words in the file `says`."""
        if package.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(package) as archive:
                found = {name: archive.read(name) for name in archive.namelist()}
        else:
            with tarfile.open(package) as tar:
                found = {item.name: tar.extractfile(item).read() for item in tar if item.isfile()}
        for end, original in files.items():
            if original.read_bytes() not in [text for name, text in found.items() if name.endswith(end)]:
                print(f"  {package.name}: no {end} that is {original.relative_to(TOP)}")
                self.failed += 1
        # The shortest path is the package's own, where a package holds others' too.
        described = min((name for name in found if says and name.endswith(says)), key=len, default=None)
        text = found[described].decode() if described else ""
        missing = [word for word in words if word not in text]
        if missing:
            print(f"  {package.name}: {described or says} does not say {missing}")
            self.failed += 1

    def repository(self, folder: Path) -> Path:
        """A fresh copy of the bundled repository."""
        shutil.copytree(self.demo, folder / "demo", symlinks=True)
        return folder / "demo"

    def same(self, name: str, text: str) -> None:
        """Takes what the example prints; every package must print the same."""
        self.printed[name] = text
        first = next(iter(self.printed.values()))
        if text != first or "riskier than" not in text:
            print(f"  {name} prints something else:\n{text}instead of\n{first}")
            self.failed += 1

    def room(self, name: str) -> Path:
        """An empty folder outside of the checkout."""
        room = self.folder / name
        room.mkdir()
        return room

    # --- Python ---------------------------------------------------------------------------------

    def python(self, name: str, package: Path, path: str | None, **more: str) -> None:
        """Installs a wheel or an sdist into a fresh environment and runs the example and the command."""
        room = self.room(name)
        run([sys.executable, "-m", "venv", room / "venv"])
        path = path or path_of(room, "git")
        environment = clean(path, room, **more)
        python = room / "venv/bin/python"
        run([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation", package], room, env=environment)
        shutil.copy(EXAMPLE / "main.py", room)
        self.same(name, run([python, "main.py", self.repository(room)], room, env=environment))
        answer = run([room / "venv/bin/barograph", "risk", "change", "HEAD", "--repo", room / "demo", "--format", "json"],
                     room, env=environment)
        self.probability(name, json.loads(answer))

    def probability(self, name: str, answer: dict) -> None:
        """The packaged command must give an answer too."""
        if not 0 < answer.get("probability", 0) < 1:
            print(f"  {name}: the command answers {str(answer)[:200]}")
            self.failed += 1

    def wheel(self) -> None:
        out = OUT / "wheel"
        shutil.rmtree(out, ignore_errors=True)
        # A release's wheel must load on old systems too: zig links it against the glibc of manylinux2014.
        portable = ["--zig", "--compatibility", "manylinux2014"] if self.profile == "dist" else ["--compatibility", "linux"]
        # maturin looks for zig through the first Python that it finds.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        run([sys.executable, "-m", "maturin", "build", "--quiet", "--locked", "--profile", self.profile,
             *portable, "--out", out], TOP / "python", env={**os.environ, "PATH": path})
        (wheel,) = out.glob("*.whl")
        self.size(wheel)
        self.holds(wheel, {"licenses/LICENSE": LICENSE, "licenses/NOTICE": NOTICE}, ".dist-info/METADATA", METADATA)
        self.python("wheel", wheel, None)

    def sdist(self) -> None:
        out = OUT / "sdist"
        shutil.rmtree(out, ignore_errors=True)
        run([sys.executable, "-m", "maturin", "sdist", "--out", out], TOP / "python")
        (sdist,) = out.glob("*.tar.gz")
        self.size(sdist)
        self.holds(sdist, {f"{self.version}/LICENSE": LICENSE, f"{self.version}/NOTICE": NOTICE,
                           "core/src/predict/prior/NOTICE": NOTICE}, "PKG-INFO", METADATA)
        # An sdist is built where it is installed: cargo and maturin are in reach, this checkout is not.
        room = self.room("sdist-build")
        manifest = self.unpacked(sdist, room) / "bindings/python/Cargo.toml"
        # Every member must have come along; the lock file is the workspace's, and loses what is not built here.
        run(["cargo", "metadata", "--offline", "--format-version", "1", "--manifest-path", manifest], room)
        if not self.sources:
            print("  not built: --sdist or --profile dist does")
            return
        run([sys.executable, "-m", "maturin", "build", "--quiet", "--profile", self.profile,
             "--out", room / "wheel", "--compatibility", "linux", "--manifest-path", manifest], room)
        (wheel,) = (room / "wheel").glob("*.whl")
        self.python("sdist", wheel, None)

    def unpacked(self, archive: Path, room: Path) -> Path:
        """The one folder that an archive of sources holds."""
        with tarfile.open(archive) as tar:
            tar.extractall(room / "sources", filter="data")
        # Archives carry one fixed time, with which cargo would take the sources of an earlier run for these.
        for file in (room / "sources").rglob("*"):
            file.touch()
        (folder,) = (room / "sources").iterdir()
        return folder

    # --- Node -----------------------------------------------------------------------------------

    def npm(self) -> None:
        out = OUT / "npm"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        run(["npm", "run", "--silent", "build"], TOP / "node")
        stage = self.room("npm-stage")
        platform = stage / "platform"
        shutil.copytree(TOP / "node/npm/linux-x64-gnu", platform)
        shutil.copy(self.built / "libbarograph_node.so", platform / "barograph.linux-x64-gnu.node")
        main = stage / "main"
        shutil.copytree(TOP / "node", main, ignore=shutil.ignore_patterns("node_modules", "npm", "*.node", "build"))
        archives = []
        for folder in (platform, main):
            name = run(["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", out], folder).split()[-1]
            archives.append(out / name)
            self.size(out / name)
            self.holds(out / name, {"package/LICENSE": LICENSE, "package/NOTICE": NOTICE,
                                    "package/README.md": folder / "README.md"},
                       "package/package.json", ('"description"', '"license": "Apache-2.0"', '"repository"', self.version))
        room = self.room("npm")
        path = path_of(room, "node", "npm", "npx", "git", "sh", "env")
        environment = clean(path, room, npm_config_cache=str(room / "cache"), npm_config_update_notifier="false")
        (room / "package.json").write_text('{ "name": "empty", "private": true, "type": "module" }\n')
        run(["npm", "install", "--offline", "--no-audit", "--no-fund", *archives], room, env=environment)
        # The types of the installed package must be good for a strict program too.
        shutil.copy(EXAMPLE / "main.ts", room)
        settings = json.loads((TOP / "examples/tsconfig.json").read_text())
        settings["compilerOptions"] |= {"outDir": "out", "typeRoots": [str(TOP / "node/node_modules/@types")]}
        del settings["compilerOptions"]["paths"]
        (room / "tsconfig.json").write_text(json.dumps({**settings, "include": ["main.ts"]}))
        run([TOP / "node/node_modules/.bin/tsc", "-p", room])
        self.same("npm", run(["node", "out/main.js", self.repository(room)], room, env=environment))
        (room / "old.cjs").write_text("const { open } = require('barograph');\n"
                                      "open(process.argv[2]).then((ws) => ws.risk.change()).then((risk) => console.log(risk.probability));\n")
        probability = float(run(["node", "old.cjs", room / "demo"], room, env=environment))
        answer = json.loads(run(["npx", "--no-install", "barograph", "risk", "change", "HEAD", "--repo", room / "demo",
                                 "--format", "json"], room, env=environment))
        self.probability("npm", answer)
        if answer.get("probability") != probability:
            print(f"  npm: require() gives {probability}, npx {answer.get('probability')}")
            self.failed += 1

    # --- Go -------------------------------------------------------------------------------------

    def go(self) -> None:
        run(["go/dev.sh", self.profile])
        proxy = OUT / "goproxy"
        shutil.rmtree(proxy, ignore_errors=True)
        library = TOP / "go/lib/linux_amd64/libbarograph.a"
        self.size(library, GO_LIMIT)
        tracked = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "go"]).split("\0")
        sources = [Path(name) for name in tracked if name and not name.startswith("go/lib/") and (TOP / name).is_file()]
        native = [path.relative_to(TOP) for path in (TOP / "go/lib/linux_amd64").iterdir()
                  if path.suffix in (".go", ".mod", ".a", "") and path.name != "stamp.go"]
        self.module(proxy, MODULE, Path("go"), sources)
        served = self.module(proxy, f"{MODULE}/lib/linux_amd64", Path("go/lib/linux_amd64"), native)
        self.holds(served, {"/LICENSE": LICENSE, "/NOTICE": NOTICE})
        room = self.room("go")
        # Go links the library with the C compiler; Rust is not needed.
        path = path_of(room, "go", "git", "gcc", "cc", "ld", "as", "ar", "sh")
        goroot = run(["go", "env", "GOROOT"]).strip()
        environment = clean(path, room, GOPROXY=f"file://{proxy}", GOFLAGS="-mod=mod", GONOSUMDB="*", GOSUMDB="off",
                            GOTOOLCHAIN="local", GOROOT=goroot, CGO_ENABLED="1", GOCACHE=str(TARGET / "gocache"),
                            GOMODCACHE=str(room / "modules"))
        shutil.copy(EXAMPLE / "main.go", room)
        run(["go", "mod", "init", "example.com/empty"], room, env=environment)
        run(["go", "get", f"{MODULE}@v{self.version}"], room, env=environment)
        run(["go", "build", "-o", "program", "."], room, env=environment)
        self.same("go", run([room / "program", self.repository(room)], room, env=environment))
        # The cache of modules is read-only, and could not be removed as it is.
        run(["go", "clean", "-modcache"], room, env=environment)

    def module(self, proxy: Path, name: str, root: Path, files: list[Path]) -> Path:
        """Writes one version of a module as the proxy protocol serves it, and says where its sources are."""
        place = proxy / name / "@v"
        place.mkdir(parents=True)
        version = f"v{self.version}"
        (place / "list").write_text(f"{version}\n")
        (place / f"{version}.info").write_text(json.dumps({"Version": version, "Time": "2026-01-01T00:00:00Z"}))
        shutil.copy(TOP / root / "go.mod", place / f"{version}.mod")
        with zipfile.ZipFile(place / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(TOP / file, f"{name}@{version}/{file.relative_to(root).as_posix()}")
            # Go itself adds the repository's licence to a module in a folder that has none.
            archive.write(LICENSE, f"{name}@{version}/LICENSE")
        return place / f"{version}.zip"

    # --- Rust -----------------------------------------------------------------------------------

    def crate(self) -> None:
        run(["cargo", "package", "--quiet", "-p", "barograph", "--allow-dirty", "--no-verify"])
        package = TARGET / "package" / f"barograph-{self.version}.crate"
        self.size(package)
        self.holds(package, {f"{self.version}/LICENSE": LICENSE, "prior/NOTICE": NOTICE,
                             f"{self.version}/README.md": TOP / "core/README.md"},
                   f"{self.version}/Cargo.toml",
                   ("description = ", 'license = "Apache-2.0"', "repository = ", "keywords = ", "readme = ", "categories = "))
        room = self.room("crate")
        source = self.unpacked(package, room)
        (room / "Cargo.toml").write_text(
            '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
            f'[dependencies]\nbarograph = {{ path = "{source}" }}\n\n[[bin]]\nname = "empty"\npath = "main.rs"\n\n'
            # As the workspace has it, so that what is built already serves here too.
            '[profile.dev]\ndebug = "line-tables-only"\n\n[profile.dev.package."*"]\nopt-level = 1\ndebug = false\n')
        shutil.copy(EXAMPLE / "main.rs", room)
        shutil.copy(TOP / "Cargo.lock", room)
        run(["cargo", "build", "--quiet"], room)
        self.same("crate", run([TARGET / "debug" / "empty", self.repository(room)], room, env=clean("/nowhere", room)))


KINDS = {"wheel": Packages.wheel, "sdist": Packages.sdist, "npm": Packages.npm, "go": Packages.go, "crate": Packages.crate}


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds, installs and runs every package.")
    parser.add_argument("--profile", choices=["dev", "dist"], default="dev", help="dist: as a release, minutes to build")
    parser.add_argument("--sdist", action="store_true", help="builds the sdist in profile dev too, which compiles everything once more")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; default all")
    options = parser.parse_args()
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    kinds = options.kinds or list(KINDS)
    # Steps run in several folders.
    os.environ["CARGO_TARGET_DIR"] = str(TARGET)
    if {"npm", "go"} & set(kinds) and not os.environ.get("BAROGRAPH_BUILT"):
        # In one selection, so that features unify once and nothing is built twice.
        run(["cargo", "build", "--quiet", "--locked", "--profile", options.profile, "-p", "barograph-node", "-p", "barograph-go"])
    os.environ["BAROGRAPH_BUILT"] = "1"
    with tempfile.TemporaryDirectory(prefix="barograph-packages-") as folder:
        packages = Packages(options.profile, options.sdist, Path(folder))
        for kind in kinds:
            print(f"--- {kind}", flush=True)
            KINDS[kind](packages)
    print(next(iter(packages.printed.values()), ""), end="")
    print(f"packages: {len(kinds)} kinds installed and run, {packages.failed} failed")
    return 1 if packages.failed else 0


if __name__ == "__main__":
    sys.exit(main())
