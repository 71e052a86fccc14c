#!/usr/bin/env bash
# A stand-in for the Dockerfile's base image, where no registry can be reached.
#
#   tests/image/base.sh ENGINE NAME FOLDER
#
# Imports a minimal Debian 12 with its own Python 3.11 into ENGINE as NAME, from the mirror that
# this machine uses.  The official image has another Python, no Perl, and pip; all else that our
# Dockerfile needs of it (python, venv, authorities, time zones) is the same.
set -euo pipefail

engine=$1
name=$2
folder=$3

if ! command -v mmdebstrap > /dev/null; then
    echo "mmdebstrap is not there.  As root on Debian: apt-get install mmdebstrap" >&2
    exit 1
fi
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
    awk '$1 == "bookworm" && $2 == "main" {print $3; exit}') || true

trap 'rm -f "$folder/base.tar"' EXIT
mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include=python3-venv,ca-certificates,netbase,tzdata \
    --customize-hook='ln -s python3 "$1/usr/bin/python"' \
    bookworm "$folder/base.tar" ${mirror:+"$mirror"}
"$engine" import "$folder/base.tar" "$name" > /dev/null
