#!/usr/bin/env bash
# The Dockerfile's image, built and tried with a container engine.
#
#   tests/image/run.sh PYTHON [FOLDER [ARGUMENTS...]]
#
# PYTHON runs the tests, FOLDER (default: build/image) keeps what the next run needs, too,
# ARGUMENTS go to pytest.  Without an engine that runs containers it says so and exits 0.
#
#   ENGINE=docker         default: podman or docker, whichever answers first
#   PYTHON_IMAGE=...      default: the Dockerfile's; where that cannot be had, a stand-in (base.sh)
#   REQUIREMENTS=...      default: the Dockerfile's
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=$1
folder=${2:-build/image}
shift $(($# < 2 ? $# : 2))
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
image=proofpoint-collector:test
builder=proofpoint-collector-builder:test
stand_in=proofpoint-collector-base:bookworm
run=$$

skip() {
    echo "The image is not tested: $1" >&2
    exit 0
}

engine=
for candidate in ${ENGINE:-podman docker}; do
    if timeout 30 "$candidate" info > /dev/null 2>&1; then
        engine=$candidate
        break
    fi
done
[[ -n $engine ]] || skip "no container engine answers.  As root on Debian: apt-get install podman runc mmdebstrap"

leave() {
    # Whatever way this script ends, neither its tests nor a container of theirs goes on.
    if [[ -n $tests ]]; then
        kill "$tests" 2> /dev/null || true
        wait "$tests" 2> /dev/null || true
    fi
    "$engine" ps --all --quiet --filter "label=collector-test=$run" |
        xargs --no-run-if-empty "$engine" rm --force --volumes > /dev/null 2>&1 || true
    "$engine" image prune --force --filter label=collector-test > /dev/null 2>&1 || true
    rm -rf "$secrets"
}
tests=
secrets=$(mktemp -d)
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

base=${PYTHON_IMAGE:-$(sed -n 's/^ARG PYTHON_IMAGE=//p' Dockerfile)}
has() { "$engine" image inspect "$1" > /dev/null 2>&1; }
if ! has "$base" && ! timeout 180 "$engine" pull --quiet "$base" > /dev/null 2>&1; then
    [[ -z ${PYTHON_IMAGE:-} ]] || { echo "$base cannot be had." >&2; exit 1; }
    base=$stand_in
    if ! has "$base"; then
        echo "The Dockerfile's base image cannot be had; making a stand-in from Debian, once." >&2
        timeout 300 tests/image/base.sh "$engine" "$base" "$folder" ||
            skip "there is neither the base image nor a stand-in for it"
    fi
fi

# A machine whose root may not raise limits, or with both versions of control groups at once,
# needs another choice of podman's than its own.
starts() { timeout 60 "$engine" run --rm --network none "$base" python -V > /dev/null 2>&1; }
if [[ $engine == podman ]] && ! starts; then
    cat > "$folder/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
    export CONTAINERS_CONF=$folder/containers.conf
fi
starts || skip "$engine does not run containers here"

compose=
if "$engine" compose version > /dev/null 2>&1; then
    compose="$engine compose"
elif [[ $engine == podman ]]; then
    # Debian 12 has one that cannot read the file's env_file.
    tool=$folder/compose/bin/podman-compose
    if [[ ! -x $tool ]]; then
        "$python" -m venv "$folder/compose"
        timeout 120 "$folder/compose/bin/python" -m pip install --quiet --disable-pip-version-check \
            'podman-compose==1.6.0' > /dev/null 2>&1 || true
    fi
    [[ ! -x $tool ]] || compose=$tool
fi

"$python" tests/image/pip_settings.py "$secrets"
build=("$engine" build --quiet --network host --label collector-test=image
    --build-arg "PYTHON_IMAGE=$base" --secret "id=pip.conf,src=$secrets/pip.conf")
[[ ! -f $secrets/ca.crt ]] || build+=(--secret "id=ca.crt,src=$secrets/ca.crt")
[[ -z ${REQUIREMENTS:-} ]] || build+=(--build-arg "REQUIREMENTS=$REQUIREMENTS")
[[ $engine != podman ]] || build+=(--format docker)  # the other format has no HEALTHCHECK
# Named, so that the installed packages are there the next time.
timeout 600 "${build[@]}" --target builder --tag "$builder" . > /dev/null
timeout 600 "${build[@]}" --tag "$image" . > /dev/null

COLLECTOR_ENGINE=$engine COLLECTOR_IMAGE=$image COLLECTOR_BASE=$base COLLECTOR_RUN=$run \
    COLLECTOR_COMPOSE=$compose timeout 600 "$python" -m pytest -c tests/image/pytest.ini tests/image "$@" &
tests=$!
code=0
wait "$tests" || code=$?
tests=
exit "$code"
