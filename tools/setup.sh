#!/bin/sh
# Creates the environments for the Makefile. If something is missing, it prints one sentence that says what.
#
#   sh tools/setup.sh dev        .venv                   checks, tests, playground, and the package itself (editable)
#   sh tools/setup.sh sam        .local/envs/sam         SAM CLI and cfn-lint
#   sh tools/setup.sh emulator   .local/envs/emulator    the local AWS
#   sh tools/setup.sh intents    .local/envs/intents     what the matcher of intents is compared with
#   sh tools/setup.sh contract   .local/envs/contract    what drives the HTTP channel from its OpenAPI document
#   sh tools/setup.sh py313      .local/envs/py313       like dev, on Python 3.13, the runtime in production
#   sh tools/setup.sh lock       pins the newest versions (needs dev)
#   sh tools/setup.sh bot        pins the packages of the bot's folder; of the package UPGRADE, the newest version
#
# An environment is created again only if its pins, its interpreter or its path has changed. All packages are pinned
# with hashes in the lock files.
set -eu
cd "$(dirname "$0")/.."
HERE=$(pwd)
UV="$HERE/.venv/bin/uv"
BOT=${PARLEY_BOT:-mybot}
LAYER=layers/dependencies/requirements.txt
TOKENS=layers/tokens/requirements.txt
export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_PROGRESS=1 PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1
unset UV_PROJECT_ENVIRONMENT VIRTUAL_ENV PYTHONHOME PYTHONPATH UV_EXCLUDE_NEWER UV_OFFLINE

die() {
    echo "error: $*" >&2
    exit 1
}

note() { echo "setup: $*" >&2; }

# If the home directory is not writable, the cache of uv is in the repository.
if ! mkdir -p "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv" 2>/dev/null && [ -z "${UV_CACHE_DIR:-}" ]; then
    export UV_CACHE_DIR="$HERE/.local/cache/uv"
fi

# `make` puts .venv first on the PATH. An environment that is to be replaced cannot be the Python that replaces it.
PATH=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vFx "$HERE/.venv/bin" | paste -sd: -)

runs() { "$1" -c "import sys; sys.exit(not ($2))" >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        runs "$PYTHON" "sys.version_info >= (3, 11)" || die "PYTHON=$PYTHON is not Python 3.11 or newer"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        if runs "$candidate" "sys.version_info >= (3, 11)"; then
            echo "$candidate"
            return
        fi
    done
    die "Parley needs Python 3.11 or newer, and there is none on the PATH (found: $(python3 -V 2>&1 || true))." \
        "Install one, or name it: make setup PYTHON=/path/to/python3"
}

find_python313() {
    for candidate in python3.13 "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/3.13*/bin/python3.13 \
        "$("$UV" python find --no-python-downloads --no-project 3.13 2>/dev/null || true)"; do
        if [ -n "$candidate" ] && runs "$candidate" "sys.version_info[:2] == (3, 13)"; then
            echo "$candidate"
            return
        fi
    done
}

# An environment is created again for another interpreter or path. For other pins its packages are updated in place:
# this is faster and does not disturb programs that use it.
base() { # python
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' && echo "$HERE"
}

based_on() { # directory python
    [ -f "$1/.base" ] && [ "$(base "$1/bin/python" 2>/dev/null)" = "$(cat "$1/.base")" ] &&
        [ "$(base "$2")" = "$(cat "$1/.base")" ]
}

# The inputs of an environment: its pins, its interpreter, its path.
fingerprint() { # python lockfile...
    python=$1
    shift
    { cat "$@" tools/setup.sh && base "$python"; } | cksum
}

current() { # directory lockfile...
    directory=$1
    shift
    [ -x "$directory/bin/python" ] && [ -f "$directory/.fingerprint" ] &&
        [ "$(fingerprint "$directory/bin/python" "$@" 2>/dev/null)" = "$(cat "$directory/.fingerprint")" ]
}

finish() { # directory lockfile...
    directory=$1
    shift
    fingerprint "$directory/bin/python" "$@" >"$directory/.fingerprint.new"
    mv "$directory/.fingerprint.new" "$directory/.fingerprint"
}

sync() { # directory lockfile
    "$UV" pip sync --quiet --python "$1/bin/python" --require-hashes --compile-bytecode "$2" ||
        die "the packages of $2 could not be installed into $1 (see above). Is the package index reachable?"
}

# The package itself, editable. Its build backend is in the lock file, so this needs no network.
install_parley() { # directory
    "$UV" pip install --quiet --python "$1/bin/python" --no-deps --no-build-isolation --editable . ||
        die "the package could not be installed into $1 (see above)"
}

