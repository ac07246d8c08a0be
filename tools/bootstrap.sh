# Sourced by the commands in scripts/. They start with nothing but a shell: `set_up TARGET...` finds a Python and makes
# sure that the targets are there, silently where they are.

checkout=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
estate_python=$checkout/.venv/bin/python

find_python() {
    for python in python3 python3.11 python3.12 python3.13; do
        if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "Etape needs Python 3.11 to 3.13, and none is on PATH." >&2
    echo "  → Install it (Debian 12: apt-get install python3) and run the command again." >&2
    exit 2
}

set_up() {
    python=$(find_python) || exit $?
    (cd "$checkout" && exec "$python" -m tools.setup --quiet "$@") >&2 || exit $?
}
