# Python and the checkout's own virtual environment. Sourced by other scripts; needs say.sh and packages.sh.

# python_new_enough PYTHON : whether it is 3.11 or later.
python_new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# python_makes_environments PYTHON : whether it has what Debian ships apart from it.
python_makes_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

# Print the Python of JISR_PYTHON, or else a 3.11 or later, installing the system's if there is none. The system's comes
# before others on PATH: it gets its security updates from the distribution, runs in the containers too, and is built
# for speed.
find_python() {
    local candidate also
    if [ -n "${JISR_PYTHON:-}" ]; then
        python_new_enough "$JISR_PYTHON" || give_up "JISR_PYTHON names $JISR_PYTHON, which is no Python 3.11 or later."
        command -v "$JISR_PYTHON"
        return 0
    fi
    for also in python_makes_environments true; do
        for candidate in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
            if python_new_enough "$candidate" && "$also" "$candidate"; then
                command -v "$candidate"
                return 0
            fi
        done
    done
    need_packages python3
    python_new_enough python3 || give_up "Jisr needs Python 3.11 or later; name one with JISR_PYTHON=/path/to/python3."
    command -v python3
}

# Debian ships venv and ensurepip apart from Python itself.
need_venv() {
    python_makes_environments "$1" && return 0
    need_packages "$(basename "$(readlink -f "$1")")-venv"
    python_makes_environments "$1" || give_up "$1 cannot make virtual environments: install python3-venv."
}

# make_environment LOCK : .venv with exactly what LOCK names, hashes checked; made anew only when LOCK changes.
# One that was made from requirements-dev.lock also serves who asks for requirements.lock.
make_environment() {
    local lock=$1 wanted stamp=.venv/.made-from
    exec 9<"$lock"
    flock 9
    wanted=$(environment_checksum "$lock")
    if ! { [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && grep -qsx "$wanted" "$stamp"; }; then
        local python
        python=$(find_python) || exit 1
        need_venv "$python"
        say "Making .venv from $lock with $("$python" --version) (a minute or two, once)"
        rm -f "$stamp"
        "$python" -m venv --clear .venv || give_up "No virtual environment could be made in .venv."
        environment_pip --require-hashes -r requirements-build.lock -r "$lock" \
            && environment_pip --no-build-isolation --no-deps -e . \
            || give_up "Installing the packages of $lock failed: PyPI, or a mirror named in pip's configuration, is needed."
        environment_checksums "$lock" >"$stamp"
    fi
    exec 9>&-
}

environment_pip() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$@" >&2; }

environment_checksum() { cat requirements-build.lock "$1" | sha256sum | cut -d' ' -f1; }

environment_checksums() {
    environment_checksum "$1"
    [ "$1" != requirements-dev.lock ] || environment_checksum requirements.lock
}