# The packages of the bot, in the versions that are deployed. Those of the layer are there already.
install_bot() { # directory
    if [ ! -f "$BOT/requirements.txt" ]; then return; fi
    "$UV" pip install --quiet --python "$1/bin/python" --no-deps --require-hashes --compile-bytecode \
        -r "$BOT/requirements.txt" || die "the packages of $BOT/requirements.txt could not be installed into $1 (see above)"
}

make_dev() {
    if [ -L .venv ]; then return; fi # the environment of another checkout; it is used as it is
    set -- requirements/bootstrap.txt requirements/dev.txt pyproject.toml
    if [ -f "$BOT/requirements.txt" ]; then set -- "$@" "$BOT/requirements.txt"; fi
    if [ -z "${PYTHON:-}" ] && current .venv "$@"; then return; fi
    python=$(find_python)
    if current .venv "$@" && [ "$(fingerprint "$python" "$@")" = "$(cat .venv/.fingerprint)" ]; then return; fi
    if based_on .venv "$python" && "$UV" --version >/dev/null 2>&1; then
        note "updating .venv"
    else
        note "creating .venv with $("$python" -V 2>&1)"
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            die "$python cannot create virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
        "$python" -m venv --clear .venv || die "$python could not create a virtual environment in .venv (see above)"
        .venv/bin/python -m pip install --quiet --no-input --require-hashes -r requirements/bootstrap.txt ||
            die "uv could not be installed (see above). Is the package index reachable?"
        base "$python" >.venv/.base
    fi
    sync .venv requirements/dev.txt
    install_parley .venv
    install_bot .venv
    finish .venv "$@"
}

make_env() { # name python lockfile
    # With the requested interpreter: layers are built for the one of .venv, and the emulator runs them with its own.
    if current ".local/envs/$1" "$3" && based_on ".local/envs/$1" "$2"; then return; fi
    if based_on ".local/envs/$1" "$2"; then
        note "updating .local/envs/$1"
    else
        note "creating .local/envs/$1"
        rm -rf ".local/envs/$1"
        "$UV" venv --quiet --no-project --python "$2" ".local/envs/$1" ||
            die "uv could not create a virtual environment in .local/envs/$1 (see above)"
        base "$2" >".local/envs/$1/.base"
    fi
    sync ".local/envs/$1" "$3"
    if [ "$3" = requirements/dev.txt ]; then install_parley ".local/envs/$1"; fi
    finish ".local/envs/$1" "$3"
}

# Python 3.13 is optional, so a missing one is searched for again each time.
make_py313() {
    if current .local/envs/py313 requirements/dev.txt; then return; fi
    if runs .venv/bin/python "sys.version_info[:2] == (3, 13)"; then return; fi
    python=$(find_python313)
    if [ -n "$python" ]; then make_env py313 "$python" requirements/dev.txt; fi
}

compile="$UV pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-config"

# Pinned packages keep their versions. The packages of the layer keep theirs too, and are left out.
pin_bot() {
    if [ ! -f "$BOT/requirements.in" ]; then return; fi
    $compile "$BOT/requirements.in" -o "$BOT/requirements.txt" --only-binary :all: -c "$LAYER" \
        $(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' "$LAYER") ${UPGRADE:+--upgrade-package "$UPGRADE"}
}

lock() {
    compile="$compile --upgrade"
    $compile requirements/bootstrap.in -o requirements/bootstrap.txt
    $compile pyproject.toml -o "$LAYER"
    $compile layers/tokens/requirements.in -c "$LAYER" -o "$TOKENS"
    $compile pyproject.toml layers/tokens/requirements.in --extra cli --group dev --group playground --group connectors \
        -c "$LAYER" -c "$TOKENS" -o requirements/dev.txt
    $compile pyproject.toml layers/tokens/requirements.in --group connectors -c "$LAYER" -c "$TOKENS" \
        -o requirements/connectors.txt
    $compile requirements/sam.in -o requirements/sam.txt
    $compile requirements/emulator.in -o requirements/emulator.txt
    $compile requirements/intents.in -c "$LAYER" -o requirements/intents.txt
    $compile requirements/contract.in -o requirements/contract.txt
    if grep -nE '[a-z]+://' requirements/*.txt "$LAYER" "$TOKENS"; then
        die "a lock file names a host (see above)"
    fi
}

for step in "$@"; do
    case $step in
    dev) make_dev ;;
    sam) make_env sam .venv/bin/python requirements/sam.txt ;;
    emulator) make_env emulator .venv/bin/python requirements/emulator.txt ;;
    intents) make_env intents .venv/bin/python requirements/intents.txt ;;
    contract) make_env contract .venv/bin/python requirements/contract.txt ;;
    py313) make_py313 ;;
    lock) lock ;;
    bot) pin_bot ;;
    *) die "unknown step: $step" ;;
    esac
done
