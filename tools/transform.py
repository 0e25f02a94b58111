"""Shows that production can be deployed: `sam build`, `sam package`, SAM's transform, and cfn-lint for each region.

    python -m tools.transform us-east-1 cn-north-1

With the parameters of samconfig's `prod`, as `sam deploy --config-env prod` takes them. An emulator's S3 holds the
packages meanwhile. cfn-lint checks the template that CloudFormation would get: .local/prod/<region>.json.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.local import emulator, ports, processes
from tools.local.aws import Aws
from tools.local.errors import StackError
from tools.local.paths import EMULATOR_PYTHON, ENVS, ROOT, SAM, Paths
from tools.local.progress import Progress
from tools.samconfig import parameter_overrides

_PROD = ROOT / ".local" / "prod"
_BUCKET = "parley-packages"
_LINT = ENVS / "sam" / "bin" / "cfn-lint"


def main(regions: Sequence[str]) -> int:
    """Build, package, transform and lint; one sentence and status 1 where a step fails."""
    try:
        _transform(regions)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _transform(regions: Sequence[str]) -> None:
    say = Progress()
    say("sam build --config-env prod")
    _PROD.mkdir(parents=True, exist_ok=True)
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    base = {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": regions[0]}
    _run([SAM, "build", "--config-env", "prod", "--build-dir", _PROD / "build"], base)
    say("sam package --config-env prod")
    packaged = _PROD / "packaged.yaml"
    with _emulator() as aws:
        aws.client("s3").create_bucket(Bucket=_BUCKET)
        # SAM looks for samconfig.toml beside the template that it is given.
        config = ["--config-env", "prod", "--config-file", ROOT / "samconfig.toml"]
        places = ["--template-file", _PROD / "build" / "template.yaml", "--output-template-file", packaged]
        _run([SAM, "package", *config, "--s3-bucket", _BUCKET, *places], {**base, **aws.environment()})
        # The nested templates have the address of the emulator. cfn-lint would take it for a file of this machine.
        stored = f"{aws.endpoint}/{_BUCKET}/"
        packaged.write_text(
            packaged.read_text("utf-8").replace(stored, f"https://{_BUCKET}.s3.amazonaws.com/"), "utf-8"
        )
    for region in regions:
        say(f"transform and cfn-lint for {region}")
        environment = {**base, "AWS_DEFAULT_REGION": region}
        command = [EMULATOR_PYTHON, ROOT / "tools" / "sam_transform.py", *parameter_overrides("prod")]
        target = _PROD / f"{region}.json"
        target.write_bytes(_run(command, environment, packaged.read_bytes()))
        # The transforms have put values in place of parameters and mappings: W2001 and W7001 find them unused, and
        # W1020 finds texts without variables. E2530 finds SnapStart in China, and does not see that its condition is
        # false there; test_transformed.py tests that.
        ignored = ("E2530", "W1020", "W2001", "W7001")
        _run([_LINT, "--ignore-checks", *ignored, "--regions", region, "--", target], environment)
    say(f"accepted in {', '.join(regions)}")


@contextmanager
def _emulator() -> Iterator[Aws]:
    paths = Paths.of(_PROD / "emulator")
    port = ports.choose("PARLEY_AWS_PORT", 4566, "the local AWS")
    pid = emulator.start(paths, port, iam=False)
    try:
        aws = Aws(port.url)
        emulator.wait(paths, pid, aws.endpoint)
        yield aws
    finally:
        processes.end([pid], paths.directory)


def _run(command: Sequence[str | Path], environment: Mapping[str, str], given: bytes = b"") -> bytes:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, input=given, capture_output=True, check=False
    )
    if done.returncode:
        output = (done.stdout + done.stderr).decode(errors="replace")
        raise StackError(f"`{Path(command[0]).name} {command[1]}` failed:\n{output[-4000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["us-east-1"]))
