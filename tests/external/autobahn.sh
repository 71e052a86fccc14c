#!/usr/bin/env bash
# Our WebSocket client against the Autobahn fuzzing server.
#
#   tests/external/autobahn.sh PYTHON [FOLDER [CASES...]]
#
# PYTHON runs the collector.  FOLDER (default: build/autobahn) keeps the suite's virtual
# environment and its reports.  CASES are patterns such as '7.*'; without any, all 517 run.
# The suite needs Python 2.7: PYTHON27, else python2.7, else pyenv's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=$1
folder=${2:-build/autobahn}
shift $(($# < 2 ? $# : 2))
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

python27=
for candidate in "${PYTHON27:-}" python2.7 "$HOME"/.pyenv/versions/2.7.*/bin/python2.7; do
    if "$candidate" -c '' 2> /dev/null; then
        python27=$candidate
        break
    fi
done
if [[ -z $python27 ]]; then
    echo "The Autobahn suite needs Python 2.7: name one with PYTHON27=/path/to/python2.7" >&2
    exit 2
fi

if [[ ! -x $folder/venv/bin/wstest ]]; then
    echo "Setting up the Autobahn suite in $folder; this takes a minute, once." >&2
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_PYTHON_VERSION_WARNING=1
    "$python27" -m pip install --quiet --target "$folder/tools" 'virtualenv==20.15.1'
    PYTHONPATH=$folder/tools "$python27" -m virtualenv --quiet "$folder/venv"
    "$folder/venv/bin/pip" install --quiet 'autobahntestsuite==25.10.1'
fi

port=$("$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$python" - "$port" "$folder" "${@:-*}" > "$folder/spec.json" <<'SPEC'
import json
import sys

port, folder, *cases = sys.argv[1:]
print(json.dumps({
    "url": f"ws://127.0.0.1:{port}",
    "outdir": f"{folder}/reports",
    "cases": cases,
    "exclude-cases": [],
    "exclude-agent-cases": {},
}))
SPEC

rm -rf "$folder/reports"
"$folder/venv/bin/wstest" -m fuzzingserver -s "$folder/spec.json" -w 0 > "$folder/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
"$python" - "$port" "$server" <<'WAIT'
import os
import socket
import sys
import time

port, server = map(int, sys.argv[1:])
for _ in range(200):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        break
    except OSError:
        os.kill(server, 0)
        time.sleep(0.1)
else:
    sys.exit("the fuzzing server does not listen")
WAIT

PYTHONPATH=. "$python" tests/external/autobahn_client.py "ws://127.0.0.1:$port"
"$python" tests/external/autobahn_summary.py "$folder/reports/index.json" | tee "$folder/summary.txt"
