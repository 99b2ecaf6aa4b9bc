#!/bin/sh
# Debian packages the lab needs: installed by apt when we may, else named in one line.
missing=""
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
ldconfig -p 2>/dev/null | grep -q 'libslirp\.so\.0' || missing="$missing libslirp0"
"${PYTHON:-python3}" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
# what only tests want (LAB_PACKAGES): skipped, with a reason, where it can't be had
wanted=""
for package in $LAB_PACKAGES; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok' || \
        wanted="$wanted $package"
done
[ -z "$missing$wanted" ] && exit 0
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
elif [ -z "$missing" ]; then
    exit 0
else
    echo "please install these packages first: apt-get install$missing" >&2
    exit 1
fi
echo "installing$missing$wanted"
$as_root apt-get update -qq && \
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing $wanted >/dev/null
