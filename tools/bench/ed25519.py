"""Compares the libraries that can verify Discord's signatures: `python -m tools.bench.ed25519`.

Prints for each library: the size that it adds to the layer; the import of AES, which every callback function needs; the
import of AES and the verifier, which the Discord function needs; and the time of one verification. Imports are measured
with byte code and without. Each process sees only the library and pycryptodome, because other packages change the
result: pycryptodome loads its C libraries through cffi if cffi is installed. `docs/decisions/ed25519.md` holds the
figures.
"""

import argparse
import platform
import shutil
import statistics
import tempfile
from pathlib import Path

from tools.bench import timing, views
from tools.bench.timing import Start

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
"""By library. Each defines `verify()`, which raises if the signature is not valid."""
VECTOR = """
key = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
message = bytes.fromhex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
signature = bytes.fromhex("dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
                          "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")
"""
"""RFC 8032, section 7.1, TEST SHA(abc)."""
_CALLS = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.ed25519", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="fresh processes per figure (default 15)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers = {library: views.with_needs(folder, *{"pycryptodome", library.lower()}) for library in VERIFIERS}
        found = timing.starts([start for library, layer in layers.items() for start in _starts(library, layer)], runs)
        sizes = {library: _size(layer.with_name(f"{layer.name}-bare")) for library, layer in layers.items()}
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of CPU time in {runs} fresh processes")
    print("                        AES import, ms       AES + verifier, ms    one verification,")
    print("library      adds MiB   .pyc   no .pyc       .pyc   no .pyc                    us")
    for library in VERIFIERS:
        figures = [statistics.median(found[f"{library}: {case}"]) for case in _CASES]
        added = (sizes[library] - sizes["pycryptodome"]) / 2**20
        aes, aes_cold, both, both_cold, calls = figures
        verification = calls * 1000 / _CALLS
        print(
            f"{library:13s}{added:8.1f} {aes:6.0f} {aes_cold:9.0f} {both:10.0f} {both_cold:9.0f} {verification:21.0f}"
        )


_CASES = ("AES", "AES without byte code", "both", "both without byte code", "verifications")


def _starts(library: str, layer: Path) -> list[Start]:
    """The measurements of one library, in the order of `_CASES`."""
    bare = _without_byte_code(layer)
    both = f"{AES}{VECTOR}{VERIFIERS[library]}"
    return [
        Start(f"{library}: AES", AES, (layer,)),
        Start(f"{library}: AES without byte code", AES, (bare,), options=("-B",)),
        Start(f"{library}: both", both, (layer,)),
        Start(f"{library}: both without byte code", both, (bare,), options=("-B",)),
        Start(f"{library}: verifications", f"for _ in range({_CALLS}): verify()", (layer,), before=both),
    ]


def _without_byte_code(layer: Path) -> Path:
    """A copy of `layer` without byte code."""
    bare = layer.with_name(f"{layer.name}-bare")
    shutil.copytree(layer, bare, ignore=shutil.ignore_patterns("__pycache__"))
    return bare


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()
