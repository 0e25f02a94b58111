"""What each Ed25519 implementation would cost the Discord callback: `python tools/bench_ed25519.py`.

Every candidate gets a directory of its own with pycryptodome in it, as the dependency layer has, because a package can
slow another one down by being there (pycryptodome loads its libraries through cffi where cffi is installed). Printed
per candidate: what it adds to the layer; the import of AES alone, which every callback function pays; the import of AES
and the verifier, which Discord's pays; both with and without compiled bytecode (a layer carries none by default); and
the time of one verification. Imports are timed in fresh processes, in turns, and the median is shown.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CANDIDATES = {
    "pycryptodome": ("pycryptodome",),
    "PyNaCl": ("pycryptodome", "pynacl"),
    "cryptography": ("pycryptodome", "cryptography"),
}

AES = "from Crypto.Cipher import AES"

VERIFIERS = {
    "pycryptodome": """
from Crypto.Signature import eddsa
verifier = eddsa.new(eddsa.import_public_key(key), "rfc8032")
def verify(): verifier.verify(message, signature)
""",
    "PyNaCl": """
from nacl.signing import VerifyKey
verifier = VerifyKey(key)
def verify(): verifier.verify(message, signature)
""",
    "cryptography": """
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
verifier = Ed25519PublicKey.from_public_bytes(key)
def verify(): verifier.verify(signature, message)
""",
}
"""Each defines `verify()`, which raises unless the signature holds."""

VECTOR = """
key = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
message = bytes.fromhex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
signature = bytes.fromhex("dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
                          "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")
"""
"""RFC 8032, section 7.1, TEST SHA(abc)."""

IMPORT = """
import time
start = time.perf_counter()
{code}
print((time.perf_counter() - start) * 1e3)
"""

RATE = """
import timeit
verify()
print(min(timeit.repeat(verify, number={number}, repeat=7)) / {number} * 1e6)
"""


def main() -> None:
    """Install the candidates, measure them in turns and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="fresh processes per figure (default 15)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        places = {name: _install(Path(folder) / name, packages) for name, packages in CANDIDATES.items()}
        compiled = {name: _compiled(place) for name, place in places.items()}
        imports = _imports(places, compiled, runs)
        base = _size(places["pycryptodome"])
        print(f"Python {sys.version.split()[0]}, {runs} fresh processes per figure")
        print("                         AES import, ms       AES + verifier, ms")
        print("candidate     adds MiB   .pyc   no .pyc       .pyc   no .pyc      us/verify")
        for name, place in places.items():
            rate = float(_run(compiled[name], VECTOR + VERIFIERS[name] + RATE.format(number=200)))
            added = (_size(place) - base) / 2**20
            aes, aes_cold, both, both_cold = (statistics.median(imports[name, *case]) for case in _CASES)
            print(f"{name:13s} {added:8.1f} {aes:6.0f} {aes_cold:9.0f} {both:10.0f} {both_cold:9.0f} {rate:14.0f}")


_CASES = (("aes", True), ("aes", False), ("both", True), ("both", False))
"""(what is imported, with bytecode or without)."""


def _install(place: Path, packages: tuple[str, ...]) -> Path:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    tool = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    subprocess.run([*tool, "--quiet", "--target", str(place), *packages], check=True)
    for cache in place.rglob("__pycache__"):
        shutil.rmtree(cache)
    return place


def _compiled(place: Path) -> Path:
    copy = place.with_name(f"{place.name}-compiled")
    shutil.copytree(place, copy)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(copy)], check=True)
    return copy


def _size(place: Path) -> int:
    return sum(f.stat().st_size for f in place.rglob("*") if f.is_file())


def _imports(places: dict[str, Path], compiled: dict[str, Path], runs: int) -> dict[tuple[str, str, bool], list[float]]:
    """Milliseconds by (candidate, *case). The first round only warms the disk cache and is thrown away."""
    found: dict[tuple[str, str, bool], list[float]] = {}
    for turn in range(runs + 1):
        for name in places:
            for what, with_bytecode in _CASES:
                code = AES if what == "aes" else f"{AES}{VECTOR}{VERIFIERS[name]}"
                place = (compiled if with_bytecode else places)[name]
                taken = float(_run(place, IMPORT.format(code=code)))
                if turn:
                    found.setdefault((name, what, with_bytecode), []).append(taken)
    return found


def _run(place: Path, code: str) -> str:
    """Run `code` in a fresh process that sees the packages of `place` alone and writes no bytecode."""
    environment = {"PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ.get("PATH", "")}
    command = [sys.executable, "-S", "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
